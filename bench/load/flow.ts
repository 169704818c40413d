/**
 * Runs operations on lanes: begins them at their pace, takes each through its steps, and counts the outcomes.
 *
 * No coordinated omission: in an open loop the latency counts from the instant at which an operation was due, including
 * its wait for a free lane. Operations that were due and never begun are in the histogram with the time they waited.
 */
import { unreachable } from '../../actors/base/unreachable.ts';
import type { Job } from '../contract.ts';
import { encode, type Histogram, newHistogram, record } from '../measure/histogram.ts';
import { Arrivals } from './arrivals.ts';
import { type Driver, type Read, TIMEOUT } from './driver.ts';
import { driverOf } from './drivers.ts';
import type { WorkerResult, WorkerTick } from './messages.ts';
import { type Subject, turns } from './subjects.ts';
import { filler } from './text.ts';

/** Poll interval for due operations in an open loop; the shortest that timers allow. */
const ARRIVALS_MS = 1;
const TIMEOUTS_MS = 250;
/** In a closed loop a lane rests for this long after a refusal, or refusals alone would fill the run. */
const REST_MS = 10;
const NOT_BEGUN = 'not begun in time';

interface Lane {
  subject: Subject;
  /** When it was due, or begun. */
  since: number;
  stepSince: number;
  sentAt: number;
  /** -1: free. */
  step: number;
  /** How often this step was sent again, and whether it is about to be. */
  again: number;
  waits: boolean;
}

export class Flow {
  readonly #job: Job;
  readonly #drivers: readonly Driver[];
  readonly #lanes: Lane[];
  readonly #nextSubject: (lane: number) => Subject | undefined;
  readonly #seed: number;
  /** Free lanes, the longest free first; and the due operations that wait for one. */
  readonly #free = new Queue();
  readonly #backlog = new Queue();
  readonly #right: readonly ReadonlySet<string>[];
  readonly #rightAgain: readonly ReadonlySet<string>[];
  readonly #refusals: readonly ReadonlySet<string>[];
  readonly #early: readonly ReadonlySet<string>[];

  readonly #total = newHistogram();
  readonly #steps: readonly Histogram[];
  readonly #late = newHistogram(2);
  readonly #refused = new Map<string, number>();
  readonly #wrong = new Map<string, number>();
  readonly #findings = new Map<string, number>();
  readonly #kept: number[] = [];
  #operations = 0;
  #begun = 0;
  #tick = { latency: newHistogram(2), right: 0, refused: 0, since: 0 };

  #beginAt = 0;
  #endAt = 0;
  #measuredAt = 0;
  #busy = 0;
  #over = false;
  #exhausted = false;
  #onIdle: (() => void) | undefined;
  #onOver: (() => void) | undefined;
  readonly #timers: NodeJS.Timeout[] = [];

  /** Tokens that devices have learnt, by their number. They outlast the load: the next one goes on with them. */
  readonly #learnt: Map<number, string>;
  readonly #firstToken: ((n: number) => string) | undefined;

  constructor(job: Job, seed: number, learnt = new Map<number, string>()) {
    this.#job = job;
    this.#learnt = learnt;
    this.#firstToken = job.token === undefined ? undefined : filler(job.token);
    this.#seed = seed;
    this.#drivers = job.steps.map((step) =>
      driverOf(step, job, (lane, outcome, read) => this.#answered(lane, outcome, read), this.#tokenOf),
    );
    this.#steps = job.steps.map(() => newHistogram());
    this.#right = job.steps.map(({ right }) => new Set(right));
    this.#rightAgain = job.steps.map(({ right, rightAgain = [] }) => new Set([...right, ...rightAgain]));
    this.#refusals = job.steps.map(({ refused }) => new Set(refused));
    this.#early = job.steps.map(({ early = [] }) => new Set(early));
    const subject: Subject = { n: 0, rival: 0 };
    this.#lanes = Array.from({ length: job.connections * job.inflight }, () => ({
      subject,
      since: 0,
      stepSince: 0,
      sentAt: 0,
      step: -1,
      again: 0,
      waits: false,
    }));
    this.#nextSubject = turns(job.subjects, job.inflight);
  }

  async open(): Promise<void> {
    await Promise.all(this.#drivers.map((driver) => driver.open()));
  }

  /**
   * @param startAt when to begin, by `performance.now()`
   * @param onTick called every `tickMs`
   * @param onMeasured called when the measured time is over
   */
  async run(
    startAt: number,
    onTick: (tick: WorkerTick) => void,
    onMeasured: () => void,
  ): Promise<WorkerResult> {
    const { warmUpMs, durationMs, tickMs, timeoutMs } = this.#job;
    this.#beginAt = startAt + warmUpMs;
    this.#endAt = this.#beginAt + durationMs;
    this.#tick.since = startAt;
    await new Promise((resolve) => setTimeout(resolve, startAt - performance.now()));

    const cpu = cpuBetween(this.#beginAt, this.#timers);
    this.#every(tickMs, () => onTick(this.#takeTick()));
    this.#every(TIMEOUTS_MS, () => this.#abandonOverdue());
    const over = new Promise<void>((resolve) => {
      this.#onOver = resolve;
      if (this.#over) resolve(); // halted before it began
    });
    this.#timers.push(setTimeout(() => this.halt(), this.#endAt - performance.now()));
    this.#start(startAt);
    await over;
    onTick(this.#takeTick());
    const cpuShare = cpu();
    onMeasured();
    await this.#drained(timeoutMs);
    for (const timer of this.#timers) clearTimeout(timer);
    return this.#result(cpuShare);
  }

  /** Ends the measured time. */
  halt(): void {
    if (this.#over) return;
    this.#over = true;
    this.#measuredAt = performance.now();
    for (let due = this.#backlog.take(); due !== undefined; due = this.#backlog.take()) {
      if (due < this.#beginAt || this.#exhausted) continue;
      record(this.#total, this.#measuredAt - due);
      count(this.#refused, NOT_BEGUN);
    }
    this.#onOver?.();
  }

  close(): void {
    for (const driver of this.#drivers) driver.close();
  }

  // ------------------------------------------------------------------------------------------------------- beginning

  #start(startAt: number): void {
    const { pace } = this.#job;
    switch (pace.type) {
      case 'closed': {
        const now = performance.now();
        for (const lane of this.#lanes.keys()) this.#begin(lane, now);
        return;
      }
      case 'open': {
        for (const lane of this.#lanes.keys()) this.#free.put(lane);
        const arrivals = new Arrivals(pace.perSecond, pace.arrivals, startAt, this.#seed);
        this.#every(ARRIVALS_MS, () => this.#arrive(arrivals));
        return;
      }
      default:
        unreachable(pace);
    }
  }

  #arrive(arrivals: Arrivals): void {
    const now = performance.now();
    while (!this.#over && !this.#exhausted && arrivals.next <= now && arrivals.next < this.#endAt) {
      const due = arrivals.take();
      const lane = this.#free.take();
      if (lane === undefined) {
        this.#backlog.put(due);
      } else {
        record(this.#late, performance.now() - due);
        this.#begin(lane, due);
      }
    }
  }

  #begin(at: number, since: number): void {
    const lane = this.#lanes[at];
    if (lane === undefined || this.#over) return;
    const subject = this.#nextSubject(at);
    if (subject === undefined) {
      this.#exhausted = true;
      if (this.#busy === 0) this.halt();
      return;
    }
    this.#begun += 1;
    this.#busy += 1;
    const token = this.#tokenOf(subject.n);
    lane.subject = token === undefined ? subject : { ...subject, token };
    lane.since = since;
    this.#send(at, lane, 0, since);
  }

  /** The token that a device has by now; undefined where the steps have it in their texts. */
  readonly #tokenOf = (n: number): string | undefined => this.#learnt.get(n) ?? this.#firstToken?.(n);

  #send(at: number, lane: Lane, step: number, since: number): void {
    lane.step = step;
    lane.stepSince = since;
    lane.sentAt = performance.now();
    lane.again = 0;
    this.#drivers[step]?.send(at, lane.subject);
  }

  /** Sends the same step once more, in a moment. */
  #sendAgain(at: number, lane: Lane): void {
    lane.again += 1;
    lane.waits = true;
    setTimeout(() => {
      lane.waits = false;
      lane.sentAt = performance.now();
      this.#drivers[lane.step]?.send(at, lane.subject);
    }, REST_MS);
  }

  /** Whether an answer calls for the same step once more. */
  #isTriedAgain(lane: Lane, outcome: string, now: number): boolean {
    const { step, again, stepSince } = lane;
    if (this.#early[step]?.has(outcome) && now - stepSince < this.#job.timeoutMs) {
      count(this.#findings, this.#named(step, outcome));
      return true;
    }
    return this.#refusals[step]?.has(outcome) === true && again < (this.#job.retries ?? 0);
  }

  // --------------------------------------------------------------------------------------------------------- answers

  #answered(at: number, outcome: string, read?: Read): void {
    const lane = this.#lanes[at];
    if (lane === undefined || lane.step === -1 || lane.waits) return;
    const now = performance.now();
    const { step, subject, since } = lane;
    if (outcome === this.#job.keep) this.#kept.push(subject.n);
    if (this.#isTriedAgain(lane, outcome, now)) {
      this.#sendAgain(at, lane);
      return;
    }
    const right = (lane.again > 0 ? this.#rightAgain : this.#right)[step]?.has(outcome) === true;
    const counts = this.#counts(since, now);
    const histogram = this.#steps[step];
    if (right && counts && histogram !== undefined && this.#drivers.length > 1) {
      record(histogram, now - lane.stepSince);
    }
    if (read?.token !== undefined) this.#learnt.set(subject.n, read.token);
    if (right && step + 1 < this.#drivers.length) {
      if (read !== undefined) lane.subject = { ...subject, ...read };
      this.#send(at, lane, step + 1, now);
      return;
    }

    lane.step = -1;
    this.#busy -= 1;
    if (right) {
      this.#tick.right += 1;
      record(this.#tick.latency, now - since);
      if (counts) record(this.#total, now - since);
      if (counts && !this.#over) this.#operations += 1;
    } else if (this.#refusals[step]?.has(outcome)) {
      this.#tick.refused += 1;
      if (counts) count(this.#refused, this.#named(step, outcome));
    } else {
      count(this.#wrong, this.#named(step, outcome));
    }
    this.#freed(at, now, right);
  }

  /** Whether an operation that began at `since` and is answered now belongs to the measured time. */
  #counts(since: number, now: number): boolean {
    // Open loop: it was due in the measured time, even if answered later. Closed loop: it was answered in it.
    if (this.#job.pace.type === 'open') return since >= this.#beginAt;
    return now >= this.#beginAt && !this.#over;
  }

  #named(step: number, outcome: string): string {
    return this.#job.steps.length === 1 ? outcome : `${this.#job.steps[step]?.name}: ${outcome}`;
  }

  #freed(at: number, now: number, right: boolean): void {
    if (this.#over || this.#exhausted) {
      if (this.#busy > 0) return;
      if (this.#exhausted && !this.#over) this.halt();
      this.#onIdle?.();
      return;
    }
    if (this.#job.pace.type === 'open') {
      const due = this.#backlog.take();
      if (due === undefined) this.#free.put(at);
      else this.#begin(at, due);
    } else if (right) {
      this.#begin(at, now);
    } else {
      setTimeout(() => this.#begin(at, performance.now()), REST_MS);
    }
  }

  #abandonOverdue(): void {
    const limit = performance.now() - this.#job.timeoutMs;
    for (const [at, lane] of this.#lanes.entries()) {
      if (lane.step === -1 || lane.waits || lane.sentAt > limit) continue;
      this.#drivers[lane.step]?.abandon(at);
      this.#answered(at, TIMEOUT);
    }
  }

  /** Waits until no operation is in flight, or all have timed out. */
  async #drained(timeoutMs: number): Promise<void> {
    if (this.#busy === 0) return;
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, timeoutMs + 2 * TIMEOUTS_MS);
      this.#onIdle = () => {
        clearTimeout(limit);
        resolve();
      };
    });
  }

  // --------------------------------------------------------------------------------------------------------- results

  #takeTick(): WorkerTick {
    const now = performance.now();
    const { latency, right, refused, since } = this.#tick;
    this.#tick = { latency: newHistogram(2), right: 0, refused: 0, since: now };
    const { subjects, warmUpMs, durationMs } = this.#job;
    const all = subjects.count * (subjects.rivals ?? 1);
    const time = (now - this.#beginAt + warmUpMs) / (warmUpMs + durationMs);
    return {
      at: now - this.#beginAt,
      ms: now - since,
      right,
      refused,
      latency: encode(latency),
      progress: subjects.type === 'once' ? Math.max(this.#begun / all, time) : time,
    };
  }

  #result(cpuShare: number): WorkerResult {
    return {
      operations: this.#operations,
      measuredMs: Math.max(0, this.#measuredAt - this.#beginAt),
      total: encode(this.#total),
      steps: this.#steps.map(encode),
      refused: Object.fromEntries(this.#refused),
      wrong: Object.fromEntries(this.#wrong),
      findings: Object.fromEntries(this.#findings),
      kept: this.#kept,
      cpuShare,
      late: encode(this.#late),
    };
  }

  #every(ms: number, task: () => void): void {
    this.#timers.push(setInterval(task, ms));
  }
}

/** Measures this process's CPU from an instant on. The returned function returns the share of a core. */
function cpuBetween(beginAt: number, timers: NodeJS.Timeout[]): () => number {
  let from = process.cpuUsage();
  let since = performance.now();
  timers.push(
    setTimeout(() => {
      from = process.cpuUsage();
      since = performance.now();
    }, beginAt - since),
  );
  return () => {
    const { user, system } = process.cpuUsage(from);
    return (user + system) / 1000 / Math.max(1, performance.now() - since);
  };
}

function count(counts: Map<string, number>, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}

/** First in, first out. `shift` of an array would cost its length. */
class Queue {
  #items: number[] = [];
  #head = 0;

  put(item: number): void {
    this.#items.push(item);
  }

  take(): number | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head++];
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
