/**
 * Devices open their claim windows over CoAP, by confirmable requests that are repeated as in RFC 7252. A 2.04 means that
 * the window is on disk. There is no peer: no common server does only this.
 */
import { initiateCoap } from '../steps.ts';
import { streaming } from './streaming.ts';
import { sample, windowsAreThere } from './verify.ts';

/** UDP sockets; each is a device with its own port. */
const SOCKETS_MAX = 500;

const socketsOf = (connections: number): number => Math.min(connections, SOCKETS_MAX);

export const initiateCoapScenario = streaming({
  name: 'initiate-coap',
  title: 'devices open claim windows over CoAP, confirmable',
  peers: [],
  devices: ({ settings }) => socketsOf(settings.connections),
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    measured: bench.job({
      title: 'opening windows',
      steps: [initiateCoap(target, fleet)],
      subjects: { type: 'lane', from: 0, count: 0 },
      connections: socketsOf(bench.settings.connections),
      pace,
    }),
  }),
  verify: (bench, target, fleet) =>
    windowsAreThere(bench, target, fleet, sample(socketsOf(bench.settings.connections))),
});
