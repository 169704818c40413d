/**
 * Wrong secrets for one device, over all customers and addresses (rule C6): a short secret must not fall to many who guess
 * together. After so many the device waits, twice as long each time.
 *
 * It must not become a way to lock the rightful customer out, who may mistype. So the first failure of each customer at this
 * device counts against nobody else, and the next two in a budget of their own, which does not grow scarce: its time does not
 * double. Only then does the customer wait with the others. Who guesses right uses up neither.
 *
 * Counted by device and not by window, or whoever can make a device open its window anew would guess anew. A day without a wait
 * takes one doubling back, and three without a failure of its own make a customer new. All of it is in memory, and other
 * processes hear of it over the bus, so a claim of a device that nobody guesses at costs a look into a map. A process that has
 * just started knows nothing of what was before.
 */
import type { CustomerId, DeviceId } from '../base/ids.ts';
import { type Counted, type Counter, memoryCounter } from '../limits/counters.ts';
import type { Bus } from './bus.ts';

export interface WindowGuessSettings {
  /** Wrong secrets until a device waits, and within a minute of newcomers who have failed before; 0: no limit. */
  readonly max: number;
  /** How long it waits the first time. */
  readonly firstWaitMs: number;
}

/** A device waits from now on. */
export interface Waits {
  /** What it is counted under: a device's id, or for no device what was asked for. */
  readonly key: string;
  readonly waitMs: number;
  /** Whether this process counted the failure that was one too many: then it tells whoever is to be told once. */
  readonly isOurs: boolean;
}

export interface WindowGuesses {
  readonly settings: WindowGuessSettings;
  /** Whether this customer has used up its own failures at this device, and waits with the others. */
  isOfCrowd(key: DeviceId | string, customer: CustomerId): boolean;
  /** Whether this customer has failed at this device, as far as that is remembered. */
  hasFailed(key: DeviceId | string, customer: CustomerId): boolean;
  /** The customer has failed at this device. */
  noteFailure(key: DeviceId | string, customer: CustomerId): void;
  /** Failures of customers who have used up their own; `max` while it waits. */
  readonly crowd: Counter;
  /** Failures of customers who had not, but had failed before: they do not wait with the others. */
  readonly newcomers: Counter;
  /** Calls the listener whenever a device begins to wait, whoever counted it. */
  onWait(listener: (waits: Waits) => void): void;
}

export const NEWCOMERS_WINDOW_MS = 60_000;
/** How often a customer may mistype at a device before it waits with the others. */
const OWN_FAILURES_MAX = 3;
/** So long after the last of them they are forgotten: long enough that many who act together gain little by resting. */
const FORGIVEN_AFTER_MS = 72 * 3_600_000;
/** After so long one doubling is taken back, and a device without any is forgotten. */
const EASES_AFTER_MS = 24 * 3_600_000;
/** Customers remembered, counted for each device; 100 bytes each. Beyond it the devices that failed longest ago are forgotten. */
const REMEMBERED_MAX = 200_000;
/** Of one device; where so many have failed, nobody is a newcomer any more. */
const CUSTOMERS_MAX = 1_000;
/** Doubling stops here: a year, by default. */
const DOUBLINGS_MAX = 19;
const TOPIC = 'window-guesses';

interface Guessed {
  /** Since the last wait. */
  failures: number;
  waits: number;
  waitsUntil: number;
  /** The one whose last own failure is the oldest comes first. */
  readonly customers: Map<string, OwnFailures>;
}

interface OwnFailures {
  readonly count: number;
  readonly lastAt: number;
}

/** How long the nth wait of a device is, counted from 1. */
export function waitOf(nth: number, firstWaitMs: number): number {
  return firstWaitMs * 2 ** Math.min(nth - 1, DOUBLINGS_MAX);
}

/**
 * How many wrong secrets can be tried within a window at most, by so many customers who act together and lose no time.
 * RULES.md has its table from here.
 */
export function guessesWithin(windowMs: number, customers: number, settings: WindowGuessSettings): number {
  const { max, firstWaitMs } = settings;
  if (max === 0) return Number.POSITIVE_INFINITY;
  const days = Math.floor(windowMs / FORGIVEN_AFTER_MS);
  const first = customers * (days + 1);
  const own = first * (OWN_FAILURES_MAX - 1);
  const newcomers = Math.min(own, max * Math.ceil(windowMs / NEWCOMERS_WINDOW_MS));
  return max * (waitsWithin(windowMs, firstWaitMs) + 1) + first + newcomers;
}

/** How many waits there is time for, whether the guessers press on or rest for days to have shorter ones. */
function waitsWithin(windowMs: number, firstWaitMs: number): number {
  /** For each number of doublings, how soon it can be there after so many waits. */
  let soonest: readonly number[] = [0];
  for (let waits = 0; ; waits += 1) {
    const next = [
      Number.POSITIVE_INFINITY,
      ...soonest.map((at, level) => at + waitOf(level + 1, firstWaitMs)),
    ];
    for (let level = next.length - 2; level >= 0; level -= 1) {
      next[level] = Math.min(
        next[level] ?? Number.POSITIVE_INFINITY,
        (next[level + 1] ?? 0) + EASES_AFTER_MS,
      );
    }
    if (Math.min(...next) >= windowMs) return waits;
    soonest = next;
  }
}

/** @param now milliseconds of a clock that is never set */
export function createWindowGuesses(
  settings: WindowGuessSettings,
  bus: Bus,
  now: () => number = () => performance.now(),
  rememberedMax = REMEMBERED_MAX,
): WindowGuesses {
  const { max, firstWaitMs } = settings;
  /** The one whose last failure is the oldest comes first. */
  const guessed = new Map<string, Guessed>();
  const listeners: ((waits: Waits) => void)[] = [];
  const newcomers = memoryCounter({ windowMs: NEWCOMERS_WINDOW_MS }, rememberedMax, now);
  let remembered = 0;

  function find(key: string): Guessed | undefined {
    const found = guessed.get(key);
    const quiet = found === undefined ? 0 : Math.floor((now() - found.waitsUntil) / EASES_AFTER_MS);
    if (found === undefined || quiet < 1) return found;
    forgive(found.customers);
    if (found.waits <= quiet && found.customers.size === 0) {
      forget(key);
      return undefined;
    }
    if (found.waits <= quiet) found.failures = 0;
    found.waits = Math.max(0, found.waits - quiet);
    found.waitsUntil += quiet * EASES_AFTER_MS;
    return found;
  }

  function forget(key: string): void {
    remembered -= 1 + (guessed.get(key)?.customers.size ?? 0);
    guessed.delete(key);
  }

  function touch(key: string): Guessed {
    const found = find(key) ?? {
      failures: 0,
      waits: 0,
      waitsUntil: now(),
      customers: new Map<string, OwnFailures>(),
    };
    if (!guessed.delete(key)) remembered += 1;
    guessed.set(key, found);
    for (const oldest of guessed.keys()) {
      if (remembered <= rememberedMax || oldest === key) break;
      forget(oldest);
    }
    return found;
  }

  function addToCrowd(key: string, isOurs: boolean): void {
    const found = touch(key);
    found.failures += 1;
    if (found.failures < max) return;
    found.failures = 0;
    found.waits += 1;
    const waitMs = waitOf(found.waits, firstWaitMs);
    found.waitsUntil = now() + waitMs;
    for (const listener of listeners) listener({ key, waitMs, isOurs });
  }

  function note(key: string, customer: string): void {
    const { customers } = touch(key);
    forgive(customers);
    const before = customers.get(customer);
    if (before === undefined && customers.size >= CUSTOMERS_MAX) return;
    if (!customers.delete(customer)) remembered += 1;
    customers.set(customer, { count: (before?.count ?? 0) + 1, lastAt: now() });
  }

  function forgive(customers: Map<string, OwnFailures>): void {
    for (const [customer, { lastAt }] of customers) {
      if (now() - lastAt < FORGIVEN_AFTER_MS) return;
      customers.delete(customer);
      remembered -= 1;
    }
  }

  bus.subscribe(TOPIC, ({ key, crowd, customer }) => {
    if (typeof key !== 'string') return;
    if (typeof customer === 'string') note(key, customer);
    else if (crowd === true) addToCrowd(key, false);
    else void newcomers.add(key);
  });

  function countOf(key: string): Counted {
    const found = find(key);
    const waitMs = found === undefined ? 0 : Math.ceil(found.waitsUntil - now());
    if (waitMs > 0) return { count: max, resetsInMs: waitMs };
    return { count: found?.failures ?? 0, resetsInMs: firstWaitMs };
  }

  function rememberedAt(key: string): ReadonlyMap<string, OwnFailures> {
    const customers = find(key)?.customers ?? new Map<string, OwnFailures>();
    forgive(customers);
    return customers;
  }

  return {
    settings,
    hasFailed: (key, customer) => rememberedAt(key).has(customer),

    isOfCrowd(key, customer) {
      const customers = rememberedAt(key);
      const own = customers.get(customer);
      return own === undefined ? customers.size >= CUSTOMERS_MAX : own.count >= OWN_FAILURES_MAX;
    },

    noteFailure(key, customer) {
      bus.publish(TOPIC, { key, customer });
      note(key, customer);
    },

    crowd: {
      get: async (key) => countOf(key),
      known: countOf,
      add(key) {
        bus.publish(TOPIC, { key, crowd: true });
        addToCrowd(key, true);
        return Promise.resolve(countOf(key));
      },
    },

    newcomers: {
      ...newcomers,
      add(key) {
        bus.publish(TOPIC, { key });
        return newcomers.add(key);
      },
    },

    onWait: (listener) => void listeners.push(listener),
  };
}
