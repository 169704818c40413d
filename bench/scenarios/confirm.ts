/**
 * Many customers claim many devices over REST, each device once. The windows are open; 200 with SUCCESS means that the
 * owner is on disk. Afterwards all devices are given back.
 *
 * Peers: an empty JSON POST on Hono; and Redis with the claim as one Lua script behind Hono, every write flushed.
 */
import * as steps from '../steps.ts';
import { PEOPLE_MAX, streaming } from './streaming.ts';
import { nobodyOwns, sample } from './verify.ts';

/** More would only take longer to prepare. `--devices` may ask for fewer. */
const DEVICES_MAX = 100_000;

export const confirmScenario = streaming({
  name: 'confirm',
  title: 'customers claim devices over REST, each device once',
  peers: ['hono', 'redis'],
  devices: ({ settings }) => Math.min(settings.devices, DEVICES_MAX),
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    before: [steps.initiateHttp(target, fleet)],
    measured: bench.job({
      title: 'claiming',
      steps: [steps.confirm(target, fleet)],
      subjects: { type: 'once', from: 0, count: fleet.devices },
      connections: Math.min(bench.settings.connections, PEOPLE_MAX),
      // Each device can be claimed only once, so others warm up.
      warmUpMs: 0,
      pace,
    }),
    after: [steps.reclaim(target, fleet)],
  }),
  // All were given back by now.
  verify: (bench, target, fleet) => nobodyOwns(bench, target, fleet, sample(fleet.devices)),
});
