/** Opens Redis by its URL: `redis://`, `rediss://` (TLS), `redis-cluster://` or `rediss-cluster://`. */
import type { Log } from '../../actors/base/log.ts';
import type { Bus } from '../../actors/cluster/bus.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import type { CredentialsLift } from '../../actors/store/format-2.ts';
import type { RedisLocation, ServerOptions, TlsOptions } from '../../actors/store/redis/client.ts';
import { type Store, StoreUnavailable } from '../../actors/store/store.ts';
import type { Config } from '../options/schema.ts';
import { StartRefused } from './refusal.ts';
import { readFile } from './tls.ts';

export interface OpenedRedis {
  readonly store: Store;
  readonly bus: Bus;
  readonly counters: Counters;
  close(): Promise<void>;
}

/** Scheme, credentials, one or more `host:port`, a database. */
const URL_FORM =
  /^(?<scheme>rediss?(?:-cluster)?):\/\/(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<hosts>[^/@]+)(?:\/(?<database>\d{1,4})?)?$/;
const HOST_FORM = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<name>[^:,[\]\s]+))(?::(?<port>\d{1,5}))?$/;
const PORT = 6_379;
/** Longer than any request takes: after this, what a node began and did not finish is abandoned. */
const ORPHAN_MS = 20_000;

/** Whether a `store.url` names Redis. */
export function isRedisUrl(url: string): boolean {
  return /^rediss?(-cluster)?:\/\//.test(url);
}

/** Rejects with `StartRefused` if this Redis cannot be reached or used. */
export async function openRedis(
  url: string,
  options: Config['redis'] & { /** Refuse where no server has been. */ readonly isThere: boolean },
  credentials: CredentialsLift,
  log: Log,
): Promise<OpenedRedis> {
  const location = locationOf(url, options);
  // Loaded where it is wanted alone: the client has 400 files.
  const [{ openRedisStore }, { openRedisBus }, { redisCounters }, { RedisRefused }] = await Promise.all([
    import('../../actors/store/redis/redis.ts'),
    import('../../actors/store/redis/bus.ts'),
    import('../../actors/store/redis/counters.ts'),
    import('../../actors/store/redis/checks.ts'),
  ]);
  const { prefix, partitions, isThere, connectTimeoutMs, commandTimeoutMs, waitingMax } = options;
  const settings = {
    prefix,
    partitions,
    isThere,
    connectTimeoutMs,
    commandTimeoutMs,
    waitingMax,
    orphanMs: ORPHAN_MS,
    credentials,
  };
  try {
    const store = await openRedisStore({ ...settings, location, name: nameOf(url, location) }, log);
    const { connection } = store;
    const bus = openRedisBus(connection, prefix, log);
    return {
      store,
      bus,
      counters: redisCounters(connection, prefix),
      async close() {
        bus.close();
        await store.close();
      },
    };
  } catch (error) {
    if (error instanceof RedisRefused || error instanceof StoreUnavailable) {
      throw new StartRefused(error.message, error);
    }
    throw error;
  }
}

/** Parses `store.url` and the options of Redis. Throws `StartRefused` if they are not understood. */
function locationOf(url: string, options: Config['redis']): RedisLocation {
  const { scheme = '', user, password, hosts = '', database } = URL_FORM.exec(url)?.groups ?? {};
  const nodes = hosts.split(',').map(nodeOf);
  const [first] = nodes;
  const cluster = scheme.endsWith('-cluster');
  if (first === undefined || (!cluster && nodes.length > 1)) throw notUnderstood();
  if (cluster && database !== undefined && database !== '0') {
    throw new StartRefused('store.url: a Redis Cluster has no databases beside 0');
  }
  const server: ServerOptions = {
    ...first,
    username: decoded(user) ?? options.username,
    password: decoded(password) ?? options.password,
    database: database === undefined ? undefined : Number(database),
    tls: scheme.startsWith('rediss') ? tlsOf(options) : undefined,
  };
  return cluster ? { type: 'cluster', nodes, options: server } : { type: 'single', options: server };
}

function nodeOf(text: string): { host: string; port: number } {
  const { v6, name, port } = HOST_FORM.exec(text)?.groups ?? {};
  const host = v6 ?? name;
  if (host === undefined || Number(port ?? PORT) > 65_535) throw notUnderstood();
  return { host, port: Number(port ?? PORT) };
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw notUnderstood();
  }
}

/** Does not quote the URL: it may contain a password. */
function notUnderstood(): StartRefused {
  return new StartRefused(
    'store.url is not understood: redis://[user:password@]host[:port][/database] or redis-cluster://host:port,host:port ' +
      '(with TLS rediss:// and rediss-cluster://); special characters in a password are written as %40 and the like',
  );
}

/** The URL without its credentials. */
function nameOf(url: string, location: RedisLocation): string {
  const nodes = location.type === 'cluster' ? location.nodes : [location.options];
  return `${url.slice(0, url.indexOf(':'))}://${nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`;
}

function tlsOf({ caFile, certFile, keyFile, verify }: Config['redis']): TlsOptions {
  return {
    ca: contentOf(caFile),
    cert: contentOf(certFile),
    key: contentOf(keyFile),
    rejectUnauthorized: verify,
  };
}

function contentOf(file: string | undefined): string | undefined {
  return file === undefined ? undefined : readFile('Redis over TLS', file).toString();
}
