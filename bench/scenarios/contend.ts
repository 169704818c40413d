/**
 * Rivals claim each device at the same instant (`--rivals`, else eight), as with a box that was sold twice or a retry that overtakes. Exactly
 * one must get SUCCESS and the others CLAIMED; anything else fails the run.
 *
 * Peers: an empty JSON POST on Hono; and Redis with the claim as one Lua script behind Hono.
 */
import { type Bench, HOUR_MS } from '../bench.ts';
import * as steps from '../steps.ts';
import { PEOPLE_MAX, streaming } from './streaming.ts';

const DEVICES_MAX = 20_000;
const SUCCESS = '200 SUCCESS';

const devicesOf = ({ settings }: Bench): number => Math.min(settings.devices, DEVICES_MAX);

export const contendScenario = streaming({
  name: 'contend',
  title: '8 rivals, or as many as asked for, claim each device at once; exactly one may succeed',
  peers: ['hono', 'redis'],
  devices: devicesOf,
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    before: [steps.initiateHttp(target, fleet)],
    measured: bench.job({
      title: 'claiming as rivals',
      steps: [{ ...steps.confirm(target, fleet), right: [SUCCESS, '400 CLAIMED'] }],
      subjects: { type: 'once', from: 0, count: fleet.devices, rivals: bench.settings.rivals },
      connections: Math.min(bench.settings.connections, PEOPLE_MAX),
      warmUpMs: 0,
      // Every device must have all its rivals to be judged.
      durationMs: HOUR_MS,
      keep: SUCCESS,
      pace,
    }),
    after: [steps.reclaim(target, fleet, true)],
  }),
  async verify(bench, _target, fleet, winners) {
    for (const problem of oneWinnerEach(fleet.devices, winners, lost(bench))) bench.fail(problem);
  },
});

/** Answers that did not arrive; one of them may have been the SUCCESS. */
function lost(bench: Bench): number {
  const counts = bench.measurements.flatMap(({ refused }) => Object.values(refused));
  return counts.reduce((sum, one) => sum + one, 0);
}

/** @param winners one device for each SUCCESS */
export function oneWinnerEach(devices: number, winners: readonly number[], answersLost: number): string[] {
  const won = new Set(winners);
  const twice = winners.length - won.size;
  const nobody = devices - won.size;
  return [
    ...(twice > 0 ? [`${twice} times a second customer got SUCCESS for the same device`] : []),
    ...(nobody > answersLost ? [`of ${devices} devices ${nobody} were claimed by nobody`] : []),
  ];
}
