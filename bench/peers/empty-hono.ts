/** An empty JSON POST on Hono, which claimd uses too: the cost of a request that does nothing. */
import { fileURLToPath } from 'node:url';
import { startScript } from '../targets/program.ts';
import { type Peer, withoutProbe } from './peer.ts';

const HOST = '127.0.0.1';
const SCRIPT = fileURLToPath(new URL('./hono.js', import.meta.url));

export async function startHono(): Promise<Peer> {
  const running = await startScript(SCRIPT);
  return {
    name: 'hono',
    durability: 'none',
    watched: withoutProbe(running.pid),
    keepsState: false,
    translate(step) {
      if (step.type !== 'http') return undefined;
      const there = { host: HOST, ports: [running.port], path: '/', method: 'POST' } as const;
      return { ...step, ...there, right: ['200'], reads: 'status' };
    },
    stop: running.stop,
  };
}
