/** Starts a Redis that flushes every write before it answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { type Running, startProgram } from './program.ts';

export interface RunningRedis extends Running {
  /** The number of changes so far. */
  commits(): Promise<number | undefined>;
}

/** @param counted commands that count as one change each; by default scripts */
export async function startRedis(counted = 'eval|evalsha|fcall'): Promise<RunningRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'claimd-bench-redis-'));
  const running = await startProgram('redis-server', (port) => [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    ...[
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--loglevel',
      'warning',
      '--logfile',
      join(folder, 'log'),
    ],
  ]);
  const client = createClient({ url: `redis://127.0.0.1:${running.port}` });
  client.on('error', () => {}); // its server is killed while it is connected
  await client.connect();
  return {
    ...running,
    async commits() {
      const stats = await client.info('commandstats');
      const calls = [...stats.matchAll(new RegExp(`^cmdstat_(?:${counted}):calls=(\\d+)`, 'gm'))];
      return calls.reduce((sum, [, number]) => sum + Number(number), 0);
    },
    async stop() {
      client.destroy();
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
