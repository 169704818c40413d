/** What has ended when the holder of an address takes its account over by a mail: whoever was in may have made other ways in. */
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { UserId } from '../../actors/base/ids.ts';
import { ifUnavailable } from '../../actors/journal/unavailable.ts';

/** They have ended with the commit that set the password. This removes them; what is left is removed when it is met. */
export async function clearWaysIn(
  { providerLinks, apiKeys }: Pick<Accounts, 'providerLinks' | 'apiKeys'>,
  userId: UserId,
): Promise<void> {
  await Promise.all([providerLinks.clear(userId), apiKeys.clear(userId)]).catch(ifUnavailable(() => {}));
}
