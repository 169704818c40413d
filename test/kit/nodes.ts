/**
 * Several real servers on one Redis and one broker, as in production: the same keys, separate data folders, and
 * addresses that stay when a node is killed and started again.
 */
import { randomBytes } from 'node:crypto';
import { STORY_ENVIRONMENT } from './claim-story.ts';
import { freePorts } from './ports.ts';
import { type ServerProcess, startServer } from './process.ts';

export interface Nodes {
  /** Addresses of the REST APIs, running or not. */
  readonly urls: readonly string[];
  readonly running: readonly ServerProcess[];
  /** `kill -9` of one. */
  kill(which: number): Promise<void>;
  start(which: number): Promise<void>;
  /** SIGTERM to all; resolves to their exit codes. */
  stop(): Promise<readonly (number | null)[]>;
}

export const SYSADMIN_PASSWORD = 'nodes-test-sysadmin';

export async function startNodes(
  count: number,
  env: { readonly STORE_URL: string; readonly MQTT_BROKER_URL?: string } & Record<string, string>,
): Promise<Nodes> {
  const ports = await freePorts(count);
  const keys = {
    SECURITY_CLAIM_SERVER_KEY: randomBytes(32).toString('base64'),
    JWT_TOKEN_SIGNING_KEY: randomBytes(64).toString('base64'),
  };
  const start = (which: number) =>
    startServer({
      env: {
        SYSADMIN_PASSWORD,
        SECURITY_PASSWORD_HASH_COST: '1024',
        MQTT_BROKER_RESPONSE_TOPICS: 'any',
        ...STORY_ENVIRONMENT,
        ...keys,
        ...env,
        HTTP_BIND_PORT: String(ports[which]),
      },
    });
  // All at once on an empty store: the nodes race for the first start.
  const servers = await Promise.all(ports.map((_, which) => start(which)));
  return {
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    running: servers,
    async kill(which) {
      await servers[which]?.kill();
    },
    async start(which) {
      servers[which] = await start(which);
    },
    async stop() {
      const ends = await Promise.all(servers.map((server) => server.stop()));
      return ends.map(({ code }) => code);
    },
  };
}
