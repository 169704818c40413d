/**
 * `WORKERS=n`: several processes over one LMDB environment, for machines with several cores. This process, their
 * supervisor, holds the folder's lock, shares the listening ports out (node:cluster, in turn), passes messages between
 * the workers, restarts a worker that dies, and passes signals on. It serves no requests.
 *
 * The store keeps the workers correct (a head moves only from its expected version), not the supervisor. If it is
 * killed, they end too.
 */
import cluster, { type Worker } from 'node:cluster';
import { isJsonObject, type JsonObject } from '../../actors/base/json.ts';
import type { ProcessLog } from '../compose/log.ts';
import { StartRefused } from '../compose/refusal.ts';
import { type OpenedStore, openStore } from '../compose/store.ts';
import type { Config } from '../options/schema.ts';
import { CLOSING_MS, FAULT, printLine, REFUSED, SAME_SIGNAL_MS } from './exit.ts';
import { watchHandedOver } from './handed-over.ts';
import { isParcel } from './worker-bus.ts';

/** Carries the number of a worker, from 1. */
const NUMBER_VARIABLE = 'CLAIMD_WORKER';
/** Back-off before a worker is restarted: from the first to the second, doubling. */
const RESTART_MS = 100;
const RESTART_MAX_MS = 10_000;
/** A worker that lived for this long starts with the shortest back-off again. */
const STEADY_MS = 60_000;
/** A worker that does not stop is killed this long after its own limits. */
const GRACE_MS = 1_000;

/** The number of this worker; undefined: this process is none. */
export function workerNumber(): number | undefined {
  return cluster.isWorker ? Number(process.env[NUMBER_VARIABLE]) : undefined;
}

/** Tells the supervisor that this worker serves. */
export function workerReady(addresses: object): void {
  process.send?.({ type: 'ready', addresses });
}

/** Runs the workers until the process ends, which it does by itself. */
export async function supervise(config: Config, log: ProcessLog, more: JsonObject): Promise<void> {
  new Supervisor(config, log, more, await lockStore(config, log)).start();
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
}

class Supervisor {
  readonly #log: ProcessLog;
  /** What the log says once all serve, beside the addresses. */
  readonly #more: JsonObject;
  readonly #store: OpenedStore | undefined;
  readonly #drainMs: number;
  readonly #slots: readonly Slot[];
  readonly #startedAt = performance.now();
  #addresses: JsonObject = {};
  /** All workers have been ready once. */
  #served = false;
  #stoppingSince: number | undefined;
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
    }));
  }

  /** Starts the first worker. It does what is done once (the first administrator) and shows if the ports are free. */
  start(): void {
    process.on('SIGTERM', (signal) => this.#onSignal(signal));
    process.on('SIGINT', (signal) => this.#onSignal(signal));
    process.on('SIGHUP', () => this.#reload());
    const [first] = this.#slots;
    if (first !== undefined) this.#fork(first);
  }

  #fork(slot: Slot): void {
    if (this.#stoppingSince !== undefined) return;
    const worker = cluster.fork({ [NUMBER_VARIABLE]: String(slot.number) });
    slot.worker = worker;
    slot.startedAt = performance.now();
    slot.ready = false;
    slot.outdated = false;
    const closeUnconfirmed = watchHandedOver(worker);
    worker.on('message', (message: unknown) => {
      if (isParcel(message)) this.#passOn(slot, message);
      else if (isJsonObject(message) && message.type === 'ready') this.#onReady(slot, message.addresses);
    });
    worker.on('error', (error) =>
      this.#log.error({ err: error, worker: slot.number }, 'a worker cannot be reached'),
    );
    worker.once('exit', (code, signal) => {
      closeUnconfirmed();
      this.#onExit(slot, code, signal);
    });
  }

  #passOn(from: Slot, parcel: object): void {
    for (const { worker } of this.#slots) {
      if (worker === undefined || worker === from.worker || !worker.isConnected()) continue;
      worker.process.send?.(parcel, undefined, undefined, () => {}); // an error means that it is ending
    }
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
    if (this.#served) return;
    for (const other of this.#slots) if (other.worker === undefined) this.#fork(other);
    if (!this.#slots.every(({ ready }) => ready)) return;
    this.#served = true;
    const startMs = Math.round(performance.now() - this.#startedAt);
    this.#log.info({ ...this.#addresses, ...this.#more, workers: this.#slots.length, startMs }, 'ready');
  }

  #onExit(slot: Slot, code: number | null, signal: string | null): void {
    slot.worker = undefined;
    if (this.#stoppingSince !== undefined) {
      if (code !== 0) this.#exitCode = FAULT;
      if (this.#slots.every(({ worker }) => worker === undefined)) void this.#end();
      return;
    }
    if (!this.#served) {
      // It has said why it cannot start. Trying again would not help.
      this.#exitCode = code === null || code === 0 ? FAULT : code;
      this.#stop('SIGTERM');
      return;
    }
    slot.deaths = performance.now() - slot.startedAt > STEADY_MS ? 0 : slot.deaths;
    const delayMs = Math.min(RESTART_MS * 2 ** slot.deaths, RESTART_MAX_MS);
    slot.deaths += 1;
    this.#log.error({ worker: slot.number, code, signal, delayMs }, 'a worker died; it is restarted');
    setTimeout(() => this.#fork(slot), delayMs);
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
    process.exit(FAULT);
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
