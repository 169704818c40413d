/**
 * What was given to a customer or a tenant while it was deleted. Whoever gives a device to somebody looks at that somebody once more,
 * and takes the device back where it is marked by now (`http/routes/tenure.ts`). Where a crash or a full disk comes between the two,
 * the device would stay with an owner that is gone, and nobody could claim it. So each deletion is noted before it
 * begins, and what it clears is cleared again and again until all that was under way at its time has ended.
 */
import { instantOf, memberByInstant } from '../base/by-instant.ts';
import type { Clock, Instant } from '../base/clock.ts';
import { type CustomerId, storedId, type TenantId, type UserId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { eachMember } from '../records/pages.ts';
import { createRounds, type Rounds } from '../records/rounds.ts';
import type { Store } from '../store/store.ts';

/** Of a tenant, or of one of its customers. */
export interface Deletion {
  readonly tenantId: TenantId;
  readonly customerId?: CustomerId;
  /** Who asked for it. */
  readonly by: UserId;
}

const DELETIONS = 'deletions';
const FIRST_MS = 5_000;
const EVERY_MS = 60_000;
/** Much longer than anything is under way that began before it. */
const KEPT_MS = 10 * 60_000;
/** Deletions that are read at once. */
const PAGE = 100;

export async function noteDeletion(
  { index }: Pick<Store, 'index'>,
  at: Instant,
  { tenantId, customerId, by }: Deletion,
): Promise<void> {
  const about = [tenantId, by, ...(customerId === undefined ? [] : [customerId])];
  await index.add(DELETIONS, memberByInstant(at, about.join(' ')));
}

/** @param clear does what the deletion did once more; resolves to whether nothing is left */
export function createLeftBehind(
  store: Store,
  clear: (deletion: Deletion) => Promise<boolean>,
  clock: Clock,
  log: Log,
): Rounds {
  const { index } = store;
  return createRounds(
    store,
    {
      name: 'deletions',
      what: 'deletions',
      firstMs: FIRST_MS,
      everyMs: EVERY_MS,
      away: 'what was left behind by deletions could not be cleared; trying again',
      async round(mayGoOn) {
        for await (const member of eachMember(index, DELETIONS, PAGE)) {
          if (!(await mayGoOn())) return;
          const isClear = await clear(deletionIn(member));
          if (isClear && clock.now() - instantOf(member) >= KEPT_MS) await index.remove(DELETIONS, member);
        }
      },
    },
    clock,
    log,
  );
}

function deletionIn(member: string): Deletion {
  const [tenantId = '', by = '', customerId] = member.slice(member.indexOf('\0') + 1).split(' ');
  return {
    tenantId: storedId<TenantId>(tenantId),
    by: storedId<UserId>(by),
    ...(customerId === undefined ? {} : { customerId: storedId<CustomerId>(customerId) }),
  };
}
