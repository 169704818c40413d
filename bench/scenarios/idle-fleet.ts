/**
 * The memory of an idle fleet: per silent MQTT connection, per provisioned device, per open window whose actor was let
 * go. Memory is the process's private memory (RssAnon) after a garbage collection; LMDB's map is page cache.
 *
 * Then all of it rests, for a minute or as long as `--duration` says: the processor time that the server takes meanwhile, and
 * by how much its memory grows.
 *
 * Peer: Mosquitto's memory per connection, and its processor time.
 */
import type { Bench, Scenario } from '../bench.ts';
import type { Step } from '../contract.ts';
import { usageOf } from '../measure/proc.ts';
import { devicesFor } from '../settings.ts';
import * as steps from '../steps.ts';
import type { Target } from '../targets/target.ts';
import { ownServerOnly } from './own-server.ts';

const DEVICES = { smoke: 400, standard: 100_000, full: 1_000_000 } as const;
/** Both ends are on one machine and share its limit of open files. */
const CONNECTIONS_MAX = 10_000;
/** Actors are let go after this time. */
const IDLE_MS = 1_000;
const LET_GO_PER_SECOND = 4_000;
/** Actors in memory (`actors.device.max_residents`). */
const RESIDENTS_MAX = 50_000;
/** Memory counts as settled when a collection frees less than this share. */
const STEADY = 0.99;
const ROUNDS_MAX = 20;
const BETWEEN_ROUNDS_MS = 500;
const WARM_UP = 500;
/** What a server does now and then comes round within this time. */
const REST_MS = { smoke: 0, standard: 60_000, full: 60_000 } as const;

export const idleFleetScenario: Scenario = {
  name: 'idle-fleet',
  title: 'memory per silent connection, per device and per open window; processor time while all rest',
  peers: ['mosquitto'],
  rated: false,
  refuses: ownServerOnly,
  async run(bench) {
    const target = await bench.start({ env: { ACTORS_DEVICE_IDLE_TIMEOUT: String(IDLE_MS) } });
    const devices = devicesFor(bench.settings, DEVICES);
    const connections = Math.min(devices, CONNECTIONS_MAX);
    const connect = steps.connectMqtt;

    // By now the code is compiled and buffers have their final size.
    const warm = Math.min(WARM_UP, devices);
    const fleet = await bench.fleet(target, warm);
    await hold(bench, [connect(target, fleet, true)], warm);
    bench.pool.release();
    await bench.each('opening windows', 0, warm, [steps.initiateHttp(target, fleet)]);

    const empty = await privateBytes(bench, target, warm);
    bench.figure('private memory of the empty server', empty / 2 ** 20, 'MB', 'lower');
    await bench.provision(target, fleet, warm + devices);
    const provisioned = await privateBytes(bench, target, devices);
    bench.figure('per device', Math.max(0, provisioned - empty) / devices, 'bytes', 'lower');

    await bench.each('opening windows', warm, devices, [steps.initiateHttp(target, fleet)]);
    const open = await privateBytes(bench, target, devices);
    bench.figure('per device with an open window', Math.max(0, open - empty) / devices, 'bytes', 'lower');
    bench.figure(
      `private memory with ${devices.toLocaleString('en')} open windows`,
      open / 2 ** 20,
      'MB',
      'lower',
    );

    await hold(bench, [connect(target, fleet, true)], connections);
    const connected = await privateBytes(bench, target, 0);
    bench.figure('per connection', Math.max(0, connected - open) / connections, 'bytes', 'lower');
    const [node] = target.nodes;
    await node?.probe.ask({ probe: 'end' }); // its own look at the event loop would show
    await rest(bench, node?.pid ?? 0, connections);
    const rested = await privateBytes(bench, target, 0);
    bench.figure('private memory grown at rest', Math.max(0, rested - connected) / 2 ** 20, 'MB', 'lower');
    bench.pool.release();

    for (const peer of await bench.peers(idleFleetScenario.peers)) {
      const pid = peer.watched.nodes[0]?.pid ?? 0;
      const step = peer.translate(connect(target, fleet, true));
      if (step === undefined) continue;
      const before = usageOf(pid)?.privateMb ?? 0;
      await hold(bench, [step], connections);
      const after = usageOf(pid)?.privateMb ?? 0;
      bench.figure('per connection', ((after - before) * 2 ** 20) / connections, 'bytes', 'lower', peer.name);
      await rest(bench, pid, connections, peer.name);
      bench.pool.release();
    }
  },
};

async function hold(bench: Bench, step: readonly Step[], connections: number): Promise<void> {
  await bench.each(`connecting ${connections.toLocaleString('en')}`, 0, connections, step, { hold: true });
}

/** Nobody sends anything. */
async function rest(bench: Bench, pid: number, connections: number, peer?: string): Promise<void> {
  const { profile, durationMs } = bench.settings;
  bench.phase('resting');
  const cpuSeconds = () => usageOf(pid)?.cpuSeconds ?? Number.NaN;
  const before = cpuSeconds();
  const startedAt = performance.now();
  await sleep(Math.max(REST_MS[profile], durationMs));
  const share = (cpuSeconds() - before) / ((performance.now() - startedAt) / 1000);
  const name = `share of a core at rest, ${connections.toLocaleString('en')} connections`;
  bench.figure(name, share * 100, '%', 'lower', peer);
}

/** Memory after actors were let go and garbage collection frees no more. */
async function privateBytes(bench: Bench, target: Target, actors: number): Promise<number> {
  bench.phase('letting actors go');
  await sleep(2 * IDLE_MS + (Math.min(actors, RESIDENTS_MAX) / LET_GO_PER_SECOND) * 1000);
  const [node] = target.nodes;
  if (node === undefined) return Number.NaN;
  let last = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    await node.probe.ask({ probe: 'collect' });
    const now = usageOf(node.pid)?.privateMb ?? Number.NaN;
    if (now > last * STEADY) return now * 2 ** 20;
    last = now;
    await sleep(BETWEEN_ROUNDS_MS);
  }
  return last * 2 ** 20;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
