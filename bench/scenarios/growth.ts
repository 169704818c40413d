/**
 * Does a claim cost the same with a thousand times as many devices? At each level windows are opened and claims confirmed
 * on devices spread over the whole population, so that most actors are not in memory and their heads are far apart.
 */
import { type Bench, HOUR_MS, OURS, type Scenario } from '../bench.ts';
import type { Job, Measurement, Step } from '../contract.ts';
import { devicesFor } from '../settings.ts';
import * as steps from '../steps.ts';
import { levels, ownServerOnly, withDevices } from './own-server.ts';
import { PEOPLE_MAX } from './streaming.ts';

const DEVICES = { smoke: 1_000, standard: 100_000, full: 1_000_000 } as const;
const SMALLEST = { smoke: 100, standard: 1_000, full: 1_000 } as const;
/** Operations of each kind per level: enough to measure, and no more than the devices of the smallest compared level. */
const PLAYED_MAX = 10_000;
/** The level that others are compared with: a smaller one fits into caches. */
const COMPARED_WITH = 10_000;
const WARM_UP_ROUNDS = 2;

export const growthScenario: Scenario = {
  name: 'growth',
  title: 'cost of a window and of a claim as devices grow from 10^3 to 10^6',
  peers: [],
  rated: false,
  refuses: ownServerOnly,
  async run(bench) {
    const { profile } = bench.settings;
    const largest = devicesFor(bench.settings, DEVICES);
    const target = await bench.start();
    const fleet = await bench.fleet(target, 1);
    const open = steps.initiateHttp(target, fleet);
    const confirm = steps.confirm(target, fleet);
    const reclaim = steps.reclaim(target, fleet);
    for (const level of levels(Math.min(SMALLEST[profile], largest), largest)) {
      await bench.provision(target, fleet, level);
      const count = Math.min(level, PLAYED_MAX);
      const stride = Math.floor(level / count);
      if (fleet.devices === Math.min(SMALLEST[profile], largest)) {
        for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
          await bench.each('warming up', 0, count, [open, confirm, reclaim], { stride });
        }
      }
      const job = (title: string, step: Step): Job => ({
        ...bench.job({
          title,
          steps: [step],
          subjects: { type: 'once', from: 0, count, stride },
          connections: Math.min(bench.settings.connections, PEOPLE_MAX),
          pace: { type: 'closed' },
        }),
        warmUpMs: 0,
        // Ends when each device has had its turn. A claim of a device whose window was not opened in time would fail.
        durationMs: HOUR_MS,
      });
      const variant = (what: string) => `${what}, ${withDevices(level)}`;
      await bench.load(target, job('opening windows', open), { ...OURS, variant: variant('open') });
      await bench.load(target, job('claiming', confirm), { ...OURS, variant: variant('claim') });
      await bench.each('giving back', 0, count, [reclaim], { stride });
    }
    compare(bench, 'open', largest);
    compare(bench, 'claim', largest);
  },
};

/** The ratio of CPU per operation at the largest level. */
function compare(bench: Bench, what: string, largest: number): void {
  const at = (level: number): Measurement | undefined =>
    bench.measurements.find(({ variant }) => variant === `${what}, ${withDevices(level)}`);
  const from = at(Math.min(COMPARED_WITH, largest)) ?? bench.measurements[0];
  const cost = (one: Measurement | undefined) => one?.server?.cpuUsPerOperation ?? Number.NaN;
  const ratio = cost(at(largest)) / cost(from);
  if (largest > COMPARED_WITH && Number.isFinite(ratio)) {
    bench.figure(
      `CPU per ${what}, ${withDevices(largest)} / ${withDevices(COMPARED_WITH)}`,
      ratio,
      '×',
      'lower',
    );
  }
}
