/**
 * A fleet comes back at once after a power cut or a restart of the server: TCP, CONNECT with its token, CONNACK, and the
 * connection stays. Each device once; how fast all are there, and how long a device waits.
 *
 * Peer: Mosquitto without authentication.
 */
import { type Bench, HOUR_MS } from '../bench.ts';
import { connectMqtt } from '../steps.ts';
import { streaming } from './streaming.ts';

/** Both ends are on one machine with one limit of open files, 20,000 here and there. */
const DEVICES_MAX = 15_000;
/** Connections being opened at a time: about what a listener's backlog holds. */
const AT_ONCE = 400;

const devicesOf = ({ settings }: Bench): number => Math.min(settings.devices, DEVICES_MAX);

export const connectStormScenario = streaming({
  name: 'connect-storm',
  title: 'all devices connect over MQTT at once, and stay',
  peers: ['mosquitto'],
  refuses: ({ nodes }) => (nodes > 1 ? 'speaks to the MQTT port of one server' : undefined),
  devices: devicesOf,
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    measured: bench.job({
      title: 'connecting',
      steps: [connectMqtt(target, fleet, true)],
      subjects: { type: 'once', from: 0, count: fleet.devices },
      connections: Math.min(AT_ONCE, fleet.devices),
      inflight: 1,
      warmUpMs: 0,
      durationMs: HOUR_MS,
      pace,
    }),
  }),
});
