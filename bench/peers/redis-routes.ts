/**
 * The simplest claiming server that one could build: Hono in front of Redis, a window as `SET … PX`, a claim as one Lua
 * script. It has no users, checks no tokens, and keeps no history. Redis flushes every write.
 *
 *   node redis-routes.js REDIS_PORT PORT
 */
import { createHash } from 'node:crypto';
import { serve } from '@hono/node-server';
import { createClient } from '@redis/client';
import { Hono } from 'hono';

const CLAIM = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 'CLAIMED' end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FAILURE' end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1])
return 'SUCCESS'`;

const [redisPort, port] = process.argv.slice(2).map(Number);
const redis = createClient({ url: `redis://127.0.0.1:${redisPort}` });
await redis.connect();
const sha = await redis.scriptLoad(CLAIM);

const app = new Hono();

app.post('/open/:device', async (c) => {
  const { secretKey, durationMs } = await c.req.json<{ secretKey: string; durationMs: number }>();
  await redis.set(`window:{${c.req.param('device')}}`, secretKey, { PX: durationMs });
  return c.json({});
});

app.post('/claim/:device', async (c) => {
  const { secretKey } = await c.req.json<{ secretKey: string }>();
  const device = c.req.param('device');
  const user = createHash('sha256')
    .update(c.req.header('x-authorization') ?? '')
    .digest('hex');
  const response = await redis.evalSha(sha, {
    keys: [`window:{${device}}`, `owner:{${device}}`],
    arguments: [secretKey, user],
  });
  return c.json({ response }, response === 'SUCCESS' ? 200 : 400);
});

app.delete('/claim/:device', async (c) => {
  await redis.del(`owner:{${c.req.param('device')}}`);
  return c.body(null, 200);
});

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: port ?? 0 });
