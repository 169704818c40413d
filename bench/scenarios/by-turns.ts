/**
 * Two builds in one run: this one, and the one in the folder that `--against` names. Each is a server of its own with fresh
 * data, and they do the same bursts by turns, so that what disturbs the machine meets both. On a machine that others use,
 * rates and whole runs differ by a third; the ratios of bursts that lie side by side do not.
 *
 * What is told is the processor time of an operation, of all threads and of the actors' thread alone: the median of each
 * build, and the median and the quartiles of the ratios, burst by burst.
 */
import { type Bench, HOUR_MS, type Scenario } from '../bench.ts';
import type { Job } from '../contract.ts';
import { NOT_WATCHED } from '../load/pool.ts';
import { type ThreadTimes, threadTimes } from '../measure/proc.ts';
import { quantile } from '../numbers.ts';
import type { Settings } from '../settings.ts';
import * as steps from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';
import { ownServerOnly } from './own-server.ts';

const DEVICES = { smoke: 200, standard: 4_000, full: 40_000 } as const;
/** Devices in a burst: so few that both builds have their turn before the machine's mood changes. */
const BURST = { smoke: 50, standard: 400, full: 400 } as const;
const WARM_UP_ROUNDS = { smoke: 1, standard: 25, full: 50 } as const;
const ROUNDS_MIN = 3;
const CONNECTIONS = 64;
/** A device opens so many windows on one connection; the cost of connecting is spread over them. */
const WINDOWS_EACH = 16;
/** What a server does behind its last answer belongs to the burst. */
const BEHIND_MS = 30;

/** One of the two, with what it took for each burst, by the name of the burst. */
interface Side {
  readonly target: Target;
  readonly fleet: Fleet;
  readonly taken: Map<string, Taken[]>;
}

/** Microseconds for each operation. */
interface Taken {
  readonly all: number;
  readonly actors: number;
  /** Of the processes beside it: the store's, if it has one. */
  readonly beside: number;
}

export const byTurnsScenario: Scenario = {
  name: 'by-turns',
  title:
    'this build and another (--against FOLDER) by turns: CPU of a window, a claim and a give-back as ratios',
  peers: [],
  rated: false,
  refuses: (settings: Settings) =>
    ownServerOnly(settings) ??
    (Number(settings.serverEnv.WORKERS ?? 1) > 1 ? 'looks at one process, and not at WORKERS' : undefined) ??
    (settings.against === undefined ? 'needs --against FOLDER, in which another commit is built' : undefined),
  async run(bench) {
    const { profile, durationMs, against } = bench.settings;
    const other = await begin(bench, against);
    const ours = await begin(bench);
    const burst = BURST[profile];
    for (let round = 0; round < WARM_UP_ROUNDS[profile]; round += 1) {
      for (const side of [other, ours]) await turn(bench, side, round * burst, burst, false);
    }
    const until = performance.now() + durationMs;
    for (let round = 0; round < ROUNDS_MIN || performance.now() < until; round += 1) {
      for (const side of round % 2 === 0 ? [other, ours] : [ours, other]) {
        await turn(bench, side, round * burst, burst, true);
      }
    }
    for (const name of ours.taken.keys()) tell(bench, name, ours, other);
  },
};

async function begin(bench: Bench, folder?: string): Promise<Side> {
  const target = await bench.start(folder === undefined ? {} : { folder });
  const fleet = await bench.fleet(target, DEVICES[bench.settings.profile]);
  return { target, fleet, taken: new Map() };
}

/** A burst of each kind: the devices open their windows, are claimed and given back. */
async function turn(bench: Bench, side: Side, from: number, count: number, isKept: boolean): Promise<void> {
  const { target, fleet, taken } = side;
  const subjects = { type: 'once', from: from % fleet.devices, count } as const;
  const closed = { pace: { type: 'closed' }, connections: CONNECTIONS, inflight: 1 } as const;
  // They end when each device has had its turn.
  const whole = { warmUpMs: 0, durationMs: HOUR_MS } as const;
  const once = (step: Job['steps'][number]): Job => ({
    ...bench.job({ title: step.name, steps: [step], subjects, ...closed }),
    ...whole,
  });
  const lanes: Job = {
    ...bench.job({
      title: 'opening windows over MQTT',
      steps: [steps.initiateMqtt(target, fleet, bench.settings.mqttVersion)],
      subjects: { type: 'lane', from: 0, count: 0, times: WINDOWS_EACH },
      ...closed,
      connections: Math.ceil(count / WINDOWS_EACH),
    }),
    ...whole,
  };
  const jobs: { readonly [name: string]: Job } = {
    'window over MQTT': lanes,
    'window over HTTP': once(steps.initiateHttp(target, fleet)),
    claim: once(steps.confirm(target, fleet)),
    'give-back': once(steps.reclaim(target, fleet)),
  };
  for (const [name, job] of Object.entries(jobs)) {
    const one = await measured(bench, target, job);
    if (isKept) taken.set(name, [...(taken.get(name) ?? []), one]);
  }
}

/** All in ns. */
interface Looked extends ThreadTimes {
  readonly besideNs: number;
}

function lookAt({ nodes, beside }: Target): Looked | undefined {
  const own = threadTimes(nodes[0]?.pid ?? 0);
  if (own === undefined) return undefined;
  return { ...own, besideNs: beside.reduce((sum, { pid }) => sum + (threadTimes(pid)?.allNs ?? 0), 0) };
}

/** From before the first connection until behind the last answer; NaN for what was not seen. */
async function measured(bench: Bench, target: Target, job: Job): Promise<Taken> {
  const before = lookAt(target);
  const result = await bench.pool.run(job, NOT_WATCHED);
  await new Promise((resolve) => setTimeout(resolve, BEHIND_MS));
  const after = lookAt(target);
  const strange = { ...result.refused, ...result.wrong };
  if (Object.keys(strange).length > 0) bench.fail(`${job.title}: ${JSON.stringify(strange)}`);
  const each = (of: (looked: Looked) => number): number =>
    before === undefined || after === undefined
      ? Number.NaN
      : (of(after) - of(before)) / 1_000 / Math.max(1, result.operations);
  return {
    all: each(({ allNs }) => allNs),
    actors: each(({ mainNs }) => mainNs),
    beside: each(({ besideNs }) => besideNs),
  };
}

function tell(bench: Bench, name: string, ours: Side, other: Side): void {
  const all = (ours.taken.get(name) ?? []).flatMap((mine, at) => {
    const theirs = other.taken.get(name)?.[at];
    return theirs === undefined ? [] : [{ mine, theirs }];
  });
  // What was not seen in one of the two is left out of both.
  const pairs = all.filter(({ mine, theirs }) => mine.all > 0 && theirs.all > 0);
  const lost = all.length - pairs.length;
  if (lost > 0)
    bench.warn(`${name}: ${lost} of ${all.length} pairs of bursts were not seen, and do not count`);
  const parts: [string, (one: Taken) => number][] = [
    ['', (one) => one.all],
    [', actors’ thread', (one) => one.actors],
  ];
  for (const { name: beside } of ours.target.beside) parts.push([`, ${beside}`, (one) => one.beside]);
  for (const [threads, of] of parts) {
    const ratios = pairs.map(({ mine, theirs }) => of(mine) / of(theirs));
    const median = (side: 'mine' | 'theirs') =>
      quantile(
        pairs.map((pair) => of(pair[side])),
        0.5,
      );
    const what = `${name}${threads}`;
    bench.figure(`${what}: this / other`, quantile(ratios, 0.5), '×', 'lower');
    bench.figure(`${what}: lower quartile of ${ratios.length}`, quantile(ratios, 0.25), '×', 'lower');
    bench.figure(`${what}: upper quartile`, quantile(ratios, 0.75), '×', 'lower');
    bench.figure(`${what}: CPU each`, median('mine'), 'µs', 'lower');
    bench.figure(`${what}: CPU each`, median('theirs'), 'µs', 'lower', 'the other build');
  }
}
