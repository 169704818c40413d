/**
 * The server is killed (`kill -9`) under load and restarted at once, twice: while devices open windows over HTTP at a steady
 * rate, and while customers claim devices, each device once. How long the server is away, how long until the full rate is
 * back, and whether whatever it acknowledged is there afterwards: every window, and every owner, of whom there is one.
 *
 * A server that the bench did not start is ended and started by the commands that `--kill-command` and `--start-command` name.
 */
import { type Bench, OURS, type Scenario } from '../bench.ts';
import type { Job, Tick } from '../contract.ts';
import type { Settings } from '../settings.ts';
import * as steps from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Control, Target } from '../targets/target.ts';
import { ownDurableServer } from './own-server.ts';
import { PEOPLE_MAX } from './streaming.ts';
import { ownersAreThere, sample, windowsAreThere } from './verify.ts';

const DURATION_MS = { smoke: 10_000, standard: 20_000, full: 40_000 } as const;
/** When it is killed, as a share of the load. */
const KILL_AT = 0.3;
const TICK_MS = 100;
const CLOSED_LOOP_MS = 1_500;
/** It is back at full rate with this share of the rate before, over this many ticks. */
const FULL = 0.95;
const STEADY_TICKS = 5;
/** Clients are given so long to come back to a server that has started. */
const RETURN_MS = 3_000;
const SAMPLE_MAX = 300;

export const recoveryScenario: Scenario = {
  name: 'recovery',
  title: 'kill -9 under load: how long until full rate, and nothing acknowledged is lost',
  peers: [],
  rated: true,
  refuses,
  async run(bench) {
    const target = await bench.start({ fixedPorts: true });
    const fleet = await bench.fleet(target, PEOPLE_MAX);
    const { rate } = bench.settings;
    const closed = rate === undefined ? await closedRate(bench, target, fleet) : 0;
    for (const play of PLAYS) {
      await killedDuring(bench, target, fleet, play, rate ?? Math.round(closed * play.rateShare));
    }
  },
};

function refuses(settings: Settings): string | undefined {
  if (settings.findMax !== undefined) return 'has no highest rate to be found';
  if (settings.target === undefined) return ownDurableServer(settings);
  return settings.target.commands === undefined
    ? 'needs --kill-command and --start-command for a server that the bench did not start'
    : undefined;
}

/** What is acknowledged while the server is killed. */
interface Play {
  readonly name: string;
  /** The rate, as a share of the closed loop's for windows: high enough to build a backlog, low enough to work it off. */
  readonly rateShare: number;
  readonly steps: (target: Target, fleet: Fleet) => Job['steps'];
  /** Prepares each device, before the load. */
  readonly before?: (target: Target, fleet: Fleet) => Job['steps'];
  readonly acknowledged: string;
  /** Fails the run where something acknowledged is not there. */
  verify(bench: Bench, target: Target, fleet: Fleet, devices: readonly number[]): Promise<void>;
}

const PLAYS: readonly Play[] = [
  {
    name: 'windows',
    rateShare: 0.5,
    steps: (target, fleet) => [steps.initiateHttp(target, fleet)],
    acknowledged: '200',
    verify: windowsAreThere,
  },
  {
    name: 'claims',
    rateShare: 0.2,
    steps: (target, fleet) => [steps.confirm(target, fleet)],
    before: (target, fleet) => [steps.initiateHttp(target, fleet)],
    acknowledged: '200 SUCCESS',
    verify: ownersAreThere,
  },
];

async function killedDuring(
  bench: Bench,
  target: Target,
  fleet: Fleet,
  play: Play,
  rate: number,
): Promise<void> {
  const { settings } = bench;
  const durationMs = DURATION_MS[settings.profile];
  const count = Math.ceil((rate * durationMs) / 1000);
  const from = fleet.devices;
  await bench.provision(target, fleet, from + count);
  if (play.before !== undefined) await bench.each('preparing', from, count, play.before(target, fleet));

  let killedAt: number | undefined;
  let restarted: Promise<number> | undefined;
  const { control } = target;
  const job: Job = {
    ...load(bench, target, fleet),
    title: play.name,
    steps: play.steps(target, fleet),
    subjects: { type: 'once', from, count },
    pace: { type: 'open', perSecond: rate, arrivals: settings.arrivals },
    warmUpMs: 0,
    durationMs,
    tickMs: TICK_MS,
    keep: play.acknowledged,
  };
  const { measurement, kept } = await bench.load(
    target,
    job,
    { ...OURS, variant: play.name },
    {
      onTick(at) {
        if (killedAt !== undefined || at * 1000 < durationMs * KILL_AT || control === undefined) return;
        killedAt = at;
        restarted = killAndStart(control);
      },
    },
  );
  const downMs = await restarted;
  if (killedAt === undefined || downMs === undefined) throw new Error('it was never killed');
  bench.figure(`${play.name}: away`, downMs, 'ms', 'lower');
  const fullAt = backAt(measurement.timeline, killedAt);
  if (fullAt === undefined) {
    const upAt = killedAt + downMs / 1000;
    const hasServed = measurement.timeline.some(({ at, perSecond }) => at > upAt && perSecond > 0);
    const leftMs = durationMs - killedAt * 1000 - downMs;
    // A slow return is a warning, none is a failure. On a busy machine the start alone may take the rest of the load; that it
    // serves, what follows shows.
    if (hasServed || leftMs < RETURN_MS) bench.warn('it was not back at its rate when the time was up');
    else bench.fail('it did not come back after the kill');
  } else bench.figure(`${play.name}: full rate after the kill`, (fullAt - killedAt) * 1000, 'ms', 'lower');

  const acknowledged = sample(kept.length, SAMPLE_MAX).map((at) => kept[at] ?? 0);
  await play.verify(bench, target, fleet, acknowledged);
}

async function killAndStart(control: Control): Promise<number> {
  const at = performance.now();
  await control.kill();
  await control.start();
  return performance.now() - at;
}

function load(bench: Bench, target: Target, fleet: Fleet): Job {
  return bench.job({
    title: 'how fast at all?',
    steps: [steps.initiateHttp(target, fleet)],
    subjects: { type: 'cycle', from: 0, count: PEOPLE_MAX },
    connections: Math.min(bench.settings.connections, PEOPLE_MAX),
    pace: { type: 'closed' },
  });
}

async function closedRate(bench: Bench, target: Target, fleet: Fleet): Promise<number> {
  const job = { ...load(bench, target, fleet), warmUpMs: CLOSED_LOOP_MS, durationMs: CLOSED_LOOP_MS };
  return (await bench.trial(target, job, OURS)).measurement.perSecond;
}

/** When the rate was back and stayed for some ticks after the kill, in seconds; undefined: never. */
export function backAt(timeline: readonly Tick[], killedAt: number): number | undefined {
  const before = timeline.filter(({ at }) => at > 0 && at < killedAt);
  const usual = before.reduce((sum, { perSecond }) => sum + perSecond, 0) / Math.max(1, before.length);
  const after = timeline.filter(({ at }) => at > killedAt);
  const wentDown = after.findIndex(({ perSecond }) => perSecond < usual / 2);
  if (wentDown === -1) return undefined;
  for (let at = wentDown; at + STEADY_TICKS <= after.length; at += 1) {
    const ticks = after.slice(at, at + STEADY_TICKS);
    const mean = ticks.reduce((sum, { perSecond }) => sum + perSecond, 0) / STEADY_TICKS;
    if ((ticks[0]?.perSecond ?? 0) > 0 && mean >= usual * FULL) return ticks[0]?.at;
  }
  return undefined;
}
