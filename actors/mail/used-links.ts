/**
 * Which links to sign up by were used, so that none works again: neither when its address is nobody's any more, nor when the
 * tenant has deleted who came by it. Each is kept until the link would be too old anyway.
 */

import { instantOf, memberByInstant } from '../base/by-instant.ts';
import type { Clock, Instant } from '../base/clock.ts';
import type { MailId } from '../base/ids.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';

export interface UsedLinks {
  has(id: MailId): Promise<boolean>;
  /** Again is harmless. @param expiresAt when the link ends by itself */
  add(id: MailId, expiresAt: Instant): Promise<void>;
}

export const USED_LINKS = 'sign-up-used';
/** Old ones looked at with each new one: more than one, so that they do not pile up. */
const CLEARED = 3;

/** Behind those written now, and before those of older versions, which have a digit less and a space before the name. */
const BEFORE_OLD = '001';
const SEPARATOR = /[ \0]/;

/** Both reject with `StoreUnavailable`. */
export function openUsedLinks(
  store: Pick<Store, 'index' | 'records' | 'swap'>,
  clock: Pick<Clock, 'now'>,
): UsedLinks {
  const { index } = store;
  const records = openRecords<{ readonly expiresAt: Instant }>(store, USED_LINKS);

  async function clear(from: { readonly after?: string }): Promise<void> {
    for (const member of await index.page(USED_LINKS, { offset: 0, limit: CLEARED, ...from })) {
      if (clock.now() < instantOf(member)) return;
      await records.remove(member.slice(member.search(SEPARATOR) + 1));
      await index.remove(USED_LINKS, member);
    }
  }

  return {
    has: async (id) => (await records.get(id)) !== undefined,

    async add(id, expiresAt) {
      // In the list first: a crash leaves no record that nobody clears.
      await index.add(USED_LINKS, memberByInstant(expiresAt, id));
      await records.put(id, { expiresAt });
      await clear({});
      await clear({ after: BEFORE_OLD });
    },
  };
}
