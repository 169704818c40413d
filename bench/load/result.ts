/** What a load generator tells about its run: the word `begin` when it begins to measure, then one line of JSON. */
import { createHistogram } from 'node:perf_hooks';

export interface LoadResult {
  /** Operations acknowledged while it was measured. */
  readonly operations: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** From sending to the acknowledgement, in milliseconds. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  };
  /** Answers that were not what was asked for, by kind. A run with any is not a measurement. */
  readonly wrong: { readonly [kind: string]: number };
  /** Share of one core that the generator itself used: near 1 it is the generator that was measured. */
  readonly generatorCpu: number;
}

/** Counts acknowledgements, their latencies, and what went wrong, between `begin` and `end`. */
export class Recorder {
  readonly #latency = createHistogram();
  readonly #wrong = new Map<string, number>();
  #operations = 0;
  #recording = false;
  #startedAt = 0;
  #cpu = process.cpuUsage();

  begin(): void {
    process.stdout.write('begin\n');
    this.#recording = true;
    this.#startedAt = performance.now();
    this.#cpu = process.cpuUsage();
  }

  /** One acknowledgement, of something sent at `sentAt` (by `performance.now()`). */
  done(sentAt: number): void {
    if (!this.#recording) return;
    this.#operations += 1;
    this.#latency.record(Math.max(1, Math.round((performance.now() - sentAt) * 1000)));
  }

  wrong(kind: string): void {
    this.#wrong.set(kind, (this.#wrong.get(kind) ?? 0) + 1);
  }

  end(): LoadResult {
    this.#recording = false;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    const at = (percentile: number) => this.#latency.percentile(percentile) / 1000;
    return {
      operations: this.#operations,
      seconds,
      perSecond: this.#operations / seconds,
      latencyMs: { p50: at(50), p90: at(90), p99: at(99), max: this.#latency.max / 1000 },
      wrong: Object.fromEntries(this.#wrong),
      generatorCpu: (user + system) / 1e6 / seconds,
    };
  }
}

/** Reads the options of a generator from its one argument. */
export function options<Options>(): Options {
  return JSON.parse(process.argv[2] ?? '{}') as Options; // written by the bench itself
}

export function report(result: LoadResult): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
