/** Golden copies of stored data, as older versions wrote it (`make.ts`), brought back to life. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { RedisServer } from '../redis.ts';
import type { Life } from './life.ts';
import type { GoldenNotes } from './story.ts';

export interface GoldenCopy {
  readonly lmdb: GoldenNotes;
  readonly redis: GoldenNotes;
}

/** Beside the sources: compiling copies no data. */
export function goldenFolder(format: string): string {
  return fileURLToPath(new URL(`../../../../test/kit/golden/format-${format}`, import.meta.url));
}

export function goldenNotes(format: string): GoldenCopy {
  return JSON.parse(readFileSync(join(goldenFolder(format), 'notes.json'), 'utf8'));
}

/** Lays the data folder of a server out. */
export function layOutFolder(format: string, dataDir: string): void {
  const store = join(dataDir, 'store');
  mkdirSync(store, { recursive: true });
  writeFileSync(join(store, 'data.mdb'), gunzipSync(readFileSync(join(goldenFolder(format), 'data.mdb.gz'))));
}

/** Fills a Redis, one server or the masters of a cluster. */
export async function fillRedis(format: string, servers: readonly RedisServer[]): Promise<void> {
  const text = gunzipSync(readFileSync(join(goldenFolder(format), 'redis.jsonl.gz'))).toString();
  for (const line of text.trim().split('\n')) {
    const command: string[] = JSON.parse(line);
    const filled = await Promise.allSettled(servers.map((server) => server.command(...command)));
    if (!filled.some(({ status }) => status === 'fulfilled')) throw new Error(`no server took ${line}`);
  }
}

/** Every key as the command that makes it; counters and probes are left out. */
const DUMP = `
  local all = {}
  for _, key in ipairs(redis.call('KEYS', '*')) do
    local kind = redis.call('TYPE', key).ok
    if not string.find(key, ':limit:') and not string.find(key, ':probe$') then
      if kind == 'string' then all[#all + 1] = { 'SET', key, redis.call('GET', key) }
      elseif kind == 'hash' then all[#all + 1] = { 'HSET', key, unpack(redis.call('HGETALL', key)) }
      elseif kind == 'zset' then
        local command = { 'ZADD', key }
        local found = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
        for n = 1, #found, 2 do
          command[#command + 1] = found[n + 1]
          command[#command + 1] = found[n]
        end
        all[#all + 1] = command
      else
        for _, entry in ipairs(redis.call('XRANGE', key, '-', '+')) do
          all[#all + 1] = { 'XADD', key, entry[1], unpack(entry[2]) }
        end
      end
    end
  end
  return cjson.encode(all)`;

/** What is in a Redis, as commands in a fixed order. */
export async function dumpRedis(server: RedisServer): Promise<readonly string[][]> {
  const commands: string[][] = JSON.parse(await server.command('EVAL', DUMP, '0'));
  return commands.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** The lives that are in the copies of a format, by store. */
export function livesOf(format: string): { readonly lmdb: Life; readonly redis: Life } {
  return JSON.parse(readFileSync(join(goldenFolder(format), 'lives.json'), 'utf8'));
}
