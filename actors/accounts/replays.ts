/**
 * Answers that are kept to be given again: whoever repeats a request under the key of the first gets the answer of the
 * first, for a day, also after a restart. So a client that lost an answer can ask again without doing it twice.
 *
 * That a request has begun is written before it is carried out, and its answer after it. What a crash leaves between the
 * two is carried out again, by somebody who learns when it had begun.
 *
 * Of several processes on one store one carries a request out; the others wait for its answer, as long as a living
 * process may take. If one waited for a process that was merely slow, both carry the request out: that is the same as
 * asking again, and the answer of the one that wrote its beginning last is kept.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type Clock, type Instant, sleep } from '../base/clock.ts';
import type { UserId } from '../base/ids.ts';
import { openRecords, type Records, type Snapshot } from '../records/records.ts';
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
   * Carries a request out, or returns the answer that it had. Of requests under one key one is carried out at a time.
   *
   * @param carryOut gets the instant since which it may have happened already, if it may; keeps nothing where trying
   *   again may help
   * @returns `other` when the key was used for something else
   */
  run<Reply>(
    request: Request,
    carryOut: (
      begunAt: Instant | undefined,
    ) => Promise<{ readonly reply: Reply; readonly keep: KeptAnswer | undefined }>,
  ): Promise<{ type: 'fresh'; reply: Reply } | { type: 'kept'; answer: KeptAnswer } | { type: 'other' }>;
  /** Removes all that is kept for a user. */
  forget(userId: UserId): Promise<void>;
}

const KEEP_MS = 24 * 60 * 60 * 1000;
/** Keys of one user; of more the oldest are forgotten. */
const KEYS_MAX = 100;
/** No request takes longer; after that the process that carries it out is taken for dead. */
const CARRIED_OUT_MS = 6_000;
/** Poll interval for the answer of another process. */
const POLL_MS = 50;
/** Old keys looked at with each new one: more than one, so that they do not pile up. */
const CLEARED = 3;

interface Replay {
  readonly fingerprint: string;
  readonly begunAt: Instant;
  readonly answer: KeptAnswer | null;
  /** The run that carries it out just now. */
  readonly by?: string;
}

export function createReplays(
  store: Pick<Store, 'index' | 'records' | 'swap' | 'shared'>,
  clock: Clock,
): Replays {
  const replays = openRecords<Replay>(store, 'replay');
  const oneAtATime = createSerial();
  const kept = createKept(store, replays, clock);

  /** What is stored of a request, as soon as nobody else carries it out. */
  async function whenIdle(id: string): Promise<Snapshot<Replay> | undefined> {
    let found = await replays.read(id);
    if (!store.shared) return found; // in this process it is our turn, and there is no other
    let since = clock.elapsed();
    while (found?.value.by !== undefined && clock.elapsed() - since < CARRIED_OUT_MS) {
      await sleep(clock, POLL_MS);
      const next = await replays.read(id);
      if (next?.value.by !== found.value.by) since = clock.elapsed();
      found = next;
    }
    return found;
  }

  return {
    run({ userId, key, fingerprint }, carryOut) {
      const id = createHash('sha256').update(`${userId}/${key}`).digest('base64url');
      return oneAtATime(id, async () => {
        for (;;) {
          const found = await whenIdle(id);
          const isOld = found === undefined || clock.now() - found.value.begunAt >= KEEP_MS;
          const earlier = isOld ? undefined : found.value;
          if (earlier !== undefined && earlier.fingerprint !== fingerprint) return { type: 'other' };
          if (earlier?.answer) return { type: 'kept', answer: earlier.answer };

          const by = randomUUID();
          const begunAt = earlier?.begunAt ?? clock.now();
          if (earlier === undefined) await kept.add(userId, id, begunAt);
          if (!(await replays.swap(id, found, { fingerprint, begunAt, answer: null, by }))) continue;
          if (earlier === undefined) await kept.clear(userId);

          let answer: KeptAnswer | null = null;
          try {
            const { reply, keep } = await carryOut(earlier?.begunAt);
            answer = keep ?? null;
            return { type: 'fresh', reply };
          } finally {
            await replays.update(id, (replay) =>
              replay?.by === by ? { fingerprint, begunAt, answer } : replay,
            );
          }
        }
      });
    },

    forget: kept.forget,
  };
}

/** Which requests of a user are kept. */
interface Kept {
  add(userId: UserId, id: string, begunAt: Instant): Promise<void>;
  /** Removes what is too old or too many. */
  clear(userId: UserId): Promise<void>;
  readonly forget: (userId: UserId) => Promise<void>;
}

function createKept({ index }: Pick<Store, 'index'>, replays: Records<Replay>, clock: Clock): Kept {
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
      await replays.update(id, (replay) => (replay?.begunAt === Number(begunAt) ? undefined : replay));
      await index.remove(list, member);
    }
  }

  async function forget(userId: UserId): Promise<void> {
    const list = listOf(userId);
    for (;;) {
      const members = await index.page(list, { offset: 0, limit: KEYS_MAX });
      if (members.length === 0) return;
      for (const member of members) {
        await replays.remove(member.split(' ')[1] ?? '');
        await index.remove(list, member);
      }
    }
  }

  return { add: (userId, id, begunAt) => index.add(listOf(userId), memberOf(begunAt, id)), clear, forget };
}
