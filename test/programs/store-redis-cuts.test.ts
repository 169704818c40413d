/**
 * Three nodes at random on the same streams, entities, keys and lists, while their connections are cut in the middle of replies:
 * at no instant do two heads hold one key, and in the end keys and lists say what the heads say.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import type { IndexChanges, IndexEntries } from '../../actors/journal/journal.ts';
import { texts } from '../../actors/store/redis/connection.ts';
import { type HeldEntries, parseHeld } from '../../actors/store/redis/head.ts';
import { createKeys } from '../../actors/store/redis/keys.ts';
import { openRedisStore, type RedisSettings, type RedisStore } from '../../actors/store/redis/redis.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { entry, range } from '../contract/store.ts';
import { createDice, type Dice } from '../kit/dice.ts';
import { PATIENCE_MS } from '../kit/patience.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, redisSettings, startRedis } from '../kit/redis.ts';
import { openTcpProxy } from '../kit/tcp-proxy.ts';
import { pause, until } from '../kit/until.ts';

const MOVES = 600;
/** What is cut off at least. */
const CUTS_MIN = 11;
const CUT_EVERY_MS = 150;
const CUT_BYTES_MAX = 4_000;
const KEYS = range(5).map((n) => `key ${n}`);
const LISTS = ['list 0', 'list 1'];
/** Streams and entities. */
const NAMES = range(8).map((n) => (n % 2 === 0 ? `s${n}` : `kind/${n}`));

const cuts = suite('store: Redis: cuts');
const test = needing(['redis-server'], cuts);
cuts.after(cleanUpRedis);

test('Redis: whatever is cut off where, no key has two owners, and lists are right in the end', async () => {
  const server = await startRedis();
  const settings = redisSettings([server], { commandTimeoutMs: 1_000, orphanMs: 1_200, partitions: 4 });
  // Its connection is never cut, so it fails at nothing.
  const observer = await openRedisStore({ ...settings, commandTimeoutMs: PATIENCE_MS }, silentLog);
  const proxies = await Promise.all(range(3).map(() => openTcpProxy(server.port)));
  const nodes = await Promise.all(
    proxies.map(({ port }) => {
      const options = { host: '127.0.0.1', port };
      return opened({ ...settings, location: { type: 'single', options } });
    }),
  );
  const { partitionOf, partitions } = createKeys(settings.prefix, settings.partitions);
  const heads = NAMES.map((stream) => partitionOf(stream).head(stream));
  const dice = createDice(2026);

  /** All heads at one instant. */
  async function look(): Promise<ReadonlyMap<string, HeldEntries>> {
    const found = await observer.connection.send(heads[0] ?? '', ['MGET', ...heads]);
    const all = Array.isArray(found) ? found : [];
    return new Map(NAMES.map((stream, n) => [stream, frontOf(all[n] ?? null).held]));
  }

  let moved = 0;
  let unavailable = 0;
  async function play(store: RedisStore, stream: string): Promise<void> {
    const head = partitionOf(stream).head(stream);
    while (moved < MOVES || unavailable < CUTS_MIN) {
      try {
        const reply = await store.connection.send(head, ['GET', head]);
        const { sequence, held } = frontOf(typeof reply === 'string' ? reply : null);
        const index = drawChanges(stream, held, dice);
        const { type } = await move(store, stream, sequence, index);
        if (type === 'appended' || type === 'committed') moved += 1;
      } catch (error) {
        assert.instance(error, StoreUnavailable);
        unavailable += 1;
        await pause(20);
      }
    }
  }
  const playing = Promise.all(nodes.flatMap((store) => NAMES.map((stream) => play(store, stream))));
  const over = { yet: false };
  const cutting = (async () => {
    for (let n = 0; !over.yet; n += 1) {
      proxies[n % proxies.length]?.cutAfter(dice.between(1, CUT_BYTES_MAX));
      await pause(CUT_EVERY_MS);
    }
  })();
  const watching = (async () => {
    while (!over.yet) {
      const owned = [...(await look()).values()].flatMap(({ keys }) => [...keys.keys()]);
      assert.is(new Set(owned).size, owned.length, 'no key twice');
    }
  })();
  try {
    await playing;
  } finally {
    over.yet = true;
    await Promise.all([cutting, watching]);
  }
  await until('nothing is left to do', async () => {
    const left = await Promise.all(partitions.map(({ outbox }) => server.command('HLEN', outbox)));
    return left.every((count) => count === '0');
  });
  const all = [...(await look())];
  for (const key of KEYS) {
    assert.is(await observer.index.lookup(key), all.find(([, { keys }]) => keys.has(key))?.[0], key);
  }
  for (const list of LISTS) {
    const expected = all.filter(([stream, { members }]) => members.has(`${list}\0${stream}`));
    assert.equal(
      texts(await observer.index.page(list, { offset: 0, limit: 100 })),
      expected.map(([name]) => name).sort(),
      list,
    );
  }
  await Promise.all([...nodes, observer].map((store) => store.close()));
  await Promise.all(proxies.map((proxy) => proxy.close()));
});

/** One command may take longer than these settings have patience for. */
async function opened(settings: RedisSettings): Promise<RedisStore> {
  let store: RedisStore | undefined;
  await until('it is open', async () => {
    store = await openRedisStore(settings, silentLog);
    return true;
  });
  if (store === undefined) throw new Error('it was opened');
  return store;
}

/** An append of a stream, or a commit of an entity. */
function move({ journal, entities }: RedisStore, name: string, expected: number, index: IndexChanges) {
  const [kind, id] = name.split('/');
  if (id === undefined) return journal.append(entry(name, expected, { index }));
  return entities.commit({ name: `${kind}/${id}`, expected, text: `at ${expected + 1}`, index });
}

/** Lets go of some of what a stream or entity holds, and wants some of what it does not. */
function drawChanges(stream: string, { keys, members }: HeldEntries, dice: Dice) {
  const some = <Item>(items: readonly Item[], part: number) => items.filter(() => dice.chance(part));
  const membership = (list: string) => ({ list, member: stream });
  const isIn = (list: string) => members.has(`${list}\0${stream}`);
  const free = KEYS.filter((key) => !keys.has(key));
  const take: IndexEntries = {
    unique: some(free, 0.25),
    members: some(
      LISTS.filter((list) => !isIn(list)),
      0.5,
    ).map(membership),
  };
  const release: IndexEntries = {
    unique: some([...keys.keys()], 0.6),
    members: some(LISTS.filter(isIn), 0.5).map(membership),
  };
  return { take, release };
}

function frontOf(head: unknown): { readonly sequence: number; readonly held: HeldEntries } {
  const front = typeof head === 'string' ? head.slice(0, head.indexOf('\n')) : '0 - -';
  const [sequence, , ...held] = front.split(' ');
  return { sequence: Number(sequence), held: parseHeld(held.join(' ')) };
}

cuts.run();
