/** What ends when the holder of an address takes its account over by a mail: whoever was in may have made other ways in. */
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { UserId } from '../../actors/base/ids.ts';

/** After the password is set, so that nobody who was in before makes another one. Rejects with `StoreUnavailable`. */
export async function endOtherWaysIn(
  { providerLinks, apiKeys }: Pick<Accounts, 'providerLinks' | 'apiKeys'>,
  userId: UserId,
): Promise<void> {
  await providerLinks.forgetAdded(userId);
  await apiKeys.forget(userId);
}
