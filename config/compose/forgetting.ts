/** What is kept for a tenant or a customer besides devices and users, and goes with it. */
import type { StoredBytes } from '../../actors/accounts/stored-bytes.ts';
import { forgetDays } from '../../actors/audit/days.ts';
import { createLosses } from '../../actors/audit/losses.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { CustomerId, TenantId, UserId } from '../../actors/base/ids.ts';
import { openBatches } from '../../actors/batches/jobs.ts';
import { forgetClaimLists } from '../../actors/fleet/claim-lists.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { openImports } from '../../actors/imports/jobs.ts';
import { forgetKits } from '../../actors/kits/records.ts';
import { openMailChoices } from '../../actors/mail/choices.ts';
import { forgetProviders } from '../../actors/providers/providers.ts';
import type { Store } from '../../actors/store/store.ts';
import type { Webhooks } from '../../actors/webhooks/model.ts';

export interface Forgetting {
  forgetTenant(id: TenantId): Promise<void>;
  forgetCustomer(id: CustomerId): Promise<void>;
  forgetUser(id: UserId): Promise<void>;
}

export function createForgetting(
  store: Store,
  profiles: Pick<Profiles, 'forgetTenant'>,
  stored: Pick<StoredBytes, 'forget'>,
  webhooks: Pick<Webhooks, 'forgetTenant'>,
  clock: Clock,
): Forgetting {
  const losses = createLosses(store, clock);
  const choices = openMailChoices(store);
  return {
    async forgetTenant(id) {
      await profiles.forgetTenant(id);
      await openImports(store).forgetTenant(id);
      await openBatches(store).forgetTenant(id);
      await forgetKits(store, id);
      await webhooks.forgetTenant(id);
      await forgetProviders(store, id);
      await stored.forget(id);
      await forgetClaimLists(store, id);
      await forgetDays(store, id);
    },

    forgetUser: (id) => choices.forget(id),

    async forgetCustomer(id) {
      await losses.forget(id);
      await stored.forget(id);
    },
  };
}
