/**
 * Answers that are kept to be given again: whoever repeats a request under the key of the first hears what the first
 * heard, for a day, also after a restart. So a client that lost an answer can ask again without doing it twice.
 *
 * That a request has begun is written before it is carried out, and the answer after it; what a crash leaves between
 * the two is begun again, and is told when it was begun first.
 */
import { createHash } from 'node:crypto';
import { openRecords } from './accounts/records.ts';
import { createSerial } from './accounts/serial.ts';
import type { Clock, Instant } from './clock.ts';
import type { UserId } from './ids.ts';
import type { Store } from './store/store.ts';

export interface KeptAnswer {
  readonly status: number;
  /** JSON text. */
  readonly body: string;
}

export interface Request {
  readonly userId: UserId;
  /** The client's name for the request. */
  readonly key: string;
  /** What is asked, digested so that it tells nothing. */
  readonly fingerprint: string;
}

export interface Replays {
  /**
   * Carries a request out, or gives the answer that it had. Of requests under one key one is carried out at a time.
   * @param carryOut told since when it may have happened already, if it may; keeps nothing where trying again may help
   * @returns `other` when the key was used for something else
   */
  run<Given>(
    request: Request,
    carryOut: (
      begunAt: Instant | undefined,
    ) => Promise<{ readonly given: Given; readonly keep: KeptAnswer | undefined }>,
  ): Promise<{ type: 'fresh'; given: Given } | { type: 'kept'; answer: KeptAnswer } | { type: 'other' }>;
  /** Forgets all of a user that goes. */
  forget(userId: UserId): Promise<void>;
}

const KEEP_MS = 24 * 60 * 60 * 1000;
/** Keys of one user; of more the oldest are forgotten. */
const KEYS_MAX = 100;
/** Cleared away with one new key, so that old ones go as fast as new ones come. */
const CLEARED = 3;

interface Row {
  readonly fingerprint: string;
  readonly begunAt: Instant;
  readonly answer: KeptAnswer | null;
}

export function createReplays({ index, records }: Pick<Store, 'index' | 'records'>, clock: Clock): Replays {
  const rows = openRecords<Row>(records, 'replay');
  const oneAtATime = createSerial();
  const listOf = (userId: UserId) => `replays/${userId}`;

  /** In the order of time, so that the oldest are the first. */
  const memberOf = (begunAt: Instant, id: string) => `${String(begunAt).padStart(15, '0')} ${id}`;

  async function clear(userId: UserId): Promise<void> {
    const list = listOf(userId);
    const excess = (await index.count(list)) - KEYS_MAX;
    const oldest = await index.page(list, { offset: 0, limit: CLEARED });
    for (const [at, member] of oldest.entries()) {
      const [begunAt = '', id = ''] = member.split(' ');
      if (at >= excess && clock.now() - Number(begunAt) < KEEP_MS) return;
      const row = await rows.get(id);
      if (row === undefined || row.begunAt === Number(begunAt)) await rows.remove(id);
      await index.remove(list, member);
    }
  }

  return {
    run({ userId, key, fingerprint }, carryOut) {
      const id = createHash('sha256').update(`${userId}/${key}`).digest('base64url');
      return oneAtATime(id, async () => {
        const found = await rows.get(id);
        const known = found !== undefined && clock.now() - found.begunAt < KEEP_MS ? found : undefined;
        if (known !== undefined && known.fingerprint !== fingerprint) return { type: 'other' };
        if (known?.answer) return { type: 'kept', answer: known.answer };

        const begunAt = known?.begunAt ?? clock.now();
        if (known === undefined) {
          await index.add(listOf(userId), memberOf(begunAt, id));
          await rows.put(id, { fingerprint, begunAt, answer: null });
          await clear(userId);
        }
        const { given, keep } = await carryOut(known?.begunAt);
        if (keep !== undefined) await rows.put(id, { fingerprint, begunAt, answer: keep });
        return { type: 'fresh', given };
      });
    },

    async forget(userId) {
      const list = listOf(userId);
      for (;;) {
        const members = await index.page(list, { offset: 0, limit: KEYS_MAX });
        if (members.length === 0) return;
        for (const member of members) {
          await rows.remove(member.split(' ')[1] ?? '');
          await index.remove(list, member);
        }
      }
    },
  };
}
