/** What nodes count together on one Redis, or on a cluster: as one process would, and not at all while it is away. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { redisCounters } from '../../actors/store/redis/counters.ts';
import { openRedisStore } from '../../actors/store/redis/redis.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, redisSettings, startRedis, startRedisCluster } from '../kit/redis.ts';
import { until } from '../kit/until.ts';

/** On a busy machine twenty counts may take longer: then they are counted under another key. */
const WINDOW_MS = 4_000;

const counters = suite('Redis: counters');
const test = needing(['redis-server'], counters);
counters.after(cleanUpRedis);

for (const kind of ['one', 'cluster'] as const) {
  test(`Redis: ${kind}: counters are shared by nodes, told apart by name and key, and begin anew`, async () => {
    const servers = kind === 'one' ? [await startRedis()] : await startRedisCluster();
    const settings = redisSettings(servers);
    const stores = await Promise.all([
      openRedisStore(settings, silentLog),
      openRedisStore(settings, silentLog),
    ]);
    const [a, b] = stores.map((store) =>
      redisCounters(store.connection, settings.prefix)('wrong-secrets', { windowMs: WINDOW_MS }),
    );
    assert.ok(a && b);
    const impatient = await openRedisStore({ ...settings, commandTimeoutMs: 5_000 }, silentLog);
    /** Twenty counts, and what is read then; undefined where they took longer than the window is. */
    const counted = async (key: string) => {
      const begun = performance.now();
      assert.equal(await a.get(key), { count: 0, resetsInMs: WINDOW_MS });
      const counts = await Promise.all(
        Array.from({ length: 20 }, async (_, n) => (await (n % 2 === 0 ? a : b).add(key)).count),
      );
      const read = await b.get(key);
      return performance.now() - begun < WINDOW_MS ? { key, counts, read } : undefined;
    };
    let found: Awaited<ReturnType<typeof counted>>;
    let tries = 0;
    await until('twenty come within one window', async () => {
      tries += 1;
      found = await counted(`x${tries}`);
      return found !== undefined;
    });
    assert.ok(found);
    const { key, counts, read } = found;
    assert.equal(
      counts.sort((one, other) => one - other),
      Array.from({ length: 20 }, (_, n) => n + 1),
    );
    assert.is(read.count, 20);
    assert.ok(read.resetsInMs > 0 && read.resetsInMs <= WINDOW_MS);
    assert.is((await a.get('y')).count, 0);
    const other = redisCounters(stores[0]?.connection ?? assert.unreachable(), settings.prefix);
    assert.is((await other('logins', { windowMs: WINDOW_MS }).get(key)).count, 0);

    await until('the window is over', async () => (await a.get(key)).count === 0);
    // In its last millisecond it reads as over and still counts.
    await until('it begins anew', async () => (await b.add(key)).count === 1);

    const last = redisCounters(impatient.connection, settings.prefix)('wrong-secrets', {
      windowMs: WINDOW_MS,
    });
    await Promise.all(servers.map((server) => server.kill()));
    assert.instance(await last.add(key).catch((error: unknown) => error), StoreUnavailable);
    assert.instance(await last.get(key).catch((error: unknown) => error), StoreUnavailable);
    await Promise.all([...stores, impatient].map((store) => store.close()));
  });
}

counters.run();
