/**
 * Whole lives, one after the other: a device opens its window over MQTT, a customer claims it over REST and hands it over to
 * the next customer, who gives it back. At each change of owner its token rotates (O9): the device learns the new one, and
 * connects with it for its next life. Latencies of each step, and of the whole; opening includes the connection. A server of
 * others (`--target`) knows neither handing over nor rotation; there the first customer gives it back.
 */
import { restApi } from '../../test/kit/api.ts';
import type { Step } from '../contract.ts';
import * as steps from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';
import { PEOPLE_MAX, streaming } from './streaming.ts';
import { nobodyOwns, sample } from './verify.ts';

/** A life has six steps, each of which waits for the disk: in less time a busy machine may not come to the end of one. */
const LEAST_MS = 5_000;

const connectionsOf = (connections: number): number => Math.min(connections, PEOPLE_MAX);

export const lifecycleScenario = streaming({
  name: 'lifecycle',
  title: 'a window by MQTT, then by REST a claim, a transfer and a give-back, with a new token each time',
  peers: [],
  devices: ({ settings }) => connectionsOf(settings.connections),
  async prepare({ settings }, target, fleet) {
    if (settings.target === undefined) await rotateTokens(target, fleet);
  },
  stream: (bench, target, fleet, pace) => ({
    devices: fleet.devices,
    measured: bench.job({
      title: 'living',
      durationMs: Math.max(LEAST_MS, bench.settings.durationMs),
      ...(bench.settings.target === undefined
        ? { token: fleet.token, steps: ours(target, fleet, bench.settings.mqttVersion) }
        : { steps: theirs(target, fleet, bench.settings.mqttVersion) }),
      subjects: { type: 'lane', from: 0, count: 0 },
      connections: connectionsOf(bench.settings.connections),
      // Two lives of one device at the same time would be rivals.
      inflight: 1,
      pace,
    }),
  }),
  verify: (bench, target, fleet) => nobodyOwns(bench, target, fleet, sample(fleet.devices)),
});

/** The token rotates with the claim; until the device has used the new one, the changes after it leave that as it is. */
function ours(target: Target, fleet: Fleet, version: 4 | 5): Step[] {
  return [
    steps.initiateMqtt(target, { ...fleet, token: '{token}' }, version),
    steps.confirm(target, fleet),
    steps.offer(target, fleet),
    steps.accept(target, fleet),
    steps.learnToken(target),
    steps.reclaimHandedOver(target, fleet),
  ];
}

function theirs(target: Target, fleet: Fleet, version: 4 | 5): Step[] {
  return [
    steps.initiateMqtt(target, fleet, version),
    steps.confirmSoon(target, fleet),
    steps.reclaim(target, fleet),
  ];
}

async function rotateTokens(target: Target, { tenantToken }: Fleet): Promise<void> {
  const api = restApi(target.url);
  const { id } = await api.get('/api/deviceProfileInfo/default', tenantToken);
  const profile = await api.get<object>(`/api/deviceProfile/${id.id}`, tenantToken);
  await api.post('/api/deviceProfile', tenantToken, { ...profile, claiming: { onOwnerChange: 'rotate' } });
}
