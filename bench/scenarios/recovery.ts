/**
 * The server is killed (`kill -9`) under load and restarted at once. Devices open windows over HTTP at a steady rate,
 * each device once. How long the server is away, how long until the full rate is back, and whether every acknowledged
 * window exists.
 */
import { type Bench, OURS, type Scenario } from '../bench.ts';
import type { Job, Tick } from '../contract.ts';
import * as steps from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Control, Target } from '../targets/target.ts';
import { ownDurableServer } from './own-server.ts';
import { PEOPLE_MAX } from './streaming.ts';
import { sample, windowsAreThere } from './verify.ts';

const DURATION_MS = { smoke: 10_000, standard: 20_000, full: 40_000 } as const;
/** When it is killed, as a share of the load. */
const KILL_AT = 0.3;
/** The rate, as a share of the closed loop's: high enough to build a backlog, low enough to work it off. */
const RATE_SHARE = 0.5;
const TICK_MS = 100;
const CLOSED_LOOP_MS = 1_500;
/** It is back at full rate with this share of the rate before, over this many ticks. */
const FULL = 0.95;
const STEADY_TICKS = 5;
const SAMPLE_MAX = 300;
const OPENED = '200';

export const recoveryScenario: Scenario = {
  name: 'recovery',
  title: 'kill -9 under load: how long until full rate, and nothing acknowledged is lost',
  peers: [],
  rated: true,
  refuses: ({ findMax, ...settings }) =>
    findMax === undefined ? ownDurableServer({ findMax, ...settings }) : 'has no highest rate to be found',
  async run(bench) {
    const { settings } = bench;
    const durationMs = DURATION_MS[settings.profile];
    const target = await bench.start({ fixedPorts: true });
    const fleet = await bench.fleet(target, PEOPLE_MAX);
    const rate = settings.rate ?? Math.round((await closedRate(bench, target, fleet)) * RATE_SHARE);
    const devices = Math.ceil((rate * durationMs) / 1000);
    await bench.provision(target, fleet, PEOPLE_MAX + devices);

    let killedAt: number | undefined;
    let restarted: Promise<number> | undefined;
    const { control } = target;
    const job: Job = {
      ...load(bench, target, fleet),
      title: 'opening windows',
      subjects: { type: 'once', from: PEOPLE_MAX, count: devices },
      pace: { type: 'open', perSecond: rate, arrivals: settings.arrivals },
      warmUpMs: 0,
      durationMs,
      tickMs: TICK_MS,
      keep: OPENED,
    };
    const { measurement, kept } = await bench.load(target, job, OURS, {
      onTick(at) {
        if (killedAt !== undefined || at * 1000 < durationMs * KILL_AT || control === undefined) return;
        killedAt = at;
        restarted = killAndStart(control);
      },
    });
    const downMs = await restarted;
    if (killedAt === undefined || downMs === undefined) throw new Error('it was never killed');
    bench.figure('away', downMs, 'ms', 'lower');
    const fullAt = backAt(measurement.timeline, killedAt);
    if (fullAt === undefined) {
      const last = measurement.timeline.slice(-STEADY_TICKS);
      // A slow return is a warning, none is a failure.
      if (last.some(({ perSecond }) => perSecond > 0))
        bench.warn('it was not back at its rate when the time was up');
      else bench.fail('it did not come back after the kill');
    } else bench.figure('full rate after the kill', (fullAt - killedAt) * 1000, 'ms', 'lower');

    const acknowledged = sample(kept.length, SAMPLE_MAX).map((at) => kept[at] ?? 0);
    await windowsAreThere(bench, target, fleet, acknowledged);
  },
};

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
