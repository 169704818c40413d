/** A server as `npm start` runs it, started by the bench with its own data folder and the probe. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { unreachable } from '../../actors/base/unreachable.ts';
import { temporaryFolder } from '../../test/kit/folders.ts';
import { freePorts } from '../../test/kit/ports.ts';
import { type ServerProcess, startServer } from '../../test/kit/process.ts';
import { lmdbCommits } from '../measure/commits.ts';
import { ProbeChannel } from '../measure/probe-channel.ts';
import { Misuse } from '../results.ts';
import { type StoreName, SYSADMIN } from '../settings.ts';
import { startRedis } from './redis.ts';
import type { Beside, Node, Target } from './target.ts';

export const HOST = '127.0.0.1';

const DURABILITY: { readonly [store in StoreName]: string } = {
  lmdb: 'on disk (fdatasync)',
  memory: 'none',
  redis: "in Redis' log (fsync)",
};

export interface OwnOptions {
  readonly store: StoreName;
  /** Further options of the server, as environment variables. */
  readonly env: { readonly [name: string]: string };
  /** Keeps the ports over restarts, so that clients can reconnect. */
  readonly fixedPorts?: boolean;
  /** Where another build is that is to run instead of this one. */
  readonly folder?: string | undefined;
}

const PROBE = new URL('../measure/probe.js', import.meta.url).href;
const CLAIM_TOPIC = 'v1/devices/me/claim';

/** Arguments and environment of a node that can be measured. */
export function measurable(env: { readonly [name: string]: string }) {
  return {
    nodeArgs: ['--max-semi-space-size=64', '--import', PROBE],
    channel: true,
    env: {
      QUOTA_WRITES_PER_TENANT: '0',
      CLAIMD_BENCH_PARENT: String(process.pid),
      SYSADMIN_PASSWORD: SYSADMIN.password,
      // Makes creating users cheap. Nothing that is measured logs in.
      SECURITY_PASSWORD_HASH_COST: '1024',
      // A device opens more windows here than elsewhere. They are still counted, because that is part of the cost.
      SECURITY_CLAIM_WINDOWS_PER_DEVICE: '10000000',
      SECURITY_CLAIM_OFFERS_PER_CUSTOMER: '0',
      ...env,
    },
  };
}

export async function startOwn({ store, env, fixedPorts = false, folder }: OwnOptions): Promise<Target> {
  const main = folder === undefined ? {} : { main: programIn(folder) };
  const dataDir = temporaryFolder();
  const redis = store === 'redis' ? await startRedis() : undefined;
  const url = storeUrl(store, redis?.port);
  const ports: { [name: string]: string } = {};
  if (fixedPorts) {
    const [http = 0, mqtt = 0] = await freePorts(2);
    Object.assign(ports, { HTTP_BIND_PORT: String(http), MQTT_BIND_PORT: String(mqtt) });
  }
  const launch = (): Promise<ServerProcess> =>
    startServer({ dataDir, ...main, ...measurable({ ...ports, ...url, ...env }) });

  let server = await launch();
  const storePath = join(dataDir, 'store');
  const commits = store === 'lmdb' && existsSync(storePath) ? lmdbCommits(storePath) : undefined;
  const nodes: Node[] = [{ pid: server.pid, probe: new ProbeChannel(server.child) }];
  const beside: Beside[] = redis === undefined ? [] : [{ name: 'redis', pid: redis.pid }];
  return {
    name: `claimd on ${store}`,
    store,
    durability: DURABILITY[store],
    host: HOST,
    claimTopic: CLAIM_TOPIC,
    get httpPorts() {
      return [server.httpPort];
    },
    get mqttPorts() {
      return [server.mqttPort];
    },
    get coapPorts() {
      return [server.coapPort];
    },
    get url() {
      return server.url;
    },
    nodes,
    beside,
    commits: async () => (redis === undefined ? commits?.read() : redis.commits()),
    control: {
      async kill() {
        await server.kill();
      },
      async start() {
        const startedAt = performance.now();
        server = await launch();
        nodes.splice(0, 1, { pid: server.pid, probe: new ProbeChannel(server.child) });
        return performance.now() - startedAt;
      },
      dataBytes: () => (existsSync(storePath) ? sizeOf(storePath) : 0),
    },
    async stop() {
      await commits?.close();
      await server.kill();
      await redis?.stop();
    },
  };
}

/** What `npm start` runs there. Throws `Misuse` where nothing is built. */
function programIn(folder: string): string {
  const said = join(folder, 'package.json');
  const script = existsSync(said) ? /\bdist\/\S+\.js\b/.exec(readFileSync(said, 'utf8'))?.[0] : undefined;
  const program = script === undefined ? undefined : resolve(folder, script);
  if (program === undefined || !existsSync(program)) {
    throw new Misuse(`--against: there is no build in ${folder}: run npm ci and npm run build there`);
  }
  return program;
}

function storeUrl(store: StoreName, redisPort: number | undefined): { readonly [name: string]: string } {
  switch (store) {
    case 'lmdb':
      return {};
    case 'memory':
      return { STORE_URL: 'memory:' };
    case 'redis':
      return { STORE_URL: `redis://${HOST}:${redisPort}` };
    default:
      return unreachable(store);
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
