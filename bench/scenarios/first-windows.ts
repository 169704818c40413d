/**
 * A new fleet is switched on: connected devices open their first window over MQTT at QoS 1, each once. `initiate-mqtt` opens
 * windows again and again, and a server may answer that without doing anything (ThingsBoard ignores a window while it has
 * one); here each has to be made. By itself all are sent at once; `--rate` spreads them.
 *
 * Peer: Mosquitto without persistence, acknowledging the same publications without keeping them.
 */
import { type Bench, HOUR_MS } from '../bench.ts';
import { initiateMqtt } from '../steps.ts';
import { streaming } from './streaming.ts';
import { sample, windowsAreThere } from './verify.ts';

/** Both ends are on one machine and share its limit of open files. */
const DEVICES_MAX = 10_000;

const devicesOf = ({ settings }: Bench): number => Math.min(settings.devices, DEVICES_MAX);

export const firstWindowsScenario = streaming({
  name: 'first-windows',
  title: 'connected devices open their first window over MQTT, each once',
  peers: ['mosquitto'],
  devices: devicesOf,
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    measured: bench.job({
      title: 'opening first windows',
      steps: [initiateMqtt(target, fleet, bench.settings.mqttVersion)],
      subjects: { type: 'lane', from: 0, count: 0, times: 1 },
      connections: fleet.devices,
      inflight: 1,
      warmUpMs: 0,
      durationMs: HOUR_MS,
      pace,
    }),
  }),
  verify: (bench, target, fleet) => windowsAreThere(bench, target, fleet, sample(fleet.devices)),
});
