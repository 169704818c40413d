/**
 * Which worker gets a connection: the one that holds the fewest of that port. Devices stay connected for days, so what is uneven stays
 * uneven.
 *
 * node:cluster listens, and hands a connection to whichever worker has confirmed the one before; one that is busy for a moment gets
 * none meanwhile. This stands between the two: it sends what node:cluster hands to one worker to the one that it chooses itself.
 * A worker still has one unconfirmed connection at a time, so one that stands still holds up one. While the one with the fewest is busy, others get
 * a little ahead; beyond that, connections wait for it, as long as patience goes.
 *
 * It also ends what node:cluster (Node 20 to 24) leaves for ever: a connection on its way to a worker that dies is kept open, and one
 * that all workers refuse, because they hold as many as they may, goes round and round. Both are closed. So is one that all refuse but
 * such as stand still: it would keep others from being handed on. One that a worker cannot receive, as it has too many open files, is
 * forgotten by Node, and the worker waited for; it counts as refused.
 *
 * This watches messages that Node does not document (`newconn`, `seq`, `ack`, `accepted`, `NODE_HANDLE_NACK`). Should they change,
 * this file does nothing any more, node:cluster's own turns are left, and test/processes/canary.test.ts fails.
 */
import type { Worker } from 'node:cluster';
import { isJsonObject } from '../../actors/base/json.ts';
import { whenConnectionsEnd } from '../../actors/sockets/listen.ts';

/** So many more than a busy worker another one may hold before connections wait: at least, and as a share of what the busy one holds. */
const LEAD_MIN = 32;
const LEAD_SHARE = 1 / 8;
/** A worker that has been busy for longer than this is not waited for. */
const PATIENCE_MS = 1_000;
/** The share of passing time that comes back as patience. A worker that is slow for good slows the others down by so much at most. */
const PATIENCE_BACK = 1 / 10;
/** So long a worker is waited for without any patience left: an idle one confirms in less. */
const MOMENT_MS = 5;
/** How late a worker tells that connections have ended: so soon that a thousand short ones a second look like few. */
const TELL_WITHIN_MS = 20;

/** A worker, as it looks to one connection. */
export interface Candidate {
  /** Connections of the port in question, with those on their way. */
  readonly held: number;
  /** The greater, the later it was given its last connection. */
  readonly turn: number;
  /** How long it has not confirmed a connection; undefined: it would take one at once. */
  readonly busyMs: number | undefined;
}

/** @returns who gets the connection; undefined: it waits */
export function choose<C extends Candidate>(candidates: readonly C[], isPatient: boolean): C | undefined {
  const free = fewest(candidates.filter(({ busyMs }) => busyMs === undefined));
  if (free === undefined) return undefined;
  const longest = isPatient ? PATIENCE_MS : MOMENT_MS;
  const awaited = fewest(candidates.filter(({ busyMs }) => (busyMs ?? 0) < longest));
  const lead = free.held - (awaited?.held ?? free.held);
  return lead < LEAD_MIN + (awaited?.held ?? 0) * LEAD_SHARE ? free : undefined;
}

/** Whether nobody will take a connection: there is nobody, or somebody refused it and the others stand still. */
export function isHopeless(candidates: readonly Candidate[], isRefused: boolean): boolean {
  return candidates.every(({ busyMs }) => isRefused && busyMs !== undefined && busyMs >= PATIENCE_MS);
}

function fewest<C extends Candidate>(candidates: readonly C[]): C | undefined {
  return candidates.reduce<C | undefined>((least, one) => {
    const isLess = least === undefined || one.held < least.held;
    return isLess || (one.held === least.held && one.turn < least.turn) ? one : least;
  }, undefined);
}

/** A budget for all waits for busy workers together: what they take is gone, and comes back slowly. */
export class Patience {
  #leftMs = PATIENCE_MS;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  leftMs(now: number): number {
    this.#leftMs = Math.min(PATIENCE_MS, this.#leftMs + (now - this.#at) * PATIENCE_BACK);
    this.#at = now;
    return this.#leftMs;
  }

  spend(ms: number, now: number): void {
    this.#leftMs = Math.max(0, this.leftMs(now) - ms);
  }
}

interface Handle {
  close(): void;
  getsockname(out: object): unknown;
}

/** A connection on its way. */
interface Arrival {
  readonly seq: unknown;
  readonly port: number;
  readonly handle: Handle;
  /** As node:cluster sends it. */
  readonly sent: readonly unknown[];
  /** Tells node:cluster that it is over and done with: it closes its copy, and hands on the next one. */
  readonly finish: () => void;
  /** Tells that this worker does not take it. */
  readonly refuse: (by: Worker['process']) => void;
}

/** The supervisor's end of the connections of a worker. */
export interface Member {
  /** A message of the worker. @returns whether it was about its connections */
  heard(message: unknown): boolean;
  /** It has exited. Connections that it has not confirmed are closed. */
  left(): void;
}

/** A worker as its supervisor knows it. */
interface KnownWorker {
  readonly send: (...all: unknown[]) => unknown;
  readonly isConnected: () => boolean;
  /** Ports on which it listens, as far as is known. */
  readonly listens: Set<number>;
  /** By port: connections that it took, and how many of them have ended. */
  readonly taken: Map<number, number>;
  ended: ReadonlyMap<number, number>;
  /** By `seq`. */
  readonly unconfirmed: Map<unknown, Arrival>;
  unconfirmedSince: number;
  turn: number;
}

/** In the supervisor. */
export class Spread {
  readonly #workers = new Set<KnownWorker>();
  /** No more than node:cluster hands on at a time, which is one for each worker and port. */
  #waiting: readonly Arrival[] = [];
  /** Who listens and did not take it. */
  readonly #refused = new WeakMap<Handle, Set<KnownWorker>>();
  readonly #patience = new Patience(performance.now());
  /** Since when something waits although somebody would take it. */
  #heldBackSince: number | undefined;
  #losingPatience: NodeJS.Timeout | undefined;
  /** For those that were refused and wait for the rest. */
  #losingHope: NodeJS.Timeout | undefined;
  #turns = 0;

  join(worker: Worker): Member {
    const { process: child } = worker;
    const send = child.send.bind(child) as (...all: unknown[]) => boolean; // with the arguments that cluster passes
    const known: KnownWorker = {
      send,
      isConnected: () => worker.isConnected(),
      listens: new Set(),
      taken: new Map(),
      ended: new Map(),
      unconfirmed: new Map(),
      unconfirmedSince: 0,
      turn: 0,
    };
    this.#workers.add(known);
    tellGoneAtOnce(child);
    child.send = (...all: unknown[]) => {
      const [message, handle] = all;
      if (fieldOf(message, 'act') !== 'newconn' || !isHandle(handle)) return send(...all);
      const seq = fieldOf(message, 'seq');
      const port = portOf(handle);
      const answer = (accepted: boolean) => ({ cmd: 'NODE_CLUSTER', ack: seq, accepted });
      const finish = () => void child.emit('internalMessage', answer(true), undefined);
      const refuse = (by: Worker['process']) => void by.emit('internalMessage', answer(false), undefined);
      known.listens.add(port);
      this.#waiting = [...this.#waiting, { seq, port, handle, sent: all, finish, refuse }];
      this.#place();
      return true;
    };
    // Before node:cluster hears it and hands on the next one.
    child.prependListener('internalMessage', (message: unknown) => {
      if (fieldOf(message, 'cmd') === 'NODE_HANDLE_NACK') {
        // After Node's own, which sends what waits behind it.
        for (const { refuse } of known.unconfirmed.values()) setImmediate(refuse, child);
        return;
      }
      const arrival = known.unconfirmed.get(fieldOf(message, 'ack'));
      if (arrival !== undefined) this.#answered(known, arrival, fieldOf(message, 'accepted') === true);
    });
    worker.on('listening', ({ port }) => {
      known.listens.add(port);
      this.#place();
    });
    return {
      heard: (message) => {
        if (!isEnded(message)) return false;
        known.ended = new Map(message.ended);
        this.#place();
        return true;
      },
      left: () => {
        this.#workers.delete(known);
        for (const { finish } of known.unconfirmed.values()) finish();
        known.unconfirmed.clear();
        this.#place();
      },
    };
  }

  #answered(known: KnownWorker, { seq, port, handle }: Arrival, isTaken: boolean): void {
    known.unconfirmed.delete(seq);
    if (isTaken) known.taken.set(port, (known.taken.get(port) ?? 0) + 1);
    else {
      known.listens.delete(port); // until node:cluster says that it still does
      this.#refused.set(handle, (this.#refused.get(handle) ?? new Set()).add(known));
    }
    this.#place();
  }

  #place(): void {
    const now = performance.now();
    const leftMs = this.#patience.leftMs(now) - (now - (this.#heldBackSince ?? now));
    const waiting = this.#waiting;
    this.#waiting = [];
    const stay: Arrival[] = [];
    let isHeldBack = false;
    for (const arrival of waiting) {
      const candidates = this.#candidates(arrival, now);
      const chosen = choose(candidates, leftMs > 0);
      if (chosen !== undefined) this.#give(arrival, chosen.known, now);
      else if (isHopeless(candidates, this.#refused.has(arrival.handle)))
        setImmediate(arrival.finish); // not at once: node:cluster hands on the next one in it
      else {
        stay.push(arrival);
        if (this.#refused.has(arrival.handle)) this.#lookAgainForRefused();
        isHeldBack ||= candidates.some(({ busyMs }) => busyMs === undefined);
      }
    }
    this.#waiting = [...stay, ...this.#waiting];
    this.#holdBack(isHeldBack, leftMs, now);
  }

  #lookAgainForRefused(): void {
    this.#losingHope ??= setTimeout(() => {
      this.#losingHope = undefined;
      this.#place();
    }, PATIENCE_MS);
  }

  #candidates({ port, handle }: Arrival, now: number) {
    const refused = this.#refused.get(handle);
    return [...this.#workers].flatMap((known) => {
      const { listens, taken, ended, unconfirmed, unconfirmedSince, turn } = known;
      if (!listens.has(port) || refused?.has(known) || !known.isConnected()) return [];
      let held = (taken.get(port) ?? 0) - (ended.get(port) ?? 0);
      for (const one of unconfirmed.values()) if (one.port === port) held += 1;
      return [{ known, held, turn, busyMs: unconfirmed.size === 0 ? undefined : now - unconfirmedSince }];
    });
  }

  #give(arrival: Arrival, known: KnownWorker, now: number): void {
    known.unconfirmed.set(arrival.seq, arrival);
    known.unconfirmedSince = now;
    known.turn = ++this.#turns;
    known.send(...arrival.sent);
  }

  #holdBack(isHeldBack: boolean, leftMs: number, now: number): void {
    clearTimeout(this.#losingPatience);
    if (isHeldBack) {
      this.#heldBackSince ??= now;
      // Behind what has arrived meanwhile, as this process may have stood still itself.
      const lookAgain = () => setImmediate(() => this.#place());
      this.#losingPatience = setTimeout(lookAgain, Math.max(MOMENT_MS, leftMs));
    } else if (this.#heldBackSince !== undefined) {
      this.#patience.spend(now - this.#heldBackSince, now);
      this.#heldBackSince = undefined;
    }
  }
}

/**
 * Says that a worker is gone as soon as its channel is. Node waits with that while a connection is on its way there; until then
 * node:cluster hands connections on to it, which go nowhere and are kept open. It hears this once.
 */
function tellGoneAtOnce(child: Worker['process']): void {
  let isConnected = child.connected;
  Object.defineProperty(child, 'connected', {
    configurable: true,
    get: () => isConnected,
    set(now: boolean) {
      const isGone = isConnected && !now;
      isConnected = now;
      if (isGone) child.emit('disconnect');
    },
  });
}

function fieldOf(message: unknown, name: string): unknown {
  return typeof message === 'object' && message !== null ? Reflect.get(message, name) : undefined;
}

function isHandle(value: unknown): value is Handle {
  return ['close', 'getsockname'].every((name) => typeof fieldOf(value, name) === 'function');
}

/** At which it came in. */
function portOf(handle: Handle): number {
  const name = {};
  handle.getsockname(name);
  return Number(fieldOf(name, 'port'));
}

const ENDED = 'ended';

interface Ended {
  readonly type: typeof ENDED;
  /** By port. */
  readonly ended: readonly (readonly [port: number, count: number])[];
}

function isEnded(value: unknown): value is Ended {
  return isJsonObject(value) && value.type === ENDED && Array.isArray(value.ended);
}

/**
 * In a worker: tells its supervisor from now on how many of its connections have ended. To be called before anything listens. While none
 * ends it does nothing.
 */
export function tellEndedConnections(): void {
  const ended = new Map<number, number>();
  let telling: NodeJS.Timeout | undefined;
  const tell = (): void => {
    telling = undefined;
    const message: Ended = { type: ENDED, ended: [...ended] };
    // Without a channel the supervisor is gone, and this process ends too.
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  whenConnectionsEnd((port) => {
    ended.set(port, (ended.get(port) ?? 0) + 1);
    if (telling === undefined) telling = setTimeout(tell, TELL_WITHIN_MS).unref();
  });
}
