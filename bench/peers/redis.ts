/** The least that is durable: Hono, Redis and a Lua script (`redis-routes.ts`), every write flushed. */
import { fileURLToPath } from 'node:url';
import { startScript } from '../targets/program.ts';
import { startRedis } from '../targets/redis.ts';
import { type Peer, withoutProbe } from './peer.ts';

const HOST = '127.0.0.1';
const SCRIPT = fileURLToPath(new URL('./redis-routes.js', import.meta.url));
const PATHS: { readonly [step: string]: string } = {
  open: '/open/{n}',
  confirm: '/claim/{n}',
  reclaim: '/claim/{n}',
};

export async function startRedisPeer(): Promise<Peer> {
  const redis = await startRedis('set'); // opening a window is one, and a claim's script contains one
  const routes = await startScript(SCRIPT, String(redis.port));
  return {
    name: 'redis',
    durability: 'in its log (fsync)',
    watched: { ...withoutProbe(routes.pid, [{ name: 'redis', pid: redis.pid }]), commits: redis.commits },
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
