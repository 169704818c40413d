/** Mosquitto without persistence: what a broker in C needs to acknowledge the same publications, keeping nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram } from '../targets/program.ts';
import type { Peer } from './peer.ts';
import { seen } from './peer.ts';

const HOST = '127.0.0.1';

export async function startMosquitto(): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'claimd-bench-mosquitto-'));
  const file = join(folder, 'mosquitto.conf');
  const running = await startProgram('mosquitto', (port) => {
    const lines = [`listener ${port} ${HOST}`, 'allow_anonymous true', 'persistence false', 'log_type none'];
    writeFileSync(file, `${lines.join('\n')}\n`);
    return ['-c', file];
  });
  return {
    name: 'mosquitto',
    watched: seen(running.pid),
    keepsState: false,
    translate(step) {
      const there = { host: HOST, ports: [running.port] };
      return step.type === 'mqtt' || step.type === 'connect' ? { ...step, ...there } : undefined;
    },
    async stop() {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
