/**
 * `WORKERS=n`: several processes over one LMDB environment, for machines with several cores. This process, their
 * supervisor, holds the folder's lock, shares the connections out (`spread.ts`), passes messages between
 * the workers, restarts a worker that dies, and passes signals on. It serves no requests.
 *
 * The store keeps the workers correct (a head moves only from its expected version), not the supervisor. If it is
 * killed, they end too.
 */
import cluster, { type Worker } from 'node:cluster';
import { isJsonObject, type JsonObject } from '../../actors/base/json.ts';
import { ListenError } from '../../actors/sockets/listen.ts';
import type { ProcessLog } from '../compose/log.ts';
import { StartRefused } from '../compose/refusal.ts';
import { type OpenedStore, openStore } from '../compose/store.ts';
import { startMetrics } from '../metrics/server.ts';
import type { Config } from '../options/schema.ts';
import { CLOSING_MS, endAtOnce, FAULT, MISUSE, printLine, REFUSED, SAME_SIGNAL_MS } from './exit.ts';
import { Spread } from './spread.ts';
import { isParcel } from './worker-bus.ts';
import { WorkerFigures } from './worker-figures.ts';
import { ALIVE_QUESTION, ASK_EVERY_MS, isAlive, statesMessage, UNANSWERED_MAX } from './worker-states.ts';

/** Carries the number of a worker, from 1. */
const NUMBER_VARIABLE = 'CLAIMD_WORKER';
/** Back-off before a worker is restarted: from the first to the second, doubling. */
const RESTART_MS = 100;
const RESTART_MAX_MS = 10_000;
/** A worker that lived for this long starts with the shortest back-off again. */
const STEADY_MS = 60_000;
/** At the start of the server: so often a worker may die before it is ready. With the pauses between them that is 6 s. */
const START_DEATHS_MAX = 7;
/** How long a worker may be starting before the log says so; then again and again. It may be lifting older data. */
const SLOW_START_MS = 30_000;
/** A worker that does not stop is killed this long after its own limits. */
const GRACE_MS = 1_000;

/** The number of this worker; undefined: this process is none. */
export function workerNumber(): number | undefined {
  return cluster.isWorker ? Number(process.env[NUMBER_VARIABLE]) : undefined;
}

/**
 * In a worker: ends it when its supervisor is gone. Node would do so by `process.exit`, which waits for the thread that writes: that
 * may wait for the disk, or never end where it was in the middle of a transaction. The worker would stay, with the store's lock.
 */
export function endWithSupervisor(): void {
  cluster.worker?.once('disconnect', endAtOnce); // comes right before Node's own end
}

/** Tells the supervisor that this worker serves. */
export function workerReady(addresses: object): void {
  process.send?.({ type: 'ready', addresses });
}

/** Runs the workers until the process ends, which it does by itself. */
export async function supervise(config: Config, log: ProcessLog, more: JsonObject): Promise<void> {
  const supervisor = new Supervisor(config, log, more, await lockStore(config, log));
  await supervisor.listen(config);
  supervisor.start();
}

interface Slot {
  readonly number: number;
  worker: Worker | undefined;
  startedAt: number;
  /** Deaths in a row. */
  deaths: number;
  ready: boolean;
  /** SIGHUP came before it was ready: the signal would have ended it. */
  outdated: boolean;
  /** Asked for a sign of life so often since the last one. */
  unanswered: number;
  /** Until it is started again. */
  restart: NodeJS.Timeout | undefined;
}

/** How a worker ended. */
interface Death {
  readonly code: number | null;
  readonly signal: string | null;
  /** It could not even be started. */
  readonly why?: string;
}

class Supervisor {
  readonly #log: ProcessLog;
  /** What the log says once all serve, beside the addresses. */
  readonly #more: JsonObject;
  readonly #store: OpenedStore | undefined;
  readonly #drainMs: number;
  readonly #slots: readonly Slot[];
  readonly #startedAt = performance.now();
  readonly #figures = new WorkerFigures();
  readonly #spread = new Spread();
  #addresses: JsonObject = {};
  /** All workers have been ready once. */
  #served = false;
  #stoppingSince: number | undefined;
  #stopSignal: NodeJS.Signals | undefined;
  #exitCode = 0;

  constructor({ system }: Config, log: ProcessLog, more: JsonObject, store: OpenedStore | undefined) {
    this.#log = log;
    this.#more = more;
    this.#store = store;
    this.#drainMs = system.drainMs;
    this.#slots = Array.from({ length: system.workers }, (_, at) => ({
      number: at + 1,
      worker: undefined,
      startedAt: 0,
      deaths: 0,
      ready: false,
      outdated: false,
      unanswered: 0,
      restart: undefined,
    }));
  }

  /** Tells the figures of all workers, if that is asked for. Ends the process if it cannot listen. */
  async listen({ metrics }: Config): Promise<void> {
    if (!metrics.enabled) return;
    const workers = () =>
      this.#slots.flatMap(({ ready, worker, number }) => (ready && worker ? [{ number, worker }] : []));
    try {
      const { listening } = await startMetrics(metrics, () => this.#figures.read(workers()), this.#log);
      this.#addresses = { metrics: { ...listening } };
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      printLine(`claimd does not start: ${error.message}`);
      this.#log.flush();
      process.exit(REFUSED);
    }
  }

  /** Starts the first worker. It does what is done once (the first administrator) and shows if the ports are free. */
  start(): void {
    process.on('SIGTERM', (signal) => this.#onSignal(signal));
    process.on('SIGINT', (signal) => this.#onSignal(signal));
    process.on('SIGHUP', () => this.#reload());
    setInterval(() => this.#askAll(), ASK_EVERY_MS);
    const [first] = this.#slots;
    if (first !== undefined) this.#fork(first);
  }

  #fork(slot: Slot): void {
    if (this.#stoppingSince !== undefined) return;
    slot.restart = undefined;
    slot.startedAt = performance.now();
    slot.ready = false;
    slot.outdated = false;
    slot.unanswered = 0;
    const worker = startProcess(slot.number);
    if (worker instanceof Error) {
      this.#onExit(slot, { code: null, signal: null, why: worker.message });
      return;
    }
    slot.worker = worker;
    const tellSlowStart = setInterval(() => this.#tellSlowStart(slot), SLOW_START_MS);
    const connections = this.#spread.join(worker);
    let ended = false;
    const end = (death: Death): void => {
      if (ended) return;
      ended = true;
      clearInterval(tellSlowStart);
      connections.left();
      this.#onExit(slot, death);
    };
    worker.on('message', (message: unknown) => {
      if (isParcel(message)) this.#passOn(slot, message);
      else if (isAlive(message)) this.#onAlive(slot);
      else if (connections.heard(message) || this.#figures.heard(slot.number, message)) return;
      else if (isJsonObject(message) && message.type === 'ready') this.#onReady(slot, message.addresses);
    });
    worker.on('error', (error) => {
      this.#log.error({ err: error, worker: slot.number }, 'a worker cannot be reached');
      // There is no process (too many of them, no memory, no program), so no exit will be heard of.
      if (worker.process.pid === undefined) end({ code: null, signal: null, why: error.message });
    });
    worker.once('exit', (code, signal) => end({ code, signal }));
  }

  #tellSlowStart(slot: Slot): void {
    if (slot.ready) return;
    const forMs = Math.round(performance.now() - slot.startedAt);
    this.#log.warn({ worker: slot.number, forMs }, 'a worker is still starting');
  }

  /** One that is silent gets no parcels, as they would pile up here; a bus may lose them. */
  #passOn(from: Slot, parcel: object): void {
    for (const slot of this.#slots) if (slot !== from && !isSilent(slot)) sendTo(slot, parcel);
  }

  #askAll(): void {
    for (const slot of this.#slots) {
      if (!slot.ready || isSilent(slot)) continue; // its answers to what it was asked are still to come
      slot.unanswered += 1;
      sendTo(slot, ALIVE_QUESTION);
      if (!isSilent(slot)) continue;
      this.#log.warn({ worker: slot.number }, 'a worker does not answer: it is busy, or waits for the disk');
      this.#tellStates();
    }
  }

  #onAlive(slot: Slot): void {
    const wasSilent = isSilent(slot);
    slot.unanswered = 0;
    if (!wasSilent) return;
    this.#log.warn({ worker: slot.number }, 'a worker answers again');
    this.#tellStates();
  }

  /** Whichever of them is asked how the server is answers for all. */
  #tellStates(): void {
    const numbers = (which: (slot: Slot) => boolean) => this.#slots.filter(which).map(({ number }) => number);
    const message = statesMessage({
      ready: numbers((slot) => slot.ready && !isSilent(slot)),
      starting: numbers(({ ready }) => !ready),
      silent: numbers(isSilent),
    });
    for (const slot of this.#slots) if (slot.ready) sendTo(slot, message);
  }

  #onReady(slot: Slot, addresses: unknown): void {
    if (isJsonObject(addresses)) {
      const useful = Object.entries(addresses).filter(
        ([name, address]) => address !== null || !(name in this.#addresses),
      );
      this.#addresses = { ...this.#addresses, ...Object.fromEntries(useful) };
    }
    slot.ready = true;
    if (slot.outdated) slot.worker?.process.kill('SIGHUP');
    this.#tellStates();
    if (this.#served) return;
    for (const other of this.#slots) {
      if (other.worker === undefined && other.restart === undefined) this.#fork(other);
    }
    if (!this.#slots.every(({ ready }) => ready)) return;
    this.#served = true;
    const startMs = Math.round(performance.now() - this.#startedAt);
    this.#log.info({ ...this.#addresses, ...this.#more, workers: this.#slots.length, startMs }, 'ready');
  }

  #onExit(slot: Slot, death: Death): void {
    // A signal to stop ends a worker that does not listen for signals yet.
    const asAsked = death.code === 0 || (!slot.ready && death.signal === this.#stopSignal);
    slot.worker = undefined;
    slot.ready = false;
    this.#figures.died(slot.number);
    if (this.#stoppingSince !== undefined) {
      if (!asAsked) this.#exitCode = FAULT;
      if (this.#slots.every(({ worker }) => worker === undefined)) void this.#end();
      return;
    }
    slot.deaths = performance.now() - slot.startedAt > STEADY_MS ? 1 : slot.deaths + 1;
    if (!this.#served && this.#endsTheStart(slot, death)) {
      this.#stop('SIGTERM');
      return;
    }
    const delayMs = Math.min(RESTART_MS * 2 ** (slot.deaths - 1), RESTART_MAX_MS);
    const { deaths, number } = slot;
    this.#log.error({ worker: number, ...death, deaths, delayMs }, 'a worker died; it is restarted');
    slot.restart = setTimeout(() => this.#fork(slot), delayMs);
    this.#tellStates();
  }

  /**
   * Whether a worker that died before all have served once ends the start of the server. A worker that was killed or met a
   * fault is tried again; one that says that it cannot start (a port in use, a bad option) is not.
   */
  #endsTheStart({ number, deaths }: Slot, { code, signal, why }: Death): boolean {
    if (code === REFUSED || code === MISUSE) {
      this.#exitCode = code; // it has said why
      return true;
    }
    if (deaths < START_DEATHS_MAX) return false;
    this.#exitCode = FAULT;
    const how = why ?? (signal === null ? `with exit code ${code}` : `by ${signal}`);
    this.#log.error({ worker: number, code, signal, why, deaths }, 'the start is given up');
    printLine(
      `claimd does not start: worker ${number} ended ${deaths} times in a row before all served (${how})`,
    );
    return true;
  }

  /** The first signal drains and stops the workers; a second one ends them at once. */
  #onSignal(signal: NodeJS.Signals): void {
    if (this.#stoppingSince === undefined) {
      this.#log.info({ signal }, 'stopping the workers');
      this.#stop(signal);
    } else if (performance.now() - this.#stoppingSince > SAME_SIGNAL_MS) {
      this.#log.warn({ signal }, 'ending at once');
      this.#endAtOnce();
    }
  }

  #reload(): void {
    for (const slot of this.#slots) {
      if (slot.ready) slot.worker?.process.kill('SIGHUP');
      else slot.outdated = true;
    }
  }

  #stop(signal: NodeJS.Signals): void {
    this.#stoppingSince = performance.now();
    this.#stopSignal = signal;
    const alive = this.#slots.flatMap(({ worker }) => worker ?? []);
    if (alive.length === 0) void this.#end();
    for (const worker of alive) worker.process.kill(signal);
    const tooLate = (): void => {
      this.#log.error({ drainMs: this.#drainMs }, 'stopping took too long');
      this.#endAtOnce();
    };
    setTimeout(tooLate, this.#drainMs + CLOSING_MS + GRACE_MS).unref();
  }

  async #end(): Promise<void> {
    await this.#store?.close();
    const stopMs = Math.round(performance.now() - (this.#stoppingSince ?? performance.now()));
    this.#log.info({ stopMs }, 'all workers stopped');
    this.#log.flush();
    process.exit(this.#exitCode);
  }

  #endAtOnce(): never {
    for (const { worker } of this.#slots) worker?.process.kill('SIGKILL');
    this.#log.flush();
    endAtOnce();
  }
}

function isSilent({ ready, unanswered }: Slot): boolean {
  return ready && unanswered >= UNANSWERED_MAX;
}

function sendTo({ worker }: Slot, message: object): void {
  // An error means that it is ending.
  if (worker?.isConnected() === true) worker.process.send?.(message, undefined, undefined, () => {});
}

/** @returns the error of the system if there cannot be another process */
function startProcess(number: number): Worker | Error {
  try {
    return cluster.fork({ [NUMBER_VARIABLE]: String(number) });
  } catch (error) {
    const isRefused =
      error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn');
    if (!isRefused) throw error;
    return error;
  }
}

/** Holds the store's folder for the workers. Ends the process if it cannot. */
async function lockStore(config: Config, log: ProcessLog): Promise<OpenedStore | undefined> {
  if (!usesFolder(config)) return undefined;
  try {
    return await openStore(config, 'alone', log);
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    printLine(`claimd does not start: ${error.message}`);
    log.flush();
    process.exit(REFUSED);
  }
}

function usesFolder({ store: { url } }: Config): boolean {
  return url === undefined || url.startsWith('lmdb:');
}
