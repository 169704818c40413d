/**
 * Many customers claim many devices over REST, each device once: the evening after the shops have sold them. The windows
 * are open; a 200 with SUCCESS means that the owner is on disk. Afterwards all are given back.
 *
 * Peers: an empty JSON POST on Hono; and Redis with the claim as one Lua script behind Hono, every write flushed.
 */
import { NULL_UUID } from '../../actors/ids.ts';
import { restApi } from '../../test/kit/api.ts';
import type { Bench } from '../bench.ts';
import { filler } from '../load/text.ts';
import * as steps from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';
import { streaming } from './streaming.ts';

/** People at once, unless the command line says how many connections. */
const CONNECTIONS = 256;

export const confirmScenario = streaming({
  name: 'confirm',
  title: 'customers claim devices over REST, each device once',
  peers: ['hono', 'redis'],
  devices: ({ settings }) => Math.min(settings.devices, 100_000),
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    before: [steps.initiateHttp(target, fleet)],
    measured: bench.job({
      title: 'claiming',
      steps: [steps.confirm(target, fleet)],
      subjects: { type: 'once', from: 0, count: fleet.devices },
      connections: Math.min(bench.settings.connections, CONNECTIONS),
      // Each can be claimed once: a warm-up would use them up.
      warmUpMs: 0,
      pace,
    }),
    after: [steps.reclaim(target, fleet)],
  }),
  verify: nobodyOwnsThem,
});

/** After all were given back. */
async function nobodyOwnsThem(bench: Bench, target: Target, fleet: Fleet): Promise<void> {
  const api = restApi(target.url);
  const name = filler(fleet.name)(0);
  const { customerId } = await api.device(fleet.tenantToken, name);
  if (customerId.id !== NULL_UUID) {
    bench.fail(`${name} has an owner after it was given back`);
  }
}
