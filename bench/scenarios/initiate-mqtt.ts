/**
 * Devices open their claim windows over MQTT, each on a connection of its own, at QoS 1: a fleet that was unpacked and
 * plugged in, and repeats its request while nobody claims it. The secret and the window are the same size each time; a
 * PUBACK means that the window is on disk.
 *
 * Peer: Mosquitto without persistence acknowledging the identical publications, which it keeps nowhere.
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
