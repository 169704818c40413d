/**
 * The memory of an idle fleet: per silent MQTT connection, per provisioned device, per open window whose actor was let
 * go. Memory is the process's private memory (RssAnon) after a garbage collection; LMDB's map is page cache.
 *
 * Then all of it rests, for a minute or as long as `--duration` says: the processor time that the server takes meanwhile, by
 * the minute, and by how much its memory grows. Connections are silent, unless `--keep-alive` has them ping.
 *
 * Peer: Mosquitto's memory per connection, and its processor time.
 */
import { loadavg } from 'node:os';
import type { Bench, Scenario } from '../bench.ts';
import type { Step } from '../contract.ts';
import { filesMax, openFiles, usageOf } from '../measure/proc.ts';
import { devicesFor, type Settings } from '../settings.ts';
import * as steps from '../steps.ts';
import type { Fleet } from '../targets/fleet.ts';
import type { Target } from '../targets/target.ts';
import { ownServerOnly } from './own-server.ts';

const DEVICES = { smoke: 400, standard: 100_000, full: 1_000_000 } as const;
/** Silent ones, as far as there are devices. */
const CONNECTIONS = { smoke: 10_000, standard: 10_000, full: 100_000 } as const;
/** Actors are let go after this time. */
const IDLE_MS = 1_000;
const LET_GO_PER_SECOND = 4_000;
/** Actors in memory; by default they follow from the machine's. */
const RESIDENTS_MAX = 50_000;
/** Memory counts as settled when a collection frees less than this share. */
const STEADY = 0.99;
const ROUNDS_MAX = 20;
const BETWEEN_ROUNDS_MS = 500;
const WARM_UP = 500;
/** What a server does now and then comes round within this time. */
const REST_MS = { smoke: 0, standard: 60_000, full: 60_000 } as const;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Other files of a server come and go, a few of them. */
const LOST_MAX = 20;
/** A process opens some files besides its connections. */
const OTHER_FILES = 500;

export const idleFleetScenario: Scenario = {
  name: 'idle-fleet',
  title: 'memory per silent connection, per device and per open window; processor time while all rest',
  peers: ['mosquitto'],
  rated: false,
  refuses: (settings) => ownServerOnly(settings) ?? tooFewFiles(settings),
  async run(bench) {
    const target = await bench.start({
      env: {
        ACTORS_DEVICE_IDLE_TIMEOUT: String(IDLE_MS),
        ACTORS_DEVICE_MAX_RESIDENTS: String(RESIDENTS_MAX),
        // Who set no keep-alive and is silent for long is let go by default.
        TB_TRANSPORT_SESSIONS_INACTIVITY_TIMEOUT: String(DAY_MS),
      },
    });
    const devices = devicesFor(bench.settings, DEVICES);
    const connections = connectionsFor(bench.settings);
    const connect = (to: Target, of: Fleet) =>
      steps.connectMqtt(to, of, true, Math.round(bench.settings.keepAliveMs / 1000));

    // By now the code is compiled and buffers have their final size.
    const warm = Math.min(WARM_UP, devices);
    const fleet = await bench.fleet(target, warm);
    await hold(bench, [connect(target, fleet)], warm);
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

    await hold(bench, [connect(target, fleet)], connections);
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
      const step = peer.translate(connect(target, fleet));
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

/** Nobody sends anything, but for keep-alives. */
async function rest(bench: Bench, pid: number, connections: number, peer?: string): Promise<void> {
  const { profile, durationMs } = bench.settings;
  bench.phase('resting');
  const startedAt = performance.now();
  const endsAt = startedAt + Math.max(REST_MS[profile], durationMs);
  const cpuSeconds = () => usageOf(pid)?.cpuSeconds ?? Number.NaN;
  const before = cpuSeconds();
  const filesBefore = openFiles(pid);
  let last = { at: startedAt, cpu: before };
  let highest = 0;
  while (last.at < endsAt) {
    await sleep(Math.min(MINUTE_MS, endsAt - last.at));
    const now = { at: performance.now(), cpu: cpuSeconds() };
    const cores = (now.cpu - last.cpu) / ((now.at - last.at) / 1000);
    const at = Math.round((now.at - startedAt) / 1000);
    const privateMb = usageOf(pid)?.privateMb ?? Number.NaN;
    bench.rest.push({
      ...(peer === undefined ? {} : { peer }),
      at,
      cores,
      privateMb,
      load: loadavg()[0] ?? 0,
    });
    highest = Math.max(highest, cores);
    last = now;
  }
  const lost = filesBefore - openFiles(pid);
  if (lost > LOST_MAX)
    bench.fail(`${peer ?? 'the server'} lost ${lost.toLocaleString('en')} connections at rest`);
  const share = (last.cpu - before) / ((last.at - startedAt) / 1000);
  const name = `share of a core at rest, ${connections.toLocaleString('en')} connections`;
  bench.figure(name, share * 100, '%', 'lower', peer);
  bench.figure(`${name}, the dearest minute`, highest * 100, '%', 'lower', peer);
}

function connectionsFor(settings: Settings): number {
  return Math.min(devicesFor(settings, DEVICES), settings.connectionsAsked ?? CONNECTIONS[settings.profile]);
}

/** Why a process would run out of open files, which is better known before a million devices are made. */
function tooFewFiles(settings: Settings): string | undefined {
  const servers = Number(settings.serverEnv.WORKERS ?? 1);
  const connections = connectionsFor(settings);
  const needed = Math.ceil(connections / Math.min(servers, settings.workers)) + OTHER_FILES;
  const limit = filesMax();
  if (limit === undefined || needed <= limit) return undefined;
  const processes = Math.ceil(connections / Math.max(1, limit - OTHER_FILES));
  return (
    `would hold ${connections.toLocaleString('en')} connections, and a process may open ${limit.toLocaleString('en')} files: ` +
    `raise that to ${needed.toLocaleString('en')} (ulimit -n), ask for fewer (--connections), ` +
    `or spread both ends (--workers ${processes} --server WORKERS=${processes})`
  );
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
