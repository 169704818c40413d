/**
 * What a scenario works with: targets, fleets, loads, and its results. One `Bench` is one repetition of one scenario. It
 * ends whatever it started.
 */
import type { Figure, Job, Measurement, ModuleShare, RestMinute, Step } from './contract.ts';
import type { PoolResult, PoolTick, Watcher } from './load/pool.ts';
import { Pool } from './load/pool.ts';
import { describe, percentileMs } from './measure/histogram.ts';
import { ServerWatch, type Watched } from './measure/watch.ts';
import { inWords } from './numbers.ts';
import { startPeer } from './peers/all.ts';
import type { Peer, PeerName } from './peers/peer.ts';
import { type Profiling, startProfiling } from './profile.ts';
import type { Live } from './report/live.ts';
import { paceOf, type Settings, SYSADMIN } from './settings.ts';
import * as steps from './steps.ts';
import { createFleet, type Fleet } from './targets/fleet.ts';
import { NotInstalled } from './targets/program.ts';
import { type Needs, startTarget } from './targets/start.ts';
import type { Target } from './targets/target.ts';

/** Above this share of a core a generator is itself the bottleneck. */
const GENERATOR_BUSY = 0.9;
/** A generator that begins operations later than this lacked CPU itself. */
const GENERATOR_LATE_MS = 20;
/** Above this share of refusals there is a warning. */
const REFUSED_SHARE = 0.001;
/** For loads that end when each device had its turn. */
export const HOUR_MS = 3_600_000;
/** A set-up must succeed; an answer that was lost on the way is asked for again. */
const SET_UP_RETRIES = 20;
const CUSTOMERS = { smoke: 8, standard: 64, full: 64 } as const;

export interface Scenario {
  readonly name: string;
  /** One line for the list. */
  readonly title: string;
  readonly peers: readonly PeerName[];
  /** Whether `--rate` and `--find-max` apply. */
  readonly rated: boolean;
  /** Why it cannot run with these settings; undefined: it can. */
  refuses?(settings: Settings): string | undefined;
  run(bench: Bench): Promise<void>;
}

/** Who is measured, as results name it. */
export interface Contender {
  readonly subject: string;
  readonly role: Measurement['role'];
  readonly variant?: string;
  /** What its acknowledgement promises; of ours the target knows. */
  readonly durability?: string;
}

export const OURS: Contender = { subject: 'claimd', role: 'ours' };

export interface LoadOptions {
  /** Called with every tick, in seconds since the measured time began. */
  readonly onTick?: (at: number) => void;
}

export interface Loaded {
  readonly measurement: Measurement;
  readonly kept: readonly number[];
}

export class Bench {
  readonly settings: Settings;
  readonly measurements: Measurement[] = [];
  readonly figures: Figure[] = [];
  readonly rest: RestMinute[] = [];
  readonly warnings: string[] = [];
  readonly failures: string[] = [];
  cpuProfile: readonly ModuleShare[] | undefined;
  heapProfile: readonly ModuleShare[] | undefined;
  /** The target's name for itself. */
  targetName = '';
  store = '';
  durability = '';
  readonly pool: Pool;
  readonly #live: Live;
  readonly #endings: (() => Promise<void>)[] = [];

  constructor(settings: Settings, live: Live) {
    this.settings = settings;
    this.#live = live;
    this.pool = new Pool(settings.workers);
    this.#endings.push(async () => void (await this.pool.close()));
  }

  /** Shows what is done while nothing is measured. */
  phase(words: string): void {
    this.#live.phase(words);
  }

  warn(words: string): void {
    if (!this.warnings.includes(words)) this.warnings.push(words);
  }

  /** Records a wrong answer, which fails the run. */
  fail(words: string): void {
    this.failures.push(words);
  }

  figure(name: string, value: number, unit: string, better: Figure['better'], peer?: string): void {
    this.figures.push({ name, value, unit, better, ...(peer === undefined ? {} : { peer }) });
  }

  async start(needs: Needs = {}): Promise<Target> {
    this.phase('starting the target');
    const target = await startTarget(this.settings, needs);
    this.#endings.push(() => target.stop());
    this.targetName = target.name;
    this.store = target.store;
    this.durability = target.durability;
    return target;
  }

  /** Creates users and this many devices on a target. */
  async fleet(target: Target, devices: number): Promise<Fleet> {
    this.phase('making users');
    const { username, password } = this.settings.target ?? SYSADMIN;
    const { profile, deletesAtOnce, rivals } = this.settings;
    const customers = Math.max(CUSTOMERS[profile], rivals);
    const fleet = await createFleet(target, { username, password }, customers, deletesAtOnce);
    if (this.settings.target !== undefined) this.#endings.push(() => fleet.remove());
    await this.provision(target, fleet, devices);
    return fleet;
  }

  /** Creates more devices until there are this many. */
  async provision(target: Target, fleet: Fleet, devices: number): Promise<PoolResult | undefined> {
    if (devices <= fleet.devices) return undefined;
    const count = devices - fleet.devices;
    const result = await this.each(
      `provisioning ${count.toLocaleString('en')} devices`,
      fleet.devices,
      count,
      [steps.provision(target, fleet)],
    );
    fleet.devices = devices;
    return result;
  }

  /** Runs steps once with each of a range of devices, unmeasured. All must succeed. */
  async each(
    title: string,
    from: number,
    count: number,
    what: readonly Step[],
    { stride = 1, hold = false }: { readonly stride?: number; readonly hold?: boolean } = {},
  ): Promise<PoolResult> {
    const job: Job = {
      title,
      steps: what,
      connections: Math.min(this.settings.setUpConnections, Math.max(1, count)),
      inflight: 1,
      subjects: { type: 'once', from, count, stride },
      pace: { type: 'closed' },
      warmUpMs: 0,
      durationMs: HOUR_MS,
      timeoutMs: this.settings.timeoutMs,
      tickMs: this.settings.tickMs,
      weight: 1,
      retries: SET_UP_RETRIES,
    };
    const watcher = {
      begin: () => {},
      end: () => {},
      tick: (tick: PoolTick) => this.#live.tick(title, tick),
    };
    const result = await this.pool.run(job, watcher, hold);
    const strange = { ...result.refused, ...result.wrong };
    if (Object.keys(strange).length > 0) throw new Error(`${title}: ${inWords(strange)}`);
    return result;
  }

  /** A load with the pace and times of the settings. */
  job(what: Pick<Job, 'title' | 'steps' | 'subjects'> & Partial<Job>): Job {
    const { connections, inflight, warmUpMs, durationMs, timeoutMs, tickMs } = this.settings;
    return {
      connections,
      inflight,
      warmUpMs,
      durationMs,
      timeoutMs,
      tickMs,
      weight: 1,
      pace: paceOf(this.settings),
      ...what,
    };
  }

  /** Runs a load and keeps its measurement. Wrong answers fail the run. */
  async load(watched: Watched, job: Job, who: Contender, options: LoadOptions = {}): Promise<Loaded> {
    const loaded = await this.trial(watched, job, who, options);
    this.measurements.push(loaded.measurement);
    return loaded;
  }

  /** Runs a load without keeping its measurement. */
  async trial(watched: Watched, job: Job, who: Contender, { onTick }: LoadOptions = {}): Promise<Loaded> {
    const watch = new ServerWatch(watched);
    const timeline: Measurement['timeline'][number][] = [];
    let profiling: Profiling | undefined;
    const watcher: Watcher = {
      begin: () => {
        watch.begin();
        if (who.role === 'ours') profiling = startProfiling(this.settings, watched);
      },
      end: () => watch.end(),
      tick: (tick) => {
        const look = watch.look();
        this.#live.tick(job.title, tick, look);
        // The last tick may be too short for a rate.
        if (tick.ms >= job.tickMs / 2) timeline.push({ ...tickOf(tick, job.weight), ...look });
        onTick?.(tick.at / 1000);
      },
    };
    const result = await this.pool.run(job, watcher);
    const server = await watch.figures(result.operations * job.weight);
    await this.#profiled(profiling);
    const measurement: Measurement = {
      subject: who.role === 'ours' && this.settings.target !== undefined ? this.targetName : who.subject,
      role: who.role,
      durability: who.durability ?? this.durability,
      variant: who.variant ?? '',
      pace: job.pace,
      seconds: result.seconds,
      operations: result.operations * job.weight,
      perSecond: result.seconds === 0 ? 0 : (result.operations * job.weight) / result.seconds,
      latency: describe(result.total),
      steps:
        job.steps.length === 1
          ? []
          : job.steps.flatMap(({ name }, at) => {
              const histogram = result.steps[at];
              return histogram === undefined ? [] : [{ name, latency: describe(histogram) }];
            }),
      refused: result.refused,
      wrong: result.wrong,
      ...(Object.keys(result.findings).length === 0 ? {} : { findings: result.findings }),
      timeline,
      ...(server === undefined ? {} : { server }),
      generator: result.generator,
    };
    this.#judge(measurement);
    return { measurement, kept: result.kept };
  }

  /** Starts those of these peers that the settings ask for and the machine has. They end with the run. */
  async peers(names: readonly PeerName[]): Promise<Peer[]> {
    const wanted = names.filter((name) => this.settings.peers?.includes(name) ?? true);
    const started: Peer[] = [];
    for (const name of wanted) {
      this.phase(`starting ${name}`);
      try {
        const peer = await startPeer[name]();
        const stop = once(peer.stop);
        this.#endings.push(stop);
        started.push({ ...peer, stop });
      } catch (error) {
        if (!(error instanceof NotInstalled)) throw error;
        this.warn(`nothing to compare with: ${error.message}`);
      }
    }
    return started;
  }

  /** Ends everything that was started, also if ending some of it fails. What was measured stays measured: faults are told. */
  async close(): Promise<void> {
    for (const end of this.#endings.reverse()) {
      await end().catch((error: unknown) => {
        this.warn(`could not clear up: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
  }

  async #profiled(profiling: Profiling | undefined): Promise<void> {
    const profiles = await profiling?.end();
    if (profiles?.cpu !== undefined) this.cpuProfile = profiles.cpu;
    if (profiles?.heap !== undefined) this.heapProfile = profiles.heap;
  }

  #judge({ subject, operations, wrong, refused, findings = {}, generator, pace }: Measurement): void {
    if (Object.keys(wrong).length > 0) this.fail(`${subject} gave wrong answers: ${inWords(wrong)}`);
    if (Object.keys(findings).length > 0)
      this.warn(`${subject} had acknowledged what was not there yet: ${inWords(findings)}`);
    if (operations === 0) this.fail(`${subject} did not complete a single operation`);
    const lost = Object.values(refused).reduce((sum, one) => sum + one, 0);
    if (lost > operations * REFUSED_SHARE) this.warn(`${subject} did not do everything: ${inWords(refused)}`);
    if (generator.busiestCpu > GENERATOR_BUSY) {
      const share = Math.round(generator.busiestCpu * 100);
      this.warn(
        `the generator used ${share} % of a core beside ${subject}: it may be what was measured (--workers)`,
      );
    }
    if (pace.type === 'open' && generator.lateP99Ms > GENERATOR_LATE_MS) {
      const late = generator.lateP99Ms.toFixed(0);
      this.warn(`the generator itself was up to ${late} ms late beside ${subject}: too little CPU for both`);
    }
  }
}

function tickOf(
  { at, ms, right, refused, latency }: PoolTick,
  weight: number,
): Measurement['timeline'][number] {
  const perSecond = (number: number) => (number * 1000) / Math.max(1, ms);
  return {
    at: at / 1000,
    perSecond: perSecond(right * weight),
    refusedPerSecond: perSecond(refused),
    p50: percentileMs(latency, 50),
    p99: percentileMs(latency, 99),
    max: percentileMs(latency, 100),
  };
}

function once(task: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= task());
}
