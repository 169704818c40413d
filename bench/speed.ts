/**
 * How fast claims are, and how far that is from the least they could cost here.
 *
 * Two loads, each the steady state of a busy server, each in turns with its peer on the same machine in one run:
 *
 * - initiate: 1,000 devices connected over MQTT 3.1.1, each opening its claim window again and again at QoS 1, one
 *   publish in flight. Every acknowledgement means that the window is on disk (LMDB, flushed). Peer: Mosquitto without
 *   persistence acknowledging the identical publishes, which it keeps nowhere.
 * - confirm: customers claim devices over REST, each device once, one request in flight on each of 256 connections.
 *   Every 200 means that the owner is on disk. Peer: an empty JSON POST on Hono with the same number of connections.
 *
 * The generators run beside the server on the same cores. Compare ratios, not rates: these depend on the machine.
 *
 *   npm run bench                  rounds of 5 s, 20,000 confirms each
 *   npm run bench -- --smoke       a second of everything, to see that it works
 */
import { parseArgs } from 'node:util';
import { cleanUp } from '../test/kit/process.ts';
import {
  CLAIM_PAYLOAD,
  confirm,
  createFleet,
  deviceToken,
  HTTP_CONNECTIONS,
  openWindows,
  provision,
  reclaim,
} from './fleet.ts';
import { httpRequests, type Measured, mqttPublish } from './load/run.ts';
import { HOST, type Peer, startClaimd, startHono, startMosquitto } from './subjects.ts';

const { values: args } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    devices: { type: 'string', default: '20000' },
  },
});
const smoke = args.smoke;
const rounds = smoke ? 1 : Number(args.rounds);
const durationMs = (smoke ? 1 : Number(args.seconds)) * 1000;
const warmUpMs = smoke ? 300 : 2000;
const connections = smoke ? 50 : 1000;
const confirms = smoke ? 500 : Number(args.devices);

const say = (line: string) => process.stdout.write(`${line}\n`);
const row = (what: string, round: number, r: Measured) =>
  say(
    `  ${what.padEnd(22)} round ${round}  ${rate(r.perSecond)}/s   p50 ${ms(r.latencyMs.p50)}  p99 ${ms(r.latencyMs.p99)}` +
      `   server ${r.serverCpuUs.toFixed(0).padStart(3)} µs of CPU each, generator ${(r.generatorCpu * 100).toFixed(0)} % of a core`,
  );
const rate = (value: number) => Math.round(value).toLocaleString('en').padStart(7);
const ms = (value: number) => `${value.toFixed(1)} ms`.padStart(8);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function verdict(what: string, ours: readonly number[], peer: string, theirs: readonly number[]): void {
  const ratios = ours.map((value, at) => value / (theirs[at] ?? Number.NaN));
  const all = ratios.map((ratio) => ratio.toFixed(2)).join(', ');
  say(
    `${what}: ${rate(median(ours)).trim()}/s against ${rate(median(theirs)).trim()}/s of ${peer}: ` +
      `ratio ${median(ratios).toFixed(2)} (${all})`,
  );
}

async function initiate(pid: number, port: number): Promise<Measured> {
  const userNames = Array.from({ length: connections }, (_, n) => deviceToken(n));
  const load = { host: HOST, userNames, topic: 'v1/devices/me/claim', payload: CLAIM_PAYLOAD };
  return mqttPublish(pid, { ...load, port, warmUpMs, durationMs });
}

async function emptyPosts({ pid, port }: Peer, token: string): Promise<Measured> {
  return httpRequests(pid, {
    host: HOST,
    port,
    method: 'POST',
    path: '/',
    headers: { 'x-authorization': `Bearer ${token}` },
    body: '{"secretKey":"value"}',
    connections: HTTP_CONNECTIONS,
    expect: 200,
    warmUpMs,
    durationMs,
  });
}

async function main(): Promise<void> {
  const server = await startClaimd();
  const mosquitto = await startMosquitto();
  const hono = await startHono();
  try {
    const fleet = await createFleet(server.url);
    const created = await provision(server, fleet, 0, Math.max(connections, confirms));
    say(`provisioned ${created.operations} devices at ${rate(created.perSecond).trim()}/s over REST`);

    say(`initiate: MQTT 3.1.1, ${connections} connections, QoS 1, one in flight each`);
    const initiated: number[] = [];
    const acknowledged: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const ours = await initiate(server.pid, server.mqttPort);
      row('claimd', round, ours);
      initiated.push(ours.perSecond);
      if (mosquitto === undefined) continue;
      const theirs = await initiate(mosquitto.pid, mosquitto.port);
      row('mosquitto', round, theirs);
      acknowledged.push(theirs.perSecond);
    }

    say(`confirm: REST, ${HTTP_CONNECTIONS} connections, ${confirms} devices`);
    const confirmed: number[] = [];
    const posted: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      await openWindows(server, 0, confirms);
      const ours = await confirm(server, fleet, 0, confirms);
      row('claimd', round, ours);
      confirmed.push(ours.perSecond);
      await reclaim(server, fleet, 0, confirms);
      const theirs = await emptyPosts(hono, fleet.customerTokens[0] ?? '');
      row('hono', round, theirs);
      posted.push(theirs.perSecond);
    }

    if (mosquitto === undefined) say('initiate: mosquitto is not installed, nothing to compare with');
    else verdict('initiate', initiated, 'Mosquitto', acknowledged);
    verdict('confirm', confirmed, 'an empty Hono POST', posted);
  } finally {
    await Promise.all([server.kill(), mosquitto?.stop(), hono.stop()]);
    await cleanUp();
  }
}

await main();
