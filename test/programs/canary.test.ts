/** Undocumented parts of @redis/client's clusters that actors/store/redis/connection.ts uses. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createMany } from '../../actors/store/redis/client.ts';
import { PATIENCE_MS } from '../kit/patience.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, redisSettings, startRedisCluster } from '../kit/redis.ts';

const redisTest = needing(['redis-server'], test);

test.after(cleanUpRedis);

async function connected() {
  const { location } = redisSettings(await startRedisCluster());
  if (location.type !== 'cluster') throw new Error('not the settings of a cluster');
  const client = createMany(location, PATIENCE_MS);
  client.on('error', () => {});
  await client.connect();
  return client;
}

redisTest('canary: `_slots.rediscover` asks the cluster who its masters are (#lookAround)', async () => {
  const client = await connected();
  const before = client.masters;
  const ready = before.map((master) => master.client).find((one) => one?.isReady === true);
  assert.ok(ready);
  await client._slots.rediscover(ready);
  assert.is.not(client.masters, before);
  assert.is(client.masters.length, 3);
  client.destroy();
});

redisTest(
  'canary: a master whose `client` is deleted gets a new one with the next command (#replace)',
  async () => {
    const client = await connected();
    for (const master of client.masters) {
      master.client?.destroy();
      delete master.client;
    }
    const send = () => client.sendCommand('key', false, ['SET', 'key', 'text']);
    assert.is(String(await send()), 'OK');
    assert.is(client.masters.filter((master) => master.client?.isReady === true).length, 1);
    client.destroy();
  },
);

test.run();
