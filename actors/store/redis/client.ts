/** Clients of @redis/client as the store needs them: where Redis is, how they reconnect, how they are kept alive. */
import { createClient, createCluster, type RedisClientOptions } from '@redis/client';

/** Where Redis is. */
export type RedisLocation =
  | { readonly type: 'single'; readonly options: ServerOptions }
  | {
      readonly type: 'cluster';
      /** Some of its nodes; the others are asked for. */
      readonly nodes: readonly { readonly host: string; readonly port: number }[];
      readonly options: ServerOptions;
    };

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: number | undefined;
  readonly tls?: TlsOptions | undefined;
}

export interface TlsOptions {
  /** PEM of the authorities to believe; undefined: those that Node knows. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** False where any certificate will do. */
  readonly rejectUnauthorized: boolean;
}

/** The clients of @redis/client, one server or a cluster. */
export type Client = ReturnType<typeof createSingle> | ReturnType<typeof createMany>;

/** One of its connections. */
export type OneClient = ReturnType<typeof createSingle>;

export const RECONNECT_FIRST_MS = 50;
const RECONNECT_MAX_MS = 1_000;
/** Interval of PINGs on every connection. */
export const PING_MS = 1_000;

export function createSingle(server: ServerOptions, commandTimeoutMs: number) {
  return createClient(clientOptions(server, commandTimeoutMs));
}

export function createMany(
  { nodes, options }: Extract<RedisLocation, { type: 'cluster' }>,
  commandTimeoutMs: number,
) {
  const { socket, ...defaults } = clientOptions(options, commandTimeoutMs);
  const { host: _host, port: _port, ...shared } = socket;
  return createCluster({
    rootNodes: nodes.map(({ host, port }) => ({ socket: { host, port } })),
    // Each node brings its own host and port; the types want those of TLS in one piece.
    defaults: { ...defaults, socket: shared as NonNullable<RedisClientOptions['socket']> },
  });
}

/** Options of one connection. */
function clientOptions(server: ServerOptions, commandTimeoutMs: number) {
  const { host, port, username, password, database, tls } = server;
  const times = {
    connectTimeout: Math.max(commandTimeoutMs, 1_000),
    // For so long nothing was sent or received: while it is made, and on one that only listens.
    socketTimeout: commandTimeoutMs + 3 * PING_MS,
    reconnectStrategy: (retries: number) => {
      const backoff = Math.min(RECONNECT_FIRST_MS * 2 ** Math.min(retries, 10), RECONNECT_MAX_MS);
      return backoff * (0.5 + Math.random() / 2);
    },
  };
  const secure = tls === undefined ? undefined : withoutUndefined({ ...tls, tls: true as const });
  return {
    socket: { host, port, ...times, ...secure },
    ...withoutUndefined({ username, password, database }),
    disableOfflineQueue: true,
    maintNotifications: 'disabled' as const,
    pingInterval: PING_MS, // or one that only listens would be taken for dead
  };
}

/** Without what is undefined, since the client's types tell that from absent. */
function withoutUndefined<Options extends object>(
  options: Options,
): { [Name in keyof Options]: NonNullable<Options[Name]> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Options]: NonNullable<Options[Name]> };
}
