/**
 * A whole fleet connects at once, as after a power cut: TCP, CONNECT with a token, CONNACK, and the connection stays. How
 * fast all are connected, and how long a device waits.
 *
 * Peer: Mosquitto without authentication.
 */
import { type Bench, HOUR_MS } from '../bench.ts';
import type { Job, Pace } from '../contract.ts';
import { connectMqtt } from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';
import { streaming } from './streaming.ts';

/** Both ends are on one machine and share its limit of open files. */
const DEVICES_MAX = 15_000;
/** Connections being opened at a time: about the backlog of a listener. */
const AT_ONCE = 400;

export const fleetOf = ({ settings }: Bench): number => Math.min(settings.devices, DEVICES_MAX);

/** All devices connect, each once, and stay. */
export function connecting(bench: Bench, target: Target, fleet: Fleet, pace: Pace): Job {
  return bench.job({
    title: 'connecting',
    steps: [connectMqtt(target, fleet, true)],
    subjects: { type: 'once', from: 0, count: fleet.devices },
    connections: Math.min(AT_ONCE, fleet.devices),
    inflight: 1,
    warmUpMs: 0,
    durationMs: HOUR_MS,
    pace,
  });
}

export const connectStormScenario = streaming({
  name: 'connect-storm',
  title: 'all devices connect over MQTT at once, and stay',
  peers: ['mosquitto'],
  refuses: ({ nodes }) => (nodes > 1 ? 'speaks to the MQTT port of one server' : undefined),
  devices: fleetOf,
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    measured: connecting(bench, target, fleet, pace),
  }),
});
