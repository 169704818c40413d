/**
 * A whole fleet on one server: every device is made and opens its window, every one is claimed, then the server is killed and
 * started again. Gateways make the devices, a hundred in one message that opens their windows too, which is the cheapest way in
 * that a real fleet has; customers claim them one by one over REST. What does each cost in the last tenth against the first one,
 * how much memory and disk does it all take, how long does the start take, and are windows and owners there?
 *
 * Customers claim devices from the whole fleet at any time, and not in the order in which they were made. So each part of the
 * claims goes through all of it.
 *
 * With `--duration` it opens as many devices as it can in half of that time, and no more than `--devices`.
 */
import { restApi } from '../../test/kit/api.ts';
import { type Bench, HOUR_MS, OURS, type Scenario } from '../bench.ts';
import type { Job, Measurement, MqttStep } from '../contract.ts';
import { filler } from '../load/text.ts';
import { usageOf } from '../measure/proc.ts';
import { devicesFor } from '../settings.ts';
import * as steps from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';
import { ownDurableServer, withDevices } from './own-server.ts';
import { PEOPLE_MAX } from './streaming.ts';
import { ownersAreThere, sample, windowsAreThere } from './verify.ts';

const DEVICES = { smoke: 1_000, standard: 100_000, full: 1_000_000 } as const;
/** Parts of the way that are measured by themselves, to see whether it grows. */
const PARTS = { smoke: 2, standard: 10, full: 10 } as const;
/** Opening may end between two parts, where time is short. */
const PART_MAX = 250_000;
/** With `--duration`, the share of it after which no more devices are opened; the rest is for claiming them. */
const OPENING_SHARE = 0.5;
const BATCH = 100;
/** The devices of one message at a time are asked side by side, eight at least, and of all messages 256. */
const GATEWAYS = 16;
/** On a large fleet a busy disk may take seconds now and then. What was not answered is asked for again. */
const TIMEOUT_MS = 60_000;
const RETRIES = 20;
const SAMPLE_MAX = 300;
const DAY_S = 86_400;

export const wholeFleetScenario: Scenario = {
  name: 'whole-fleet',
  title: 'every device of a fleet is made, opened and claimed, then the server is killed and started',
  peers: [],
  rated: false,
  refuses: ownDurableServer,
  async run(bench) {
    const { profile, durationAsked } = bench.settings;
    const target = await bench.start({
      fixedPorts: true,
      env: {
        QUOTA_DEVICES_PER_TENANT: '0',
        QUOTA_DEVICES_PER_GATEWAY: '0',
        // Tenant and customers log in once, before all of it.
        JWT_TOKEN_EXPIRATION_TIME: String(DAY_S),
      },
    });
    const { control } = target;
    if (control === undefined) throw new Error('the target cannot be restarted');
    const fleet = await bench.fleet(target, 0);
    await bench.each('making gateways', 0, GATEWAYS, [steps.provisionGateway(target, fleet)]);

    const asked = Math.max(PARTS[profile], Math.ceil(devicesFor(bench.settings, DEVICES) / BATCH));
    const parts = Math.max(PARTS[profile], Math.ceil((asked * BATCH) / PART_MAX));
    const opened: Measurement[] = [];
    const openUntil = performance.now() + (durationAsked ?? Number.POSITIVE_INFINITY) * OPENING_SHARE;
    let batches = 0;
    for (let part = 1; part <= parts && (part === 1 || performance.now() < openUntil); part += 1) {
      const from = batches;
      batches = Math.floor((asked * part) / parts);
      opened.push(
        await play(bench, target, `open, up to ${(batches * BATCH).toLocaleString('en')}`, {
          steps: [batch(bench, target, fleet)],
          connections: GATEWAYS,
          weight: BATCH,
          subjects: { type: 'once', from, count: batches - from },
        }),
      );
    }
    const devices = batches * BATCH;
    const tell = (when: string) => tellSizes(bench, target, when, devices);
    fleet.devices = devices;
    conclude(bench, 'open', opened);
    await tell('opened');

    // Those of the last message stay open.
    const toClaim = devices - BATCH;
    const claimed: Measurement[] = [];
    for (let part = 0; part < PARTS[profile]; part += 1) {
      const count = Math.ceil((toClaim - part) / PARTS[profile]);
      claimed.push(
        await play(bench, target, `claim, part ${part + 1} of ${PARTS[profile]}`, {
          steps: [{ ...steps.confirm(target, fleet), rightAgain: ['400 CLAIMED'] }],
          connections: Math.min(bench.settings.connections, PEOPLE_MAX),
          subjects: { type: 'once', from: part, count, stride: PARTS[profile] },
        }),
      );
    }
    conclude(bench, 'claim', claimed);
    await tell('claimed');

    bench.phase('killing and starting the server');
    await control.kill();
    bench.figure(`ready, ${withDevices(devices)}`, await control.start(), 'ms', 'lower');
    await firstAfterStart(bench, target, fleet, toClaim);
    await tell('started again');
    await ownersAreThere(bench, target, fleet, sample(toClaim, SAMPLE_MAX));
    const open = sample(BATCH)
      .slice(1)
      .map((at) => toClaim + at);
    await windowsAreThere(bench, target, fleet, open);
  },
};

type Part = Pick<Job, 'steps' | 'connections' | 'subjects'> & Partial<Pick<Job, 'weight'>>;

async function play(bench: Bench, target: Target, variant: string, load: Part): Promise<Measurement> {
  const job: Job = {
    ...bench.job({ title: variant, pace: { type: 'closed' }, ...load }),
    warmUpMs: 0,
    // Ends when each device has had its turn.
    durationMs: HOUR_MS,
    timeoutMs: TIMEOUT_MS,
    retries: RETRIES,
  };
  const { measurement } = await bench.load(target, job, { ...OURS, variant });
  return measurement;
}

/** How long a phase took, the most memory in it, and the ratio of CPU per operation in its last and its first part. */
function conclude(bench: Bench, what: string, all: readonly Measurement[]): void {
  const seconds = all.reduce((sum, one) => sum + one.seconds, 0);
  bench.figure(`${what}: time for all`, seconds, 's', 'lower');
  const highest = Math.max(...all.flatMap(({ timeline }) => timeline.map(({ privateMb = 0 }) => privateMb)));
  if (highest > 0) bench.figure(`${what}: private memory, highest`, highest, 'MB', 'lower');
  const cost = (one: Measurement | undefined) => one?.server?.cpuUsPerOperation ?? Number.NaN;
  const ratio = cost(all.at(-1)) / cost(all[0]);
  if (all.length > 1 && Number.isFinite(ratio))
    bench.figure(`${what}: CPU each, last part / first part`, ratio, '×', 'lower');
}

/** A message makes the devices and opens their windows. */
function batch({ settings }: Bench, target: Target, fleet: Fleet): MqttStep {
  return {
    ...steps.initiateMqtt(target, fleet, settings.mqttVersion),
    topic: 'v1/gateway/claim',
    gateways: GATEWAYS,
    payload: { type: 'batch', name: fleet.name, size: BATCH, claim: JSON.stringify(steps.claimOf(fleet)) },
  };
}

async function tellSizes(bench: Bench, target: Target, when: string, devices: number): Promise<void> {
  const [node] = target.nodes;
  const privateMb = () => (node === undefined ? Number.NaN : (usageOf(node.pid)?.privateMb ?? Number.NaN));
  bench.figure(`private memory, ${when}`, privateMb(), 'MB', 'lower');
  await node?.probe.ask({ probe: 'collect' });
  bench.figure(`private memory, ${when}, after a collection`, privateMb(), 'MB', 'lower');
  const bytes = target.control?.dataBytes() ?? 0;
  if (bytes === 0) return;
  bench.figure(`data, ${when}`, bytes / 2 ** 20, 'MB', 'lower');
  bench.figure(`data per device, ${when}`, bytes / devices, 'bytes', 'lower');
}

/** The first read and the first claim that the started server carries out. */
async function firstAfterStart(bench: Bench, target: Target, fleet: Fleet, stillOpen: number): Promise<void> {
  const api = restApi(target.url);
  const nameOf = filler(fleet.name);
  const readAt = performance.now();
  await api.device(fleet.tenantToken, nameOf(0));
  bench.figure('first read after the start', performance.now() - readAt, 'ms', 'lower');
  const claimedAt = performance.now();
  const { status, body } = await api.confirm(fleet.customerTokens[0] ?? '', nameOf(stillOpen), fleet.secret);
  bench.figure('first claim after the start', performance.now() - claimedAt, 'ms', 'lower');
  if (!body.includes('SUCCESS')) bench.fail(`the first claim after the start: ${status} ${body}`);
}
