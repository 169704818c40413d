/**
 * Gateways open the claim windows of their devices over MQTT, twenty in one message. The PUBACK comes when all twenty
 * windows are on disk. Rates count devices, latencies are of messages.
 *
 * Peer: Mosquitto acknowledging the same messages without keeping them; its rate also counts twenty for each.
 */
import type { Bench } from '../bench.ts';
import type { MqttStep } from '../contract.ts';
import { filler } from '../load/text.ts';
import * as steps from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';
import { streaming } from './streaming.ts';
import { sample, windowsAreThere } from './verify.ts';

const BATCH = 20;
const GATEWAYS_MAX = 100;

const gatewaysOf = ({ settings }: Bench): number => Math.min(settings.connections, GATEWAYS_MAX);
const behind = (fleet: Fleet, place: number): string => `${fleet.name} behind ${place}`;

export const gatewayBatchScenario = streaming({
  name: 'gateway-batch',
  title: `gateways open the windows of ${BATCH} devices in one MQTT message`,
  peers: ['mosquitto'],
  refuses: ({ nodes }) => (nodes > 1 ? 'speaks to the MQTT port of one server' : undefined),
  devices: () => 0,
  async prepare(bench, target, fleet) {
    const devices = Array.from({ length: BATCH }, (_, place) =>
      steps.provision(target, {
        ...fleet,
        name: behind(fleet, place),
        token: `${fleet.token}-${place}`,
      }),
    );
    await bench.each('provisioning gateways and their devices', 0, gatewaysOf(bench), [
      steps.provisionGateway(target, fleet),
      ...devices,
    ]);
  },
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    measured: bench.job({
      title: 'opening windows in batches',
      steps: [batch(bench, target, fleet)],
      subjects: { type: 'lane', from: 0, count: 0 },
      connections: gatewaysOf(bench),
      weight: BATCH,
      pace: pace.type === 'open' ? { ...pace, perSecond: pace.perSecond / BATCH } : pace,
    }),
  }),
  async verify(bench, target, fleet) {
    const nameOf = filler(behind(fleet, BATCH - 1));
    await windowsAreThere(bench, target, fleet, sample(gatewaysOf(bench)), nameOf);
  },
});

function batch({ settings }: Bench, target: Target, fleet: Fleet): MqttStep {
  const entries = Array.from({ length: BATCH }, (_, place) => [behind(fleet, place), steps.claimOf(fleet)]);
  const payload = { type: 'text', text: JSON.stringify(Object.fromEntries(entries)) } as const;
  return { ...steps.initiateMqtt(target, fleet, settings.mqttVersion), topic: 'v1/gateway/claim', payload };
}
