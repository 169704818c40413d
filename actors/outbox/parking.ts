/**
 * Messages that wait because one before them did not come through. Each device of a target has a lane: its messages wait in their
 * order, and only the first of them is tried again. Devices do not wait for each other.
 *
 * What is given up after all tries is kept apart, to be tried again when somebody says so. Both are bounded: a lane that is full
 * gives up its first message, so that it goes on; of what was given up, the oldest goes.
 */
import type { Instant } from '../base/clock.ts';
import type { DeviceId } from '../base/ids.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import type { Message } from './message.ts';

/** Messages that wait in one lane. */
const LANE_MAX = 100;
/** Why what `change` returns is given up. */
const LANE_FULL = 'too many messages of the device waited';
/** Lanes of one target; where there are more, the target waits as a whole. */
export const LANES_MAX = 1_000;
/** Messages of one target that are kept after they were given up. */
const GIVEN_UP_MAX = 500;

export interface Lane {
  /** In the order of their numbers. */
  readonly messages: readonly Message[];
  /** How often the first of them has failed. */
  readonly attempts: number;
  readonly nextAt: Instant;
}

export interface GivenUp {
  readonly message: Message;
  readonly at: Instant;
  readonly why: string;
}

export interface Parking {
  /** The devices whose messages wait. */
  lanes(target: string): Promise<Map<DeviceId, Instant>>;
  lane(target: string, deviceId: DeviceId): Promise<Lane | undefined>;
  /**
   * Changes a lane; undefined or without messages: it is empty. What is too much for it is given up, and returned, oldest first. It is
   * kept as given up before the lane lets go of it, so a crash in between has it twice and never loses it.
   *
   * @param next may be called several times
   */
  change(
    target: string,
    deviceId: DeviceId,
    next: (lane: Lane | undefined) => Lane | undefined,
    now: Instant,
  ): Promise<readonly Message[]>;
  giveUp(target: string, given: readonly GivenUp[]): Promise<void>;
  givenUp(target: string): Promise<readonly GivenUp[]>;
  /** Forgets that these were given up. */
  takeGivenUp(target: string, ids: ReadonlySet<string>): Promise<void>;
  /** How many lanes there are. */
  count(target: string): Promise<number>;
  /** Removes all of a target. */
  forget(target: string): Promise<void>;
}

const lanesOf = (target: string) => `outbox-lanes/${target}`;

export function createParking(store: Store): Parking {
  const lanes = openRecords<Lane>(store, 'outbox-lane');
  const given = openRecords<{ readonly items: readonly GivenUp[] }>(store, 'outbox-given-up');
  const nameOf = (target: string, deviceId: string) => `${target}/${deviceId}`;

  async function members(target: string): Promise<readonly DeviceId[]> {
    // Those beyond the bound are there after a crash at the most; they are found once others have gone.
    const found = await store.index.page(lanesOf(target), { offset: 0, limit: 2 * LANES_MAX });
    return found as readonly DeviceId[]; // written by `change`
  }

  async function drop(target: string, deviceId: DeviceId): Promise<void> {
    await lanes.remove(nameOf(target, deviceId));
    await store.index.remove(lanesOf(target), deviceId);
  }

  /** Each once, as the newest words on it have it. */
  async function giveUp(target: string, more: readonly GivenUp[]): Promise<void> {
    if (more.length === 0) return;
    const ids = new Set(more.map(({ message }) => message.id));
    await given.update(target, (there) => ({
      items: [...(there?.items ?? []).filter(({ message }) => !ids.has(message.id)), ...more].slice(
        -GIVEN_UP_MAX,
      ),
    }));
  }

  return {
    async lanes(target) {
      const found = new Map<DeviceId, Instant>();
      for (const deviceId of await members(target)) {
        const lane = await lanes.get(nameOf(target, deviceId));
        if (lane === undefined) await store.index.remove(lanesOf(target), deviceId);
        else found.set(deviceId, lane.nextAt);
      }
      return found;
    },

    lane: (target, deviceId) => lanes.get(nameOf(target, deviceId)),

    async change(target, deviceId, next, now) {
      const name = nameOf(target, deviceId);
      await store.index.add(lanesOf(target), deviceId); // first: what is in no list is never found again
      for (;;) {
        const before = await lanes.read(name);
        const after = next(before?.value);
        const over = after?.messages.slice(0, -LANE_MAX) ?? [];
        await giveUp(
          target,
          over.map((message) => ({ message, at: now, why: LANE_FULL })),
        );
        const lane = after === undefined || after.messages.length === 0 ? undefined : shortened(after);
        if (lane !== before?.value && !(await lanes.swap(name, before, lane))) continue; // somebody was faster
        if (lane === undefined) await drop(target, deviceId);
        return over;
      }
    },

    giveUp,

    givenUp: async (target) => (await given.get(target))?.items ?? [],

    async takeGivenUp(target, ids) {
      await given.update(target, (there) => {
        const items = there?.items.filter(({ message }) => !ids.has(message.id)) ?? [];
        return items.length === 0 ? undefined : { items };
      });
    },

    count: (target) => store.index.count(lanesOf(target)),

    async forget(target) {
      for (;;) {
        const some = await members(target);
        if (some.length === 0) break;
        for (const deviceId of some) await drop(target, deviceId);
      }
      await given.remove(target);
    },
  };
}

/** Without what is too much for it; then its first message is another one. */
function shortened(lane: Lane): Lane {
  const messages = lane.messages.slice(-LANE_MAX);
  return messages.length === lane.messages.length ? lane : { ...lane, messages, attempts: 0 };
}

/** Messages that wait, with more of them: each once, in the order of their numbers. */
export function merged(waiting: readonly Message[], more: readonly Message[]): readonly Message[] {
  const byNumber = new Map([...more, ...waiting].map((message) => [message.number, message]));
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}
