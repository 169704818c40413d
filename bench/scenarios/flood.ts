/**
 * Devices open their windows by MQTT, now and then, while ten connections with valid tokens flood the server with one kind of
 * packet, or connections come without end. What is measured is how long the others wait; it should stay below 100 ms at the 99th
 * percentile, whatever is sent.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { FLOODS, type Flood } from '../../test/kit/mqtt-floods.ts';
import { type Bench, OURS, type Scenario } from '../bench.ts';
import type { HttpStep } from '../contract.ts';
import { filler } from '../load/text.ts';
import * as steps from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';
import { ownServerOnly } from './own-server.ts';

/** Devices that are measured, and how much they ask for together. */
const OTHERS = 20;
const PER_SECOND = 200;
/** Flooding connections, each of its own device. */
const FLOODING = 10;
const BOUND_MS = 100;
const FLOODER = fileURLToPath(new URL('../load/flooder.js', import.meta.url));

export const floodScenario: Scenario = {
  name: 'flood',
  title: `what others wait while ${FLOODING} connections flood the server, by kind of packet`,
  peers: [],
  rated: false,
  refuses: ownServerOnly,
  async run(bench) {
    const target = await bench.start();
    const fleet = await bench.fleet(target, OTHERS + FLOODING);
    await bench.each('provisioning gateways', 0, FLOODING, [gateway(target, fleet)]);
    await measure(bench, target, fleet, undefined);
    for (const flood of FLOODS) await measure(bench, target, fleet, flood);
  },
};

async function measure(bench: Bench, target: Target, fleet: Fleet, flood: Flood | undefined): Promise<void> {
  const variant = flood?.name ?? 'alone';
  const tokenOf = filler(flood?.asGateway === true ? gatewayToken(fleet) : fleet.token);
  const tokens = Array.from({ length: FLOODING }, (_, at) =>
    tokenOf(flood?.asGateway === true ? at : OTHERS + at),
  );
  const flooder =
    flood && fork(FLOODER, [String(target.mqttPorts[0]), flood.name, ...tokens], { execArgv: [] });
  const job = bench.job({
    title: `beside ${variant}`,
    steps: [steps.initiateMqtt(target, fleet, bench.settings.mqttVersion)],
    subjects: { type: 'lane', from: 0, count: 0 },
    connections: OTHERS,
    pace: { type: 'open', perSecond: PER_SECOND, arrivals: 'even' },
  });
  const { measurement } = await bench.load(target, job, { ...OURS, variant });
  const { p99 } = measurement.latency;
  if (p99 > BOUND_MS) bench.warn(`${variant}: others waited ${Math.round(p99)} ms (p99)`);
  if (flooder === undefined) return;
  flooder.kill('SIGKILL');
  await new Promise((resolve) => flooder.once('exit', resolve));
}

const gatewayToken = ({ token }: Fleet): string => `${token}-gateway`;

function gateway(target: Target, fleet: Fleet): HttpStep {
  const device = { name: `${fleet.name} gateway`, type: 'default', additionalInfo: { gateway: true } };
  const step = steps.provision(target, { ...fleet, token: gatewayToken(fleet) });
  return { ...step, body: { type: 'text', text: JSON.stringify(device) } };
}
