/**
 * Makes a golden copy of a life with credentials, as `make.ts` does of the story:
 *
 *   npm run build && node dist/test/kit/golden/make-life.js 2 path/to/old/dist/config/process/main.js
 *
 * Format 2 was made by commit 1001513, format 3 by 3c3d704d.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { copyLmdbStore } from '../../../actors/store/lmdb/copy.ts';
import { restApi } from '../api.ts';
import { temporaryFolder } from '../folders.ts';
import { cleanUp, startServer } from '../process.ts';
import { cleanUpRedis, startRedis } from '../redis.ts';
import { dumpRedis, goldenFolder } from './copies.ts';
import { LIFE_ENVIRONMENT, live } from './life.ts';

const [format = '', main = ''] = process.argv.slice(2);
const folder = goldenFolder(format);
mkdirSync(folder, { recursive: true });
const packed = (name: string, content: Buffer | string) =>
  writeFileSync(join(folder, name), gzipSync(content, { level: 9 }));

const dataDir = temporaryFolder();
const embedded = await startServer({ main: resolve(main), dataDir, env: LIFE_ENVIRONMENT });
const lmdb = await live(restApi(embedded.url));
await embedded.stop();
const copy = temporaryFolder();
await copyLmdbStore(join(dataDir, 'store'), copy);
packed('data.mdb.gz', readFileSync(join(copy, 'data.mdb')));

const server = await startRedis();
const env = { ...LIFE_ENVIRONMENT, STORE_URL: server.url, AUDIT_LOG_ENABLED: 'false' };
const node = await startServer({ main: resolve(main), env });
const redis = await live(restApi(node.url));
await node.stop();
packed(
  'redis.jsonl.gz',
  `${(await dumpRedis(server)).map((command) => JSON.stringify(command)).join('\n')}\n`,
);

writeFileSync(join(folder, 'lives.json'), `${JSON.stringify({ lmdb, redis }, null, 2)}\n`);
await cleanUp();
await cleanUpRedis();
