/** The least that keeps its word: Hono, Redis and a Lua script (`redis-routes.ts`), on a Redis that flushes writes. */
import { fileURLToPath } from 'node:url';
import { startScript } from '../targets/program.ts';
import { startRedis } from '../targets/redis.ts';
import { type Peer, seen } from './peer.ts';

const HOST = '127.0.0.1';
const SCRIPT = fileURLToPath(new URL('./redis-routes.js', import.meta.url));
const PATHS: { readonly [step: string]: string } = {
  open: '/open/{n}',
  confirm: '/claim/{n}',
  reclaim: '/claim/{n}',
};

export async function startRedisPeer(): Promise<Peer> {
  const redis = await startRedis('set'); // a window is one, a claim has one in its script
  const routes = await startScript(SCRIPT, String(redis.port));
  return {
    name: 'redis',
    watched: { ...seen(routes.pid, [{ name: 'redis', pid: redis.pid }]), commits: redis.commits },
    keepsState: true,
    translate(step) {
      const path = PATHS[step.name];
      if (step.type !== 'http' || path === undefined) return undefined;
      return { ...step, host: HOST, ports: [routes.port], path };
    },
    async stop() {
      await routes.stop();
      await redis.stop();
    },
  };
}
