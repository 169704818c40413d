/**
 * A tenant makes devices over REST, as with the day's production: each with a name and a token of its own. A 200 means that the
 * device is on disk and can connect.
 *
 * Peers: an empty JSON POST on Hono.
 */
import { type Bench, HOUR_MS } from '../bench.ts';
import * as steps from '../steps.ts';
import { PEOPLE_MAX, streaming } from './streaming.ts';

/** More would only take longer. `--devices` may ask for fewer. */
const DEVICES_MAX = 20_000;

const devicesOf = ({ settings }: Bench): number => Math.min(settings.devices, DEVICES_MAX);

export const provisioningScenario = streaming({
  name: 'provisioning',
  title: 'a tenant makes devices over REST, each with a token',
  peers: ['hono'],
  // They are what is measured.
  devices: () => 0,
  stream: (bench, target, fleet, pace) => ({
    devices: 0,
    measured: bench.job({
      title: 'making devices',
      steps: [steps.provision(target, fleet)],
      subjects: { type: 'once', from: 0, count: devicesOf(bench) },
      connections: Math.min(bench.settings.connections, bench.settings.setUpConnections, PEOPLE_MAX),
      warmUpMs: 0,
      durationMs: HOUR_MS,
      pace,
    }),
  }),
  refuses: ({ findMax }) =>
    findMax === undefined ? undefined : 'makes each device once: no rate can be tried twice',
});
