/** Watches the server's processes during a load: CPU, memory, event loop, garbage collection, commits. */
import type { ServerFigures } from '../contract.ts';
import type { Target } from '../targets/target.ts';
import { add, type Usage, usageOf } from './proc.ts';

export interface Look {
  readonly cores: number;
  readonly rssMb: number;
  readonly privateMb: number;
}

export type Watched = Pick<Target, 'nodes' | 'beside' | 'commits'>;

const NOTHING: Usage = { cpuSeconds: 0, rssMb: 0, privateMb: 0 };

export class ServerWatch {
  readonly #target: Watched;
  /** The CPU of each process so far. A killed process and its successor both count. */
  readonly #cpu = new Map<number, number>();
  #last: { at: number; cpuSeconds: number } | undefined;
  #begin: { at: number; cpu: number; beside: Map<string, number> } | undefined;
  #end: { at: number; cpu: number; beside: Map<string, number>; usage: Usage } | undefined;
  #commits: Promise<number | undefined> = Promise.resolve(undefined);
  #commitsAfter: Promise<number | undefined> = Promise.resolve(undefined);

  constructor(target: Watched) {
    this.#target = target;
  }

  begin(): void {
    for (const { probe } of this.#target.nodes) void probe.ask({ probe: 'begin' });
    this.#commits = this.#target.commits();
    this.#begin = { at: performance.now(), cpu: this.#usage().cpuSeconds, beside: this.#beside() };
  }

  end(): void {
    const usage = this.#usage();
    this.#end = { at: performance.now(), cpu: usage.cpuSeconds, beside: this.#beside(), usage };
    this.#commitsAfter = this.#target.commits();
  }

  /** Memory now, and cores since the last look. Undefined if nothing can be seen. */
  look(): Look | undefined {
    if (this.#target.nodes.length === 0) return undefined;
    const { cpuSeconds, rssMb, privateMb } = this.#usage();
    const at = performance.now();
    const last = this.#last;
    this.#last = { at, cpuSeconds };
    const cores =
      last === undefined ? 0 : (cpuSeconds - last.cpuSeconds) / Math.max(0.001, (at - last.at) / 1000);
    return { cores, rssMb, privateMb };
  }

  /** After `end`. */
  async figures(operations: number): Promise<ServerFigures | undefined> {
    const reports = await Promise.all(this.#target.nodes.map(({ probe }) => probe.ask({ probe: 'end' })));
    const [before, after] = await Promise.all([this.#commits, this.#commitsAfter]);
    const begin = this.#begin;
    const end = this.#end;
    if (this.#target.nodes.length === 0 || begin === undefined || end === undefined) return undefined;
    const seconds = (end.at - begin.at) / 1000;
    const each = (cpuSeconds: number) => (operations === 0 ? 0 : (cpuSeconds * 1e6) / operations);
    const seen = reports.filter((report) => report !== undefined);
    const worst = (of: (report: (typeof seen)[number]) => number) => Math.max(...seen.map(of));
    return {
      cpuUsPerOperation: each(end.cpu - begin.cpu),
      cores: (end.cpu - begin.cpu) / seconds,
      rssMb: end.usage.rssMb,
      privateMb: end.usage.privateMb,
      beside: Object.fromEntries(
        [...end.beside].map(([name, cpu]) => [
          name,
          { cpuUsPerOperation: each(cpu - (begin.beside.get(name) ?? cpu)) },
        ]),
      ),
      ...(seen.length === 0
        ? {}
        : {
            eventLoop: {
              p50Ms: worst(({ loopP50Ms }) => loopP50Ms),
              p99Ms: worst(({ loopP99Ms }) => loopP99Ms),
              maxMs: worst(({ loopMaxMs }) => loopMaxMs),
            },
            gcShare: worst(({ gcMs, elapsedMs }) => gcMs / Math.max(1, elapsedMs)),
          }),
      ...(before === undefined || after === undefined || after < before
        ? {}
        : { commitsPerSecond: (after - before) / seconds }),
    };
  }

  #usage(): Usage {
    let sum = NOTHING;
    for (const { pid } of this.#target.nodes) {
      const usage = usageOf(pid);
      sum = add(sum, usage);
      if (usage !== undefined) this.#cpu.set(pid, usage.cpuSeconds);
    }
    const cpuSeconds = [...this.#cpu.values()].reduce((total, one) => total + one, 0);
    return { ...sum, cpuSeconds };
  }

  #beside(): Map<string, number> {
    return new Map(this.#target.beside.map(({ name, pid }) => [name, usageOf(pid)?.cpuSeconds ?? 0]));
  }
}
