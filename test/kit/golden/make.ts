/**
 * Makes a golden copy of stored data: tells the story to a server of the version that is to be kept, on LMDB and on
 * Redis, and writes what it left beside this file's source.
 *
 *   npm run build && node dist/test/kit/golden/make.js 1 path/to/old/dist/config/main.js
 *
 * Format 1 was made by commit 0e0ab9f. Activation links live for some days at most, so the end of the open one is put
 * off by hand.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { open } from 'lmdb';
import { type Api, restApi } from '../api.ts';
import { temporaryFolder } from '../folders.ts';
import { cleanUp, startServer } from '../process.ts';
import { cleanUpRedis, startRedis } from '../redis.ts';
import { dumpRedis, type GoldenCopy, goldenFolder } from './copies.ts';
import { GOLDEN_ENVIRONMENT, type GoldenNotes, tellStory, walkThrough, YEARS_MS } from './story.ts';

const [format = '', main = ''] = process.argv.slice(2);
const folder = goldenFolder(format);
mkdirSync(folder, { recursive: true });

const dataDir = temporaryFolder();
const embedded = await startServer({ main: resolve(main), dataDir, env: GOLDEN_ENVIRONMENT });
const onLmdb = await tell(restApi(embedded.url));
await embedded.stop();
const compact = temporaryFolder();
const env = open({ path: join(dataDir, 'store'), maxDbs: 16 });
const records = env.openDB<string, string>('records', { encoding: 'string' });
for (const { key, value } of [...records.getRange({ start: 'user:', end: 'user;' })])
  records.putSync(key, putOff(value));
await env.backup(compact, true);
await env.close();
writeFileSync(join(folder, 'data.mdb.gz'), gzipSync(readFileSync(join(compact, 'data.mdb')), { level: 9 }));

const redis = await startRedis();
const node = await startServer({ main: resolve(main), env: { ...GOLDEN_ENVIRONMENT, STORE_URL: redis.url } });
const onRedis = await tell(restApi(node.url));
await node.stop();
const commands = await dumpRedis(redis);
const lines = commands
  .map((command) => (command[1]?.includes(':record:user:') ? command.map(putOff) : command))
  .map((command) => JSON.stringify(command))
  .sort();
writeFileSync(join(folder, 'redis.jsonl.gz'), gzipSync(`${lines.join('\n')}\n`, { level: 9 }));

const copy: GoldenCopy = { lmdb: onLmdb, redis: onRedis };
writeFileSync(join(folder, 'notes.json'), `${JSON.stringify(copy, null, 2)}\n`);
await cleanUp();
await cleanUpRedis();

function putOff(user: string): string {
  return user.replace(/"expiresAt":(\d+)/, (_, at) => `"expiresAt":${Number(at) + YEARS_MS}`);
}

async function tell(api: Api): Promise<GoldenNotes> {
  const notes = await tellStory(api);
  await new Promise((done) => setTimeout(done, 3_000)); // the audit log follows within a second
  await walkThrough(api, notes);
  return notes;
}
