/**
 * `WORKERS=n`: several processes over one LMDB environment, for machines with several cores. This process, their
 * supervisor, holds the folder's lock, shares the listening ports out (node:cluster, one connection after the other),
 * hands on what the workers tell each other, starts a worker again that fell, and passes signals on. It serves nobody.
 *
 * Workers are nodes like any others: what keeps them correct is the store (a head moves only from what it is expected
 * to be), not the supervisor. Should it be killed, they end with it.
 */
import cluster, { type Worker } from 'node:cluster';

import { isJsonObject, type JsonObject } from '../../actors/base/json.ts';
import type { ProcessLog } from '../compose/log.ts';
import { type OpenedStore, openStore } from '../compose/store.ts';
import { StartRefused } from '../options/refusal.ts';
import type { Config } from '../options/schema.ts';
import { CLOSING_MS, FAULT, REFUSED, SAME_SIGNAL_MS, tell } from './exit.ts';
import { watchHandedOver } from './handed-over.ts';
import { isParcel } from './worker-bus.ts';

/** Carries the number of a worker, from 1. */
const NUMBER_VARIABLE = 'CLAIMD_WORKER';
/** A worker that falls is started again after this, then after twice as long, up to … */
const AGAIN_MS = 100;
const AGAIN_MAX_MS = 10_000;
/** … and from the beginning when it had lived for so long. */
const STEADY_MS = 60_000;
/** What a worker may take longer than its own limits before it is killed. */
const GRACE_MS = 1_000;

/** Which worker this process is; undefined: none. */
export function workerNumber(): number | undefined {
  return cluster.isWorker ? Number(process.env[NUMBER_VARIABLE]) : undefined;
}

/** Tells the supervisor that this worker serves. */
export function workerReady(addresses: object): void {
  process.send?.({ type: 'ready', addresses });
}

interface Place {
  readonly number: number;
  worker: Worker | undefined;
  startedAt: number;
  falls: number;
  ready: boolean;
  /** It was to read its certificates again and could not hear yet: a signal would have ended it. */
  outdated: boolean;
}

/** Runs the workers until the process ends; it ends by itself. */
export async function supervise(config: Config, log: ProcessLog, more: JsonObject): Promise<void> {
  const startedAt = Date.now();
  const store = await lockStore(config, log);
  const places: Place[] = Array.from({ length: config.system.workers }, (_, at) => ({
    number: at + 1,
    worker: undefined,
    startedAt: 0,
    falls: 0,
    ready: false,
    outdated: false,
  }));
  let addresses: JsonObject = {};
  let served = false;
  let stopping: number | undefined;
  let exitCode = 0;

  function start(place: Place): void {
    if (stopping !== undefined) return;
    const worker = cluster.fork({ [NUMBER_VARIABLE]: String(place.number) });
    place.worker = worker;
    place.startedAt = Date.now();
    place.ready = false;
    place.outdated = false;
    const closeUnconfirmed = watchHandedOver(worker);
    worker.on('message', (message: unknown) => {
      if (isParcel(message)) handOn(place, message);
      else if (isJsonObject(message) && message.type === 'ready') onReady(place, message.addresses);
    });
    worker.on('error', (error) =>
      log.error({ err: error, worker: place.number }, 'a worker can not be reached'),
    );
    worker.once('exit', (code, signal) => {
      closeUnconfirmed();
      onExit(place, code, signal);
    });
  }

  function handOn(from: Place, parcel: object): void {
    for (const { worker } of places) {
      if (worker === undefined || worker === from.worker || !worker.isConnected()) continue;
      worker.process.send?.(parcel, undefined, undefined, () => {}); // it may be ending just now: then it need not hear
    }
  }

  function onReady(place: Place, where: unknown): void {
    if (isJsonObject(where)) {
      const known = Object.entries(where).filter(([name, at]) => at !== null || !(name in addresses));
      addresses = { ...addresses, ...Object.fromEntries(known) };
    }
    place.ready = true;
    if (place.outdated) place.worker?.process.kill('SIGHUP');
    if (served) return;
    // The first does what is to be done once (the first administrator), and finds out whether the ports can be had.
    for (const other of places) if (other.worker === undefined) start(other);
    if (!places.every(({ ready }) => ready)) return;
    served = true;
    log.info({ ...addresses, ...more, workers: places.length, startMs: Date.now() - startedAt }, 'ready');
  }

  function onExit(place: Place, code: number | null, signal: string | null): void {
    place.worker = undefined;
    if (stopping !== undefined) {
      if (code !== 0) exitCode = FAULT;
      if (places.every(({ worker }) => worker === undefined)) void end();
      return;
    }
    if (!served) {
      // It has said why. Who can not start will not be able to in a moment either.
      exitCode = code === null || code === 0 ? FAULT : code;
      stop('SIGTERM');
      return;
    }
    place.falls = Date.now() - place.startedAt > STEADY_MS ? 0 : place.falls;
    const delayMs = Math.min(AGAIN_MS * 2 ** place.falls, AGAIN_MAX_MS);
    place.falls += 1;
    log.error({ worker: place.number, code, signal, delayMs }, 'a worker fell; it is started again');
    setTimeout(() => start(place), delayMs);
  }

  function stop(signal: NodeJS.Signals): void {
    stopping = Date.now();
    const alive = places.flatMap(({ worker }) => worker ?? []);
    if (alive.length === 0) void end();
    for (const worker of alive) worker.process.kill(signal);
    setTimeout(
      () => {
        log.error({ drainMs: config.system.drainMs }, 'stopping took too long');
        endAtOnce();
      },
      config.system.drainMs + CLOSING_MS + GRACE_MS,
    ).unref();
  }

  async function end(): Promise<void> {
    await store?.close();
    log.info({ stopMs: Date.now() - (stopping ?? Date.now()) }, 'all workers stopped');
    log.flush();
    process.exit(exitCode);
  }

  function endAtOnce(): never {
    for (const { worker } of places) worker?.process.kill('SIGKILL');
    log.flush();
    process.exit(FAULT);
  }

  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping === undefined) {
      log.info({ signal }, 'stopping the workers');
      stop(signal);
    } else if (Date.now() - stopping > SAME_SIGNAL_MS) {
      log.warn({ signal }, 'ending at once');
      endAtOnce();
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGHUP', () => {
    for (const place of places) {
      if (place.ready) place.worker?.process.kill('SIGHUP');
      else place.outdated = true;
    }
  });
  const [first] = places;
  if (first !== undefined) start(first);
}

/** Holds the store's folder for the workers. Ends the process where that can not be. */
async function lockStore(config: Config, log: ProcessLog): Promise<OpenedStore | undefined> {
  if (!keepsFolder(config)) return undefined;
  try {
    return await openStore(config, 'alone', log);
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    tell(`claimd does not start: ${error.message}`);
    log.flush();
    process.exit(REFUSED);
  }
}

function keepsFolder({ store: { url } }: Config): boolean {
  return url === undefined || url.startsWith('lmdb:');
}
