/**
 * Devices open their claim windows over MQTT at QoS 1, each on its own connection, again and again, like a new fleet that
 * nobody has claimed yet. A PUBACK means that the window is on disk.
 *
 * Peer: Mosquitto without persistence, acknowledging the same publications without keeping them.
 */
import { initiateMqtt } from '../steps.ts';
import { streaming } from './streaming.ts';
import { sample, windowsAreThere } from './verify.ts';

export const initiateMqttScenario = streaming({
  name: 'initiate-mqtt',
  title: 'devices open claim windows over MQTT, QoS 1',
  peers: ['mosquitto'],
  devices: ({ settings }) => settings.connections,
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    measured: bench.job({
      title: 'opening windows',
      steps: [initiateMqtt(target, fleet, bench.settings.mqttVersion)],
      subjects: { type: 'lane', from: 0, count: 0 },
      pace,
    }),
  }),
  verify: (bench, target, fleet) => windowsAreThere(bench, target, fleet, sample(bench.settings.connections)),
});
