/**
 * Whole lives, one after the other: a device opens its window over MQTT, a customer claims it over REST and hands it over to
 * the next customer, who gives it back. Latencies of each step, and of the whole. A server of others (`--target`) knows no
 * handing over; there the first customer gives it back.
 */
import * as steps from '../steps.ts';
import { PEOPLE_MAX, streaming } from './streaming.ts';
import { nobodyOwns, sample } from './verify.ts';

const connectionsOf = (connections: number): number => Math.min(connections, PEOPLE_MAX);

export const lifecycleScenario = streaming({
  name: 'lifecycle',
  title: 'a window by MQTT, then by REST a claim, a transfer and a give-back, over and over',
  peers: [],
  devices: ({ settings }) => connectionsOf(settings.connections),
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    measured: bench.job({
      title: 'living',
      steps: [
        steps.initiateMqtt(target, fleet, bench.settings.mqttVersion),
        steps.confirm(target, fleet),
        ...(bench.settings.target !== undefined
          ? [steps.reclaim(target, fleet)]
          : [
              steps.offer(target, fleet),
              steps.accept(target, fleet),
              steps.reclaimHandedOver(target, fleet),
            ]),
      ],
      subjects: { type: 'lane', from: 0, count: 0 },
      connections: connectionsOf(bench.settings.connections),
      // Two lives of one device at the same time would be rivals.
      inflight: 1,
      pace,
    }),
  }),
  verify: (bench, target, fleet) => nobodyOwns(bench, target, fleet, sample(fleet.devices)),
});
