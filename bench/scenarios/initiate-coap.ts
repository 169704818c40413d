/**
 * Devices open their claim windows over CoAP: battery-powered things on a radio that carries UDP. Confirmable requests,
 * repeated as RFC 7252 says when no answer comes; a 2.04 means that the window is on disk. No peer: nobody acknowledges
 * CoAP for the sake of it.
 */
import { initiateCoap } from '../steps.ts';
import { streaming } from './streaming.ts';
import { sample, windowsAreThere } from './verify.ts';

/** UDP sockets, each a device of its own address and port. */
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
