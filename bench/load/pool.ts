/**
 * Generator processes that run one load at a time together: they are prepared, begin at the same instant, and their
 * results are merged.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GeneratorFigures, Job } from '../contract.ts';
import { type Histogram, merge, percentileMs } from '../measure/histogram.ts';
import type { FromWorker, ToWorker, WorkerResult, WorkerTick } from './messages.ts';
import { share } from './subjects.ts';

const SCRIPT = fileURLToPath(new URL('./worker.js', import.meta.url));
/** From the message to go until the load begins: long enough to reach all processes. */
const HEAD_START_MS = 50;
const SEED = 20_261;

/** One tick of all generators. */
export interface PoolTick {
  /** Ms since the measured time began; negative while warming up. */
  readonly at: number;
  readonly ms: number;
  readonly right: number;
  readonly refused: number;
  readonly latency: Histogram;
  readonly progress: number;
}

export interface PoolResult {
  readonly operations: number;
  readonly seconds: number;
  readonly total: Histogram;
  readonly steps: readonly Histogram[];
  readonly refused: { readonly [kind: string]: number };
  readonly wrong: { readonly [kind: string]: number };
  readonly findings: { readonly [kind: string]: number };
  readonly kept: readonly number[];
  readonly generator: GeneratorFigures;
}

export interface Watcher {
  /** `begin` and `end` are called when the measured time begins and ends. */
  begin(): void;
  end(): void;
  tick(tick: PoolTick): void;
}

/** For a load of which only the result is wanted. */
export const NOT_WATCHED: Watcher = { begin: () => {}, end: () => {}, tick: () => {} };

export class Pool {
  readonly size: number;
  readonly #workers: Worker[];

  constructor(size: number) {
    this.size = size;
    this.#workers = Array.from({ length: size }, () => new Worker());
  }

  /** Runs a load. Connections that it holds stay until `release`. */
  async run(job: Job, watcher: Watcher, keepConnections = false): Promise<PoolResult> {
    // A generator without a connection would never reach its share of the devices.
    const parts = Math.min(this.size, job.connections);
    const jobs = this.#workers
      .slice(0, parts)
      .map((worker, index) => ({ worker, part: share(job, index, parts) }));
    await Promise.all(
      jobs.map(({ worker, part }, index) => {
        const ready = worker.next('ready');
        worker.send({ type: 'prepare', job: part, seed: SEED + index });
        return ready;
      }),
    );

    const ticks = new Ticks(jobs.length, job.tickMs, watcher);
    let measuring = jobs.length;
    const startAt = Date.now() + HEAD_START_MS;
    const begun = setTimeout(() => watcher.begin(), HEAD_START_MS + job.warmUpMs);
    const results = await Promise.all(
      jobs.map(async ({ worker }) => {
        worker.onTick = (tick) => ticks.add(tick);
        const measured = worker.next('measured').then(() => {
          measuring -= 1;
          if (measuring === 0) watcher.end();
        });
        const done = worker.next('done');
        worker.send({ type: 'go', at: startAt });
        await measured;
        const message = await done;
        if (!keepConnections) worker.send({ type: 'release' });
        return message.result;
      }),
    );
    clearTimeout(begun);
    return together(results);
  }

  /** Ends the running load early. */
  halt(): void {
    for (const worker of this.#workers) worker.send({ type: 'halt' });
  }

  release(): void {
    for (const worker of this.#workers) worker.send({ type: 'release' });
  }

  close(): Promise<unknown> {
    return Promise.all(this.#workers.map((worker) => worker.close()));
  }
}

type Kind = FromWorker['type'];
type MessageOf<Type extends Kind> = Extract<FromWorker, { readonly type: Type }>;

class Worker {
  readonly #child: ChildProcess = fork(SCRIPT, {
    execArgv: ['--max-semi-space-size=64'],
    serialization: 'advanced',
  });
  readonly #waiting = new Map<Kind, { resolve(message: FromWorker): void; reject(error: Error): void }>();
  #fault: Error | undefined;
  onTick: (tick: WorkerTick) => void = () => {};

  constructor() {
    this.#child.on('message', (message: FromWorker) => {
      if (message.type === 'tick') this.onTick(message.tick);
      else if (message.type === 'failed') this.#fail(new Error(`a load generator failed: ${message.why}`));
      else {
        this.#waiting.get(message.type)?.resolve(message);
        this.#waiting.delete(message.type);
      }
    });
    this.#child.on('exit', (code) => this.#fail(new Error(`a load generator ended with code ${code}`)));
  }

  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message);
  }

  next<Type extends Kind>(type: Type): Promise<MessageOf<Type>> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    return new Promise((resolve, reject) => {
      // Messages are filed by their type, so this one has it.
      this.#waiting.set(type, { resolve: (message) => resolve(message as MessageOf<Type>), reject });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return resolve();
      this.#child.removeAllListeners('exit');
      this.#child.once('exit', () => resolve());
      this.#child.disconnect();
    });
  }

  #fail(error: Error): void {
    this.#fault = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Merges ticks of the generators that ended at about the same time. */
class Ticks {
  readonly #workers: number;
  readonly #tickMs: number;
  readonly #watcher: Watcher;
  readonly #open = new Map<number, WorkerTick[]>();

  constructor(workers: number, tickMs: number, watcher: Watcher) {
    this.#workers = workers;
    this.#tickMs = tickMs;
    this.#watcher = watcher;
  }

  add(tick: WorkerTick): void {
    const slot = Math.round(tick.at / this.#tickMs);
    const ticks = [...(this.#open.get(slot) ?? []), tick];
    if (ticks.length < this.#workers) {
      this.#open.set(slot, ticks);
      return;
    }
    this.#open.delete(slot);
    const sum = (of: (tick: WorkerTick) => number) => ticks.reduce((total, one) => total + of(one), 0);
    this.#watcher.tick({
      at: tick.at,
      ms: sum(({ ms }) => ms) / ticks.length,
      right: sum(({ right }) => right),
      refused: sum(({ refused }) => refused),
      latency: merge(
        ticks.map(({ latency }) => latency),
        2,
      ),
      progress: sum(({ progress }) => progress) / ticks.length,
    });
  }
}

function together(results: readonly WorkerResult[]): PoolResult {
  const steps = results[0]?.steps.length ?? 0;
  const shares = results.map(({ cpuShare }) => cpuShare);
  return {
    operations: results.reduce((sum, { operations }) => sum + operations, 0),
    seconds: Math.max(...results.map(({ measuredMs }) => measuredMs)) / 1000,
    total: merge(results.map(({ total }) => total)),
    steps: Array.from({ length: steps }, (_, step) =>
      merge(results.map((result) => result.steps[step] ?? '')),
    ),
    refused: addUp(results.map(({ refused }) => refused)),
    wrong: addUp(results.map(({ wrong }) => wrong)),
    findings: addUp(results.map(({ findings }) => findings)),
    kept: results.flatMap(({ kept }) => kept),
    generator: {
      workers: results.length,
      busiestCpu: Math.max(...shares),
      cores: shares.reduce((sum, one) => sum + one, 0),
      lateP99Ms: percentileMs(
        merge(
          results.map(({ late }) => late),
          2,
        ),
        99,
      ),
    },
  };
}

function addUp(counts: readonly { readonly [kind: string]: number }[]): { [kind: string]: number } {
  const all: { [kind: string]: number } = {};
  for (const [kind, number] of counts.flatMap((one) => Object.entries(one))) {
    all[kind] = (all[kind] ?? 0) + number;
  }
  return all;
}
