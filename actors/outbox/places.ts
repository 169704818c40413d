/**
 * How far each target is: a position in each log, and how its counterpart does. One record per target, written behind what it
 * says: a crash in between repeats some messages and skips none.
 *
 * And from where on the logs are still needed, for a store that would let go of them (Redis): one record for all targets.
 */
import type { Instant } from '../base/clock.ts';
import { openRecords, type Records } from '../records/records.ts';
import type { Store } from '../store/store.ts';

/** Part of the log to be sent once more. */
interface Replay {
  readonly since: Instant;
  readonly until: Instant;
  /** Empty: all that the target wants. */
  readonly types: readonly string[];
  readonly positions: readonly number[];
  readonly sent: number;
}

export interface Place {
  /** Of each log. */
  readonly positions: readonly number[];
  /** Failed attempts since the last one that came through. */
  readonly failures: number;
  /** Since when nothing has come through, where something failed. */
  readonly failingSince: Instant | null;
  /** It rests until then: nothing comes through, or it asked to be left alone. */
  readonly restsUntil: Instant | null;
  /** Rests since the last attempt that came through. */
  readonly rests: number;
  /** Messages that came through, and those that were given up. */
  readonly delivered: number;
  readonly givenUp: number;
  readonly replay: Replay | null;
  /** Counts what others than the dispatcher change: then it reads what waits anew. */
  readonly asked: number;
}

/** How a target does whose messages come through. */
export const WELL = { failures: 0, failingSince: null, restsUntil: null, rests: 0 } as const;

export function newPlace(positions: readonly number[]): Place {
  return { positions, ...WELL, delivered: 0, givenUp: 0, replay: null, asked: 0 };
}

export const openPlaces = (store: Pick<Store, 'records' | 'swap'>): Records<Place> =>
  openRecords<Place>(store, 'outbox-place');

/** From where on each log is needed; `turn` counts the targets that were added. */
interface Needed {
  readonly positions: readonly number[];
  readonly turn: number;
}

const ALL = 'all';

export interface NeededLogs {
  /** From where on a log is needed; undefined: nobody needs any of it. */
  from(which: number): Promise<number | undefined>;
  /** A target begins here: whatever the dispatcher thinks just now, this is needed. */
  add(positions: readonly number[]): Promise<void>;
  /**
   * Tells what is needed, as `look` finds it. Nothing is told where a target was added meanwhile.
   * @param look undefined: there are no targets
   */
  tell(look: () => Promise<readonly number[] | undefined>): Promise<void>;
}

export function openNeededLogs(store: Pick<Store, 'records' | 'swap'>): NeededLogs {
  const records = openRecords<Needed>(store, 'outbox-needed');
  return {
    from: async (which) => (await records.get(ALL))?.positions[which],

    async add(positions) {
      await records.update(ALL, (there) => ({
        positions: positions.map((position, which) =>
          Math.min(position, there?.positions[which] ?? position),
        ),
        turn: (there?.turn ?? 0) + 1,
      }));
    },

    async tell(look) {
      const before = await records.read(ALL);
      const positions = await look();
      if (positions === undefined) {
        if (before !== undefined) await records.swap(ALL, before, undefined);
        return;
      }
      if (before !== undefined && `${before.value.positions}` === `${positions}`) return;
      await records.swap(ALL, before, { positions, turn: before?.value.turn ?? 0 });
    },
  };
}
