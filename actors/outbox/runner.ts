/**
 * Sends to one target what it wants, in a loop: first what waits in lanes and is due, then the next page of each log, then a page
 * of a replay, if one was asked for. A place is written behind what was sent or parked, so a crash repeats and never skips.
 *
 * Where nothing comes through any more, the target rests as a whole and its place stays where it is: a dead counterpart costs one
 * attempt after each rest, however much happens.
 */
import type { Clock, Instant } from '../base/clock.ts';
import { isDue } from '../base/clock-steps.ts';
import type { DeviceId } from '../base/ids.ts';
import type { Records } from '../records/records.ts';
import { type Attempt, type Attempts, attemptAt } from './attempts.ts';
import type { Delivery, Message, ReadAt, Target } from './message.ts';
import { LANES_MAX, type Lane, merged, type Parking } from './parking.ts';
import { newPlace, type Place, WELL } from './places.ts';
import { CLOCKS_APART_MS, type MessageReader } from './reader.ts';
import { nextTry, restUntil, WAIT_MAX_MS } from './retries.ts';
import type { Slots } from './slots.ts';

export interface RunnerNeeds {
  readonly reader: MessageReader;
  readonly places: Records<Place>;
  readonly parking: Parking;
  readonly attempts: Attempts;
  readonly slots: Slots;
  /** Gives a target a place. */
  readonly begin: (id: string) => Promise<void>;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly chance: () => number;
  /** Whether this process still is the one that sends. */
  readonly mayGoOn: () => boolean;
  readonly disable: (id: string, because: 'gone' | 'failing') => Promise<void>;
  readonly onAttempt: (isDelivered: boolean) => void;
}

export interface Runner {
  /** Does what there is to do now. Resolves to whether there is more at once. Rejects with `StoreUnavailable`. */
  round(): Promise<boolean>;
  /** Whether a round would do nothing. */
  readonly isIdle: boolean;
  /** How long something has waited that is to be sent; what waits for one device alone does not count. */
  readonly lagMs: number;
  /** What the target is now. */
  use(target: Target): void;
  /** The target is gone. */
  end(): void;
}

/** Devices of one target that are sent at once. */
const LANES_AT_ONCE = 4;
/** So many failures in a row, of whichever devices, and the target rests. */
const FAILURES_MAX = 10;
/** Without anything that came through for so long, and after as many failures as make it rest, the target is switched off. */
const FAILING_MAX_MS = 120 * 3_600_000;
/** For so long a place is what it was: others change it when somebody asks for something. */
const LOADED_FOR_MS = 1_000;
/** Likewise while the target rests: how late it hears that it was asked for something. */
const RESTING_FOR_MS = 5_000;
/** Lanes tried again in one round. */
const LANES_PER_ROUND = 100;

export function createRunner(first: Target, needs: RunnerNeeds): Runner {
  const { reader, places, parking, attempts, slots, clock, chance, mayGoOn } = needs;
  let target = first;
  let place: Place | undefined;
  /** The devices that wait, and until when. */
  let lanes = new Map<DeviceId, Instant>();
  /** What was sent or parked of pages that are not done. */
  const partly = new Map<string, Set<string>>();
  let loadedAt = Number.NEGATIVE_INFINITY;
  /** When the first message of a page happened that is not done. */
  let behind: Instant | undefined;
  let made: Attempt[] = [];
  let isOver = false;

  const isResting = ({ restsUntil }: Place) =>
    restsUntil !== null && !isDue(restsUntil, clock.now(), WAIT_MAX_MS);
  const isStopped = () => isOver || !mayGoOn() || place === undefined || isResting(place);

  const isStale = (at: Place) =>
    clock.elapsed() - loadedAt >= (isResting(at) ? RESTING_FOR_MS : LOADED_FOR_MS);

  /** Reads the place; and the lanes, if others have changed them. */
  async function load(): Promise<Place | undefined> {
    if (place !== undefined && !isStale(place)) return place;
    let there = await places.get(target.id);
    loadedAt = clock.elapsed();
    if (there === undefined) {
      // Whoever made the target was broken off before it had a place, and has acknowledged nothing.
      await needs.begin(target.id);
      there = await places.get(target.id);
    }
    if (there === undefined) return undefined;
    if (place === undefined) lanes = await parking.lanes(target.id);
    else if (there.asked !== place.asked) await loadAsked();
    place = there;
    return there;
  }

  /** Somebody asked for something: what waits is tried at once. */
  async function loadAsked(): Promise<void> {
    const found = await parking.lanes(target.id);
    const now = clock.now();
    lanes = new Map([...found.keys()].map((deviceId) => [deviceId, now]));
  }

  /** Writes what this runner knows of its place; what others ask for stays. */
  async function save(change: Partial<Place>): Promise<void> {
    if (place === undefined) return;
    const { asked, replay, ...mine } = { ...place, ...change };
    const written = await places.update(target.id, (there) => {
      if (there === undefined) return undefined; // the target is gone
      const positions = there.positions.map((position, at) => Math.max(position, mine.positions[at] ?? 0));
      const ours = there.asked === asked;
      // Where somebody asked for it, the target begins afresh.
      return {
        ...mine,
        ...(ours ? {} : WELL),
        positions,
        replay: ours ? replay : there.replay,
        asked: there.asked,
      };
    });
    if (written !== undefined && written.asked !== asked) await loadAsked();
    place = written;
    const some = made;
    made = [];
    await attempts.add(target.id, some);
  }

  /** Sends one message, and notes how the target does. */
  async function send(message: Message, number: number, readAt: ReadAt | null): Promise<Delivery> {
    const delivery = await slots.run(target.tenantId, () => target.deliver(message));
    const now = clock.now();
    made.push(attemptAt(message, delivery, { at: now, number, readAt }));
    needs.onAttempt(delivery.type === 'delivered');
    if (place === undefined) return delivery;
    if (delivery.type === 'delivered') {
      const wasResting = place.rests > 0;
      place = { ...place, ...WELL, delivered: place.delivered + 1 };
      // What waited for the target, and not for itself, need not wait any longer.
      if (wasResting) for (const deviceId of lanes.keys()) lanes.set(deviceId, now);
      return delivery;
    }
    const failures = place.failures + 1;
    const failingSince = place.failingSince ?? now;
    place = { ...place, failures, failingSince };
    if (delivery.all === 'gone') await switchOff('gone');
    else if (isHopeless(failures, now - failingSince)) await switchOff('failing');
    else if (delivery.all === 'busy' || failures >= FAILURES_MAX) rest(delivery.askedMs);
    return delivery;
  }

  /** Days in which this server was off, or its clock was set forward, are none in which somebody else did not answer. */
  const isHopeless = (failures: number, failingMs: number) =>
    target.restMaxMs === undefined && failures >= FAILURES_MAX && failingMs > FAILING_MAX_MS;

  async function switchOff(because: 'gone' | 'failing'): Promise<void> {
    isOver = true;
    await needs.disable(target.id, because);
  }

  function rest(askedMs: number): void {
    if (place === undefined || isResting(place)) return;
    const restsUntil = restUntil(place.rests, clock.now(), askedMs, chance(), target.restMaxMs);
    place = { ...place, restsUntil, rests: place.rests + 1 };
  }

  /** Parks messages of a device, the first of which may have failed. */
  async function park(deviceId: DeviceId, messages: readonly Message[], failed?: Delivery): Promise<void> {
    const now = clock.now();
    const askedMs = failed?.type === 'failed' ? failed.askedMs : 0;
    const next = (lane: Lane | undefined): Lane => {
      const all = merged(lane?.messages ?? [], messages);
      if (lane !== undefined && lane.messages[0]?.number === all[0]?.number)
        return { ...lane, messages: all };
      const attempted = failed === undefined ? 0 : 1;
      const nextAt = attempted === 0 ? now : (nextTry(1, now, askedMs, chance()) ?? now);
      lanes.set(deviceId, nextAt);
      return { messages: all, attempts: attempted, nextAt };
    };
    countGivenUp((await parking.change(target.id, deviceId, next, now)).length);
  }

  function countGivenUp(more: number): void {
    if (place !== undefined && more > 0) place = { ...place, givenUp: place.givenUp + more };
  }

  async function giveUp(messages: readonly Message[], why: string): Promise<void> {
    if (messages.length === 0) return;
    const at = clock.now();
    await parking.giveUp(
      target.id,
      messages.map((message) => ({ message, at, why })),
    );
    countGivenUp(messages.length);
  }

  /** Tries what waits in a lane, until something fails again. */
  async function retry(deviceId: DeviceId): Promise<void> {
    while (!isStopped()) {
      const lane = await parking.lane(target.id, deviceId);
      const [message] = lane?.messages ?? [];
      if (lane === undefined || message === undefined) break;
      const isProbe = place !== undefined && place.rests > 0;
      const delivery = await send(message, lane.attempts + 1, null);
      const isThrough = delivery.type === 'delivered';
      if (isProbe && !isThrough) {
        // It says something of the target and nothing of the message; the next probe is another device's.
        lanes.delete(deviceId);
        lanes.set(deviceId, lane.nextAt);
        return;
      }
      const attempted = lane.attempts + 1;
      const askedMs = delivery.type === 'failed' ? delivery.askedMs : 0;
      const nextAt = isThrough ? undefined : nextTry(attempted, clock.now(), askedMs, chance());
      if (!isThrough && nextAt === undefined) await giveUp([message], delivery.told.outcome);
      const isDone = isThrough || nextAt === undefined;
      if (isDone) await remove(deviceId, message);
      else {
        const putOff = (there: Lane | undefined) => there && { ...there, attempts: attempted, nextAt };
        await parking.change(target.id, deviceId, putOff, clock.now());
        lanes.set(deviceId, nextAt);
      }
      if (!isThrough) return;
    }
    if ((await parking.lane(target.id, deviceId)) === undefined) lanes.delete(deviceId);
  }

  async function remove(deviceId: DeviceId, done: Message): Promise<void> {
    const now = clock.now();
    const next = (lane: Lane | undefined): Lane => {
      const messages = lane?.messages.filter(({ number }) => number !== done.number) ?? [];
      return { messages, attempts: 0, nextAt: now };
    };
    await parking.change(target.id, deviceId, next, now);
    lanes.set(deviceId, now);
  }

  /** The devices whose turn it is; of a target of which nothing came through, one. */
  function dueLanes(): readonly DeviceId[] {
    if (place !== undefined && place.rests > 0) {
      const [probe] = lanes.keys();
      if (probe !== undefined) return [probe];
    }
    const now = clock.now();
    const due = [...lanes].filter(([, nextAt]) => isDue(nextAt, now, WAIT_MAX_MS)).map(([id]) => id);
    return due.slice(0, LANES_PER_ROUND);
  }

  /** Where something fails it is careful: a counterpart that hangs takes one connection. */
  const atOnce = () => (place !== undefined && place.failures > 0 ? 1 : LANES_AT_ONCE);

  /** Sends a page. Resolves to whether all of it was sent or parked. */
  async function sendPage(
    messages: readonly Message[],
    readAt: ReadAt,
    purpose: 'next' | 'again',
  ): Promise<boolean> {
    const key = `${purpose}/${readAt.which}/${readAt.from}`;
    const sent = partly.get(key) ?? new Set<string>();
    partly.set(key, sent);
    const byDevice = new Map<DeviceId, Message[]>();
    for (const message of messages) {
      if (sent.has(message.id)) continue;
      const some = byDevice.get(message.deviceId);
      if (some === undefined) byDevice.set(message.deviceId, [message]);
      else some.push(message);
    }
    let isWhole = true;
    await inParallel([...byDevice], atOnce(), async ([deviceId, some]) => {
      isWhole = (await sendSome(deviceId, some, readAt, sent)) && isWhole;
    });
    if (isWhole) partly.delete(key);
    return isWhole;
  }

  /** Sends messages of one device; where it waits already, or one fails, they are parked. Resolves to whether none is left. */
  async function sendSome(
    deviceId: DeviceId,
    some: readonly Message[],
    readAt: ReadAt,
    sent: Set<string>,
  ): Promise<boolean> {
    const parkFrom = async (at: number, failed?: Delivery) => {
      const left = some.slice(at);
      await park(deviceId, left, failed);
      for (const { id } of left) sent.add(id);
      return true;
    };
    if (lanes.has(deviceId)) return parkFrom(0);
    for (const [at, message] of some.entries()) {
      if (isStopped() || lanes.size >= LANES_MAX) return false;
      const delivery = await send(message, 1, readAt);
      if (delivery.type === 'failed') return parkFrom(at, delivery);
      sent.add(message.id);
    }
    return true;
  }

  /** The next page of a log. Resolves to whether there may be more. */
  async function nextPage(which: number): Promise<boolean> {
    const from = place?.positions[which];
    if (from === undefined || isStopped()) return false;
    const { messages, next } = await reader.page({ which, from });
    if (next === from) return false;
    const wanted = messages.filter((message) => target.wants(message));
    behind ??= wanted[0]?.at;
    const isWhole = await sendPage(wanted, { which, from }, 'next');
    if (isWhole) behind = undefined;
    const positions = place?.positions.map((position, at) => (at === which && isWhole ? next : position));
    await save(positions === undefined ? {} : { positions });
    return isWhole;
  }

  /** A page of what is to be sent once more. */
  async function replayPage(): Promise<boolean> {
    const replay = place?.replay ?? null;
    if (replay === null || place === undefined || isStopped()) return false;
    const { since, until, types } = replay;
    for (const [which, from] of replay.positions.entries()) {
      if (from >= (place.positions[which] ?? 0)) continue; // from there on it is sent anyhow
      const { messages, next } = await reader.page({ which, from });
      if (next === from) continue;
      const isIn = ({ at, type }: Message) =>
        at >= since && at < until && (types.length === 0 || types.includes(type));
      const wanted = messages.filter((message) => isIn(message) && target.wants(message));
      const isWhole = await sendPage(wanted, { which, from }, 'again');
      const isPast = messages.length > 0 && messages.every(({ at }) => at > until + CLOCKS_APART_MS);
      const goOnAt = isPast ? Number.MAX_SAFE_INTEGER : next;
      const positions = replay.positions.map((position, at) => (at === which && isWhole ? goOnAt : position));
      await save({ replay: { ...replay, positions, sent: replay.sent + (isWhole ? wanted.length : 0) } });
      return isWhole;
    }
    await save({ replay: null });
    return false;
  }

  return {
    get isIdle() {
      return place !== undefined && (isOver || isResting(place)) && !isStale(place);
    },
    get lagMs() {
      const since = place?.failingSince ?? behind;
      return since === undefined ? 0 : Math.max(0, clock.now() - since);
    },
    use(next) {
      target = next;
      isOver = !next.isActive;
    },
    end() {
      isOver = true;
    },
    async round() {
      if ((await load()) === undefined || isStopped()) return false;
      const due = dueLanes();
      await inParallel(due, atOnce(), retry);
      if (due.length > 0) await save({});
      let isMore = due.length >= LANES_PER_ROUND;
      for (let which = 0; which < reader.logs; which += 1) isMore = (await nextPage(which)) || isMore;
      return (await replayPage()) || isMore;
    },
  };
}

/** Runs a task for each item, so many at once. After a failure no more are begun, and it rejects when all have ended. */
async function inParallel<Item>(
  items: readonly Item[],
  atOnce: number,
  task: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const work = async () => {
    for (const item of { [Symbol.iterator]: () => rest }) {
      if (failure !== undefined) return;
      await task(item).catch((error: unknown) => {
        failure ??= { error };
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  if (failure !== undefined) throw failure.error;
}

/** A place for a new target: at the end of the logs, as they are now. */
export async function beginPlace(
  { reader, places }: Pick<RunnerNeeds, 'reader' | 'places'>,
  id: string,
): Promise<readonly number[]> {
  const positions = await reader.ends();
  await places.update(id, (there) => there ?? newPlace(positions));
  return positions;
}
