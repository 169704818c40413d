/**
 * The dispatcher: one more projection of the journal, which is the outbox. It reads behind what is committed and sends it to whoever
 * wants it, each target in a loop of its own (`runner.ts`). Nothing of it is on the way of a claim: it can lag, fail or be
 * switched off, and then goes on where it stopped.
 *
 * Of several processes on one store, the holder of a lease does it. If two do for a moment, some messages go out twice, under the same
 * ids and in the same order.
 */
import type { Cancel, Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { createReadableLog } from '../device/readable-log.ts';
import { ifUnavailable, logUnavailable, StoreUnavailable } from '../journal/unavailable.ts';
import { createLease, LEASE_MS } from '../records/lease.ts';
import { eachMember } from '../records/pages.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Store } from '../store/store.ts';
import { createAttempts } from './attempts.ts';
import { createKnownDevices, type ProfileOf } from './known-devices.ts';
import type { Target, Targets } from './message.ts';
import { createParking } from './parking.ts';
import { openNeededLogs, openPlaces } from './places.ts';
import { createMessageReader } from './reader.ts';
import { beginPlace, createRunner, type Runner } from './runner.ts';
import { createSlots } from './slots.ts';

/** Between two looks at the logs. */
const POLL_MS = 250;
/** Between two looks at which targets there are. */
const TARGETS_EVERY_MS = 2_000;
/** Between two notes of which logs are still needed. */
const NEEDED_EVERY_MS = 5_000;
/** How long a stop waits for what is under way. */
const LAST_MS = 1_000;
/** The rest after each page of a target: claims go first. */
const REST_MS = 20;
/** Targets that were removed, in the order of their ids. */
const GONE = 'outbox-gone';
const GONE_AT_ONCE = 100;
/** For so long something of a removed target may be under way in some process: longer than any request may take. */
const GONE_FOR_MS = 10 * 60_000;
const SWEEP_EVERY_MS = 30_000;

export interface DispatcherNeeds {
  readonly store: Store;
  readonly profileOf: ProfileOf;
  readonly clock: Clock;
  readonly log: Log;
  /** Between 0 and 1. */
  readonly chance: () => number;
}

export interface DispatcherFigures {
  /** How long the oldest message has waited that some target is to have. */
  readonly lagMs: number;
  readonly delivered: number;
  readonly failed: number;
  /** Records that could not be read, and of which nobody outside hears. */
  readonly steppedOver: number;
}

export interface Dispatcher {
  start(): void;
  stop(): Promise<void>;
  figures(): DispatcherFigures;
}

/** What others than the dispatcher use of the same records. */
export type OutboxParts = ReturnType<typeof openOutbox>;

export function openOutbox({ store, profileOf, clock, log }: DispatcherNeeds) {
  const readable = createReadableLog(store.journal, clock, log);
  const reader = createMessageReader(
    store.journal,
    readable,
    createKnownDevices(store.journal, readable, profileOf),
    clock,
  );
  const places = openPlaces(store);
  const parking = createParking(store);
  const attempts = createAttempts(store);
  const needed = openNeededLogs(store);

  async function forget(id: string): Promise<void> {
    await places.remove(id);
    await parking.forget(id);
    await attempts.forget(id);
  }

  return {
    readable,
    reader,
    places,
    parking,
    attempts,
    needed,

    slots: createSlots(),

    /** A new target gets what happens from now on. Once it resolves, none of it is skipped, whatever the clocks of other nodes say. */
    async begin(id: string): Promise<void> {
      await needed.add(await beginPlace({ reader, places }, id));
    },

    /**
     * A target is about to be removed: whatever ends in between, all that is kept of it goes. What is under way may write some of it
     * again for a while, in whichever process, so the dispatcher sweeps behind it.
     */
    noteGone: (id: string): Promise<void> => store.index.add(GONE, id),

    /** Removes all that is kept of a target. */
    forget,

    /** Whether there are targets to be swept. */
    hasGone: async (): Promise<boolean> => (await store.index.count(GONE)) > 0,

    /** The targets that were noted as gone. */
    gone: () => eachMember(store.index, GONE, GONE_AT_ONCE),

    /** Nothing of it is under way any more. */
    forgetGone: (id: string): Promise<void> => store.index.remove(GONE, id),
  };
}

export function createDispatcher(needs: DispatcherNeeds, parts: OutboxParts, targets: Targets): Dispatcher {
  const { store, clock, log } = needs;
  const lease = createLease(store, clock, 'outbox', LEASE_MS);
  const { needed, slots } = parts;
  const runners = new Map<string, Runner>();
  const running = new Map<Runner, Promise<void>>();
  /** Targets that are gone, and since when this process knows it. */
  const goneSince = new Map<string, number>();
  let counts = { delivered: 0, failed: 0 };
  let heldUntil = Number.NEGATIVE_INFINITY;
  let lookAt = Number.NEGATIVE_INFINITY;
  let tellAt = Number.NEGATIVE_INFINITY;
  let sweepAt = Number.NEGATIVE_INFINITY;
  let cancel: Cancel | undefined;
  let ticking: Promise<void> = Promise.resolve();
  let stopped = false;

  const mayGoOn = () => !stopped && clock.elapsed() < heldUntil;

  /** Whether this process is the one that sends; then it may go on for a while. */
  async function hold(): Promise<boolean> {
    const askedAt = clock.elapsed();
    const isHeld = await lease.hold();
    heldUntil = isHeld ? askedAt + LEASE_MS / 2 : Number.NEGATIVE_INFINITY;
    return isHeld;
  }

  /** All targets. To go through them may take longer than the lease holds, so it is renewed on the way. */
  async function* allHeld(): AsyncGenerator<Target, void> {
    for await (const target of targets.all()) {
      const isHeld = heldUntil !== Number.NEGATIVE_INFINITY;
      if (isHeld && clock.elapsed() >= heldUntil - LEASE_MS / 4) await hold();
      yield target;
    }
  }

  /** Those that there are now have runners, and no others; nothing is kept of those that are gone. */
  async function look(): Promise<void> {
    const found = new Set<string>();
    for await (const target of allHeld()) {
      found.add(target.id);
      use(target);
    }
    for (const [id, runner] of runners) {
      if (found.has(id)) continue;
      runners.delete(id);
      runner.end();
      // Not waited for: its counterpart may hang, and others would wait with it.
      void Promise.resolve(running.get(runner))
        .then(() => parts.forget(id))
        .catch(complain);
    }
    await sweep(found);
  }

  /** Removes what is left of targets that are gone: at once, and for the last time when nothing of them is under way any more. */
  async function sweep(found: ReadonlySet<string>): Promise<void> {
    const now = clock.elapsed();
    if (now < sweepAt) return;
    sweepAt = now + SWEEP_EVERY_MS;
    for await (const id of parts.gone()) {
      if (found.has(id)) continue; // its removal was broken off: it is there still
      const since = goneSince.get(id);
      if (since !== undefined && now - since < GONE_FOR_MS) continue;
      await parts.forget(id);
      if (since === undefined) goneSince.set(id, now);
      else {
        await parts.forgetGone(id);
        goneSince.delete(id);
      }
    }
  }

  /** Whether there is anything to do for whoever has the lease. */
  async function hasWork(): Promise<boolean> {
    for await (const _ of targets.all()) return true;
    return parts.hasGone();
  }

  function use(target: Target): void {
    const runner = runners.get(target.id);
    if (runner !== undefined) {
      runner.use(target);
      return;
    }
    const made = createRunner(target, {
      ...needs,
      ...parts,
      slots,
      mayGoOn,
      disable: targets.disable,
      onAttempt(isDelivered) {
        if (isDelivered) counts = { ...counts, delivered: counts.delivered + 1 };
        else counts = { ...counts, failed: counts.failed + 1 };
      },
    });
    made.use(target);
    runners.set(target.id, made);
  }

  /** The least of the places of all targets, in each log. */
  async function leastPositions(): Promise<readonly number[] | undefined> {
    let least: readonly number[] | undefined;
    for await (const { id } of allHeld()) {
      const positions = (await parts.places.get(id))?.positions;
      if (positions === undefined) continue;
      least = least?.map((position, which) => Math.min(position, positions[which] ?? 0)) ?? positions;
    }
    return least;
  }

  async function run(runner: Runner): Promise<void> {
    try {
      while (mayGoOn() && (await runner.round())) {
        await new Promise<void>((rested) => clock.after(REST_MS, rested));
      }
    } catch (error) {
      complain(error);
    }
  }

  function complain(error: unknown): void {
    if (stopped && error instanceof StoreUnavailable) return; // what is under way is sent again by the next start
    if (error instanceof StoreUnavailable) {
      const message = 'what is told by webhooks, mail and the external broker waits: the store is away';
      logUnavailable(log, 'warn', performance.now(), { err: error }, message);
    } else reportBug(log, 'outbox', error);
  }

  async function tick(): Promise<void> {
    const now = clock.elapsed();
    if (runners.size === 0) {
      if (now < lookAt) return;
      lookAt = now + TARGETS_EVERY_MS;
      // Who has no targets pays for no lease.
      if (!(await hasWork())) return needed.tell(leastPositions);
      lookAt = now;
    }
    if (!(await hold())) {
      for (const runner of runners.values()) runner.end(); // what is under way does not go on once the lease is back
      runners.clear(); // whoever has the lease knows more than they do
      lookAt = now + TARGETS_EVERY_MS;
      return;
    }
    // Behind the look: however long it takes, there is time to send before the next.
    if (now >= lookAt) {
      await look();
      lookAt = clock.elapsed() + TARGETS_EVERY_MS;
    }
    if (now >= tellAt) {
      await needed.tell(leastPositions);
      tellAt = clock.elapsed() + NEEDED_EVERY_MS;
    }
    for (const runner of runners.values()) {
      if (runner.isIdle || running.has(runner)) continue;
      running.set(
        runner,
        run(runner).finally(() => running.delete(runner)),
      );
    }
  }

  function wake(delayMs: number): void {
    if (stopped) return;
    cancel = clock.after(delayMs, () => {
      ticking = tick()
        .catch(complain)
        // Without targets there is nothing to do before the next look at which there are.
        .then(() => wake(runners.size > 0 ? POLL_MS : Math.max(POLL_MS, lookAt - clock.elapsed())));
    });
  }

  return {
    start: () => wake(0),
    figures: () => ({
      ...counts,
      lagMs: Math.max(0, ...[...runners.values()].map(({ lagMs }) => lagMs)),
      steppedOver: parts.readable.steppedOver,
    }),
    async stop() {
      stopped = true;
      cancel?.();
      await ticking;
      const ends = Promise.allSettled(running.values());
      await Promise.race([ends, new Promise<void>((enough) => clock.after(LAST_MS, enough))]);
      await lease.release().catch(ifUnavailable(() => {})); // then it runs out by itself
    },
  };
}
