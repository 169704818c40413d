/**
 * Devices open their claim windows over the device HTTP API on kept-alive connections. A 200 means that the window is on
 * disk.
 *
 * Peers: an empty JSON POST on Hono; and Redis with `SET … PX` behind Hono, every write flushed.
 */
import { initiateHttp } from '../steps.ts';
import { PEOPLE_MAX, streaming } from './streaming.ts';
import { sample, windowsAreThere } from './verify.ts';

const connectionsOf = (connections: number): number => Math.min(connections, PEOPLE_MAX);

export const initiateHttpScenario = streaming({
  name: 'initiate-http',
  title: 'devices open claim windows over HTTP',
  peers: ['hono', 'redis'],
  devices: ({ settings }) => connectionsOf(settings.connections) * settings.inflight,
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    measured: bench.job({
      title: 'opening windows',
      steps: [initiateHttp(target, fleet)],
      subjects: { type: 'lane', from: 0, count: 0 },
      connections: connectionsOf(bench.settings.connections),
      pace,
    }),
  }),
  verify: (bench, target, fleet) =>
    windowsAreThere(bench, target, fleet, sample(connectionsOf(bench.settings.connections))),
});
