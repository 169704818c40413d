/**
 * Real Redis servers for tests: on free ports of 127.0.0.1, each with a folder of its own, everything on disk before it
 * is acknowledged. What a test starts it also ends, by process id: `cleanUpRedis` is for `test.after`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { RedisSettings } from '../../actors/store/redis/redis.ts';
import { temporaryFolder } from './folders.ts';
import { PATIENCE_MS } from './patience.ts';
import { freePorts } from './ports.ts';
import { findProgram } from './programs.ts';
import { until } from './until.ts';

const SLOTS = 16_384;
/** Longer than a process stands still on a crowded machine: while one master is missed, none of them serves. */
const MISSED_AFTER_MS = 15_000;

export interface RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:PORT` */
  readonly url: string;
  /** Sends one command by hand, as `redis-cli` would; rejects on an error reply. */
  command(...args: string[]): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** `kill -9`. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder, after its end. Resolves when it serves. */
  restart(): Promise<void>;
}

const living = new Set<ChildProcess>();

/** Ends every server of this file that still runs. */
export async function cleanUpRedis(): Promise<void> {
  const ending = [...living].map((child) => once(child, 'close'));
  for (const child of living) {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
  }
  await Promise.all(ending);
}

/** Starts a server and waits until it serves. `options` are redis-server's own, e.g. `['--maxmemory', '1mb']`. */
export async function startRedis(options: readonly string[] = []): Promise<RedisServer> {
  const [port = 0] = await freePorts(1);
  return serve(port, options);
}

/**
 * Starts as many masters as asked for, with all slots shared out among them, and then replicas, one for each of the
 * first masters.
 *
 * @param missedAfterMs how long one may be silent before the others take it for dead
 */
export async function startRedisCluster(
  masters = 3,
  replicas = 0,
  missedAfterMs = MISSED_AFTER_MS,
): Promise<readonly RedisServer[]> {
  const all = masters + replicas;
  // The bus of a cluster's node listens on a port of its own; by default 10,000 above, which may be taken.
  const ports = await freePorts(2 * all);
  const servers = await Promise.all(
    ports
      .slice(0, all)
      .map((port, n) =>
        serve(port, [
          '--cluster-enabled',
          'yes',
          '--cluster-port',
          String(ports[all + n]),
          '--cluster-node-timeout',
          String(missedAfterMs),
        ]),
      ),
  );
  const [first] = servers;
  for (const [n, server] of servers.entries()) {
    const from = Math.floor((n * SLOTS) / masters);
    const to = Math.floor(((n + 1) * SLOTS) / masters) - 1;
    if (n < masters) await server.command('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
    if (n > 0)
      await first?.command('CLUSTER', 'MEET', '127.0.0.1', String(server.port), String(ports[all + n]));
  }
  await until('the cluster is whole', async () => {
    const infos = await Promise.all(servers.map((server) => server.command('CLUSTER', 'INFO')));
    return infos.every(
      (info) => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${all}`),
    );
  });
  for (const [n, replica] of servers.slice(masters).entries()) {
    const master = await servers[n]?.command('CLUSTER', 'MYID');
    await replica.command('CLUSTER', 'REPLICATE', master ?? '');
    await until('the replica follows', async () =>
      (await replica.command('INFO', 'replication')).includes('master_link_status:up'),
    );
  }
  return servers;
}

/** One server that has all slots of a cluster, as one behind a single address may: no command may name keys of several. */
export async function startRedisWithSlots(): Promise<RedisServer> {
  const [server] = await startRedisCluster(1);
  if (server === undefined) throw new Error('no server was started');
  return server;
}

let prefixes = 0;

/** A store of its own on these servers: several are a cluster. Give the same prefix to open it once more. */
export function redisSettings(
  servers: readonly RedisServer[],
  more: Partial<RedisSettings> = {},
): RedisSettings {
  const [port = 0] = servers.map((server) => server.port);
  const options = { host: '127.0.0.1', port };
  const nodes = servers.map((server) => ({ host: '127.0.0.1', port: server.port }));
  prefixes += 1;
  return {
    location: servers.length === 1 ? { type: 'single', options } : { type: 'cluster', nodes, options },
    name: `redis://127.0.0.1:${port}`,
    prefix: `test-${prefixes}`,
    partitions: 8,
    connectTimeoutMs: PATIENCE_MS,
    commandTimeoutMs: 30_000,
    waitingMax: 10_000,
    orphanMs: 20_000,
    ...more,
  };
}

async function serve(port: number, options: readonly string[]): Promise<RedisServer> {
  const program = findProgram('redis-server');
  if (program === undefined) throw new Error('not installed: redis-server');
  const folder = temporaryFolder();
  const args = [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no'],
    ...['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', ...options],
  ];
  let child: ChildProcess;
  let output = '';

  async function start(): Promise<void> {
    child = spawn(program ?? '', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const started = child;
    living.add(started);
    for (const stream of [started.stdout, started.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    started.once('close', () => living.delete(started));
    try {
      await until('Redis serves', async () => (await command(port, ['PING'])) === 'PONG');
    } catch (error) {
      throw new Error(`Redis does not serve:\n${output}`, { cause: error });
    }
  }

  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    command: (...words) => command(port, words),
    signal: (signal) => {
      child.kill(signal);
    },
    async kill() {
      if (!living.has(child)) return;
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
    restart: start,
  };
}

/** One command on a connection of its own, in the inline way of writing it; simple and bulk replies are understood. */
function command(port: number, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let reply = '';
    socket.setEncoding('utf8');
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no reply')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without a reply')));
    socket.on('data', (chunk: string) => {
      reply += chunk;
      const end = reply.indexOf('\r\n');
      if (end < 0) return;
      const [first, rest] = [reply.slice(0, end), reply.slice(end + 2)];
      const length = first.startsWith('$') ? Number(first.slice(1)) : -1; // -1: there is nothing
      if (length >= 0 && Buffer.byteLength(rest) < length + 2) return;
      socket.destroy();
      if (first.startsWith('-')) reject(new Error(first.slice(1)));
      else resolve(first.startsWith('$') ? rest.slice(0, -2) : first.slice(1));
    });
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${parts.join('')}`);
  });
}
