/** What comes round in the background over all tenants: old entries, lists by claim state, days, what deletions left behind. */
import type { Accounts } from '../../actors/accounts/accounts.ts';
import { createLeftBehind } from '../../actors/accounts/left-behind.ts';
import type { Audit } from '../../actors/audit/audit.ts';
import { createDayRounds, daysOfStanding } from '../../actors/audit/days.ts';
import { createPruning } from '../../actors/audit/pruning.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { TenantId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import { createClaimLists } from '../../actors/fleet/claim-lists.ts';
import type { Store } from '../../actors/store/store.ts';
import type { Config } from '../options/schema.ts';

interface RoundNeeds {
  readonly store: Store;
  readonly accounts: Accounts;
  readonly audit: Pick<Audit, 'days' | 'countDays'>;
  readonly clock: Clock;
  readonly log: Log;
}

export function composeRounds(
  { auditKeepMs: forMs, auditKeepEntries: entries }: Config['system'],
  { store, accounts, audit, clock, log }: RoundNeeds,
) {
  const tenants = () => tenantsOf(accounts);
  const tenantStands = async (id: TenantId) => (await accounts.tenants.find(id)) !== undefined;
  const all = [
    createPruning(store, { forMs, entries }, tenants, clock, log),
    createClaimLists(store, tenants, clock, log, tenantStands),
    createLeftBehind(store, accounts.clearAgain, clock, log),
    createDayRounds(store, { count: audit.countDays }, tenants, clock, log, tenantStands),
  ];
  return {
    /** The days of a tenant, of which nothing is kept once it is deleted. */
    days: daysOfStanding(audit.days, store, tenantStands),
    start(): void {
      for (const rounds of all) rounds.start();
    },
    async stop(): Promise<void> {
      await Promise.all(all.map((rounds) => rounds.stop()));
    },
  };
}

async function* tenantsOf({ tenants }: Accounts): AsyncGenerator<TenantId> {
  for await (const { id } of tenants.each()) yield id;
}
