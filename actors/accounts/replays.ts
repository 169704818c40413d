/**
 * Answers that are kept to be given again: whoever repeats a request under the key of the first hears what the first
 * heard, for a day, also after a restart. So a client that lost an answer can ask again without doing it twice.
 *
 * That a request has begun is written before it is carried out, and the answer after it; what a crash leaves between
 * the two is begun again, and is told when it was begun first.
 *
 * Of several processes on one store one carries a request out; the others wait for its answer, as long as it may take
 * with a process that lives. Should one have waited for a process that was merely slow, both carry it out: that is the
 * same as asking again, and the answer of the one who wrote last its beginning is kept.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type Clock, type Instant, sleep } from '../base/clock.ts';
import type { UserId } from '../base/ids.ts';
import { type Held, openRecords } from '../records/records.ts';
import { createSerial } from '../records/serial.ts';
import type { Store } from '../store/store.ts';

export interface KeptAnswer {
  readonly status: number;
  /** JSON text. */
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Request {
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
/** Nothing that is carried out takes longer; after that its process is taken for dead. */
const CARRIED_OUT_MS = 6_000;
/** How often it is looked for an answer that another process will have. */
const LOOK_AGAIN_MS = 50;
/** Cleared away with one new key, so that old ones go as fast as new ones come. */
const CLEARED = 3;

interface Row {
  readonly fingerprint: string;
  readonly begunAt: Instant;
  readonly answer: KeptAnswer | null;
  /** Who carries it out just now; each time under another name. */
  readonly by?: string;
}

export function createReplays(
  store: Pick<Store, 'index' | 'records' | 'swap' | 'shared'>,
  clock: Clock,
): Replays {
  const { index } = store;
  const rows = openRecords<Row>(store, 'replay');
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
      await rows.update(id, (row) => (row?.begunAt === Number(begunAt) ? undefined : row));
      await index.remove(list, member);
    }
  }

  /** What is there of a request, as soon as nobody else is carrying it out. */
  async function settled(id: string): Promise<Held<Row> | undefined> {
    let held = await rows.hold(id);
    if (!store.shared) return held; // in this process it is our turn, and no other lives
    let since = clock.now();
    while (held?.row.by !== undefined && clock.now() - since < CARRIED_OUT_MS) {
      await sleep(clock, LOOK_AGAIN_MS);
      const next = await rows.hold(id);
      if (next?.row.by !== held.row.by) since = clock.now();
      held = next;
    }
    return held;
  }

  return {
    run({ userId, key, fingerprint }, carryOut) {
      const id = createHash('sha256').update(`${userId}/${key}`).digest('base64url');
      return oneAtATime(id, async () => {
        for (;;) {
          const found = await settled(id);
          const old = found === undefined || clock.now() - found.row.begunAt >= KEEP_MS;
          const known = old ? undefined : found.row;
          if (known !== undefined && known.fingerprint !== fingerprint) return { type: 'other' };
          if (known?.answer) return { type: 'kept', answer: known.answer };

          const by = randomUUID();
          const begunAt = known?.begunAt ?? clock.now();
          if (known === undefined) await index.add(listOf(userId), memberOf(begunAt, id));
          if (!(await rows.swap(id, found, { fingerprint, begunAt, answer: null, by }))) continue;
          if (known === undefined) await clear(userId);

          let answer: KeptAnswer | null = null;
          try {
            const { given, keep } = await carryOut(known?.begunAt);
            answer = keep ?? null;
            return { type: 'fresh', given };
          } finally {
            await rows.update(id, (row) => (row?.by === by ? { fingerprint, begunAt, answer } : row));
          }
        }
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
