/**
 * Several nodes on one Redis: none loses another's update, and wherever a node dies between two of its writes, no key
 * has two owners and the others put the lists right.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import type { Append, IndexEntries } from '../../actors/journal/journal.ts';
import { Connection } from '../../actors/store/redis/connection.ts';
import { type HeldEntries, parseHeld } from '../../actors/store/redis/head.ts';
import { createKeys } from '../../actors/store/redis/keys.ts';
import { createOutbox } from '../../actors/store/redis/outbox.ts';
import { openRedisStore, type RedisSettings, type RedisStore } from '../../actors/store/redis/redis.ts';
import { UniqueKeys } from '../../actors/store/redis/unique.ts';
import { entry, range, wholeLog } from '../contract/store.ts';
import { needing } from '../kit/programs.ts';
import {
  cleanUpRedis,
  type RedisServer,
  redisSettings,
  startRedis,
  startRedisWithSlots,
} from '../kit/redis.ts';
import { until } from '../kit/until.ts';

const NOTHING: IndexEntries = { unique: [], members: [] };
/** For so long a node that has died is taken for slow. */
const ORPHAN_MS = 150;
/** Settings of nodes that take nobody for dead while a test lasts. */
const PATIENT = { orphanMs: 600_000 };

const nodes = suite('store: Redis: nodes');
const test = needing(['redis-server'], nodes);
nodes.after(cleanUpRedis);

const started = new Map<boolean, Promise<RedisServer>>();
const opened: RedisStore[] = [];
nodes.after.each(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

/** On one with slots a move takes more steps, as lists follow it; so that is what most of these tests need. */
function server(hasSlots = true): Promise<RedisServer> {
  const known = started.get(hasSlots) ?? (hasSlots ? startRedisWithSlots() : startRedis());
  started.set(hasSlots, known);
  return known;
}

async function open(settings: RedisSettings, more: Partial<RedisSettings> = {}): Promise<RedisStore> {
  const store = await openRedisStore({ ...settings, orphanMs: ORPHAN_MS, ...more }, silentLog);
  opened.push(store);
  return store;
}

test('Redis: of nodes on one store none loses another’s update', async () => {
  const settings = redisSettings([await server()]);
  const stores = await Promise.all(range(3).map(() => open(settings)));
  const streams = range(10).map((n) => `s${n}`);
  const rounds = 20;
  await Promise.all(
    stores.flatMap(({ journal }, node) =>
      streams.map(async (stream) => {
        for (let round = 0; round < rounds; ) {
          const { sequence: expected } = await journal.load(stream);
          const { type } = await journal.append(entry(stream, expected, { event: `${node} ${round}` }));
          if (type === 'appended') round += 1;
        }
      }),
    ),
  );
  const [first] = stores;
  assert.ok(first);
  const log = await wholeLog(first.journal);
  assert.is(log.length, streams.length * stores.length * rounds);
  assert.is(new Set(log.map(({ stream, event }) => `${stream} ${event}`)).size, log.length);
  for (const stream of streams) {
    const sequences = log.filter((event) => event.stream === stream).map(({ sequence }) => sequence);
    assert.equal(
      sequences,
      range(sequences.length).map((n) => n + 1),
    );
  }
});

test('Redis: of rivals on many nodes for two keys, wanted in either order, one gets both or each gets one', async () => {
  const settings = redisSettings([await server()]);
  const stores = await Promise.all(range(3).map(() => open(settings)));
  for (const round of range(15)) {
    const keys = [`a${round}`, `b${round}`];
    const results = await Promise.all(
      range(12).map(async (n) => {
        const stream = `r${round}-${n}`;
        const wish = n % 2 === 0 ? keys : [...keys].reverse();
        const take = { unique: n % 3 === 0 ? wish.slice(0, 1) : wish, members: [] };
        const append = entry(stream, 0, { index: { take, release: NOTHING } });
        return { stream, take, result: await stores[n % 3]?.journal.append(append) };
      }),
    );
    const winners = results.filter(({ result }) => result?.type === 'appended');
    const owned = winners.flatMap(({ take }) => take.unique);
    assert.is(new Set(owned).size, owned.length, 'no key twice');
    assert.ok(owned.length > 0);
    for (const { stream, take } of winners) {
      for (const key of take.unique) assert.is(await stores[0]?.index.lookup(key), stream);
    }
  }
});

test('Redis: of nodes that enter and leave one list for one stream the last head decides', async () => {
  const settings = redisSettings([await server()]);
  const [a, b] = await Promise.all([open(settings), open(settings)]);
  const members = [{ list: 'list', member: 'm' }];
  let expected = 0;
  for (const round of range(60)) {
    const { journal } = round % 2 === 0 ? a : b;
    const index =
      round % 2 === 0
        ? { take: { unique: [], members }, release: NOTHING }
        : { take: NOTHING, release: { unique: [], members } };
    // The next one does not wait for what this one leaves to be done.
    const appended = journal.append(entry('s', expected, { index }));
    await until('the head has moved', async () => (await journal.load('s')).sequence === expected + 1);
    expected += 1;
    if (round % 7 === 0) await appended;
  }
  await until('the list agrees', async () => (await a.index.count('list')) === 0);
  await until('nothing is left to do', async () => (await leftToDo(settings)) === 0);
  assert.equal(await a.index.page('list', { offset: 0, limit: 10 }), []);
});

test('Redis: a node that comes to a list late puts right what another has done since', async () => {
  for (const enters of [true, false]) {
    const settings = redisSettings([await server()]);
    const other = await open(settings, PATIENT);
    const members = [{ list: 'list', member: 'm' }];
    const enter = { take: { unique: [], members }, release: NOTHING };
    const leave = { take: NOTHING, release: { unique: [], members } };
    if (!enters) await other.journal.append(entry('s', 0, { index: enter }));
    const { sequence } = await other.journal.load('s');
    await until('nothing is left to do', async () => (await leftToDo(settings)) === 0);

    const slow = await open(settings, PATIENT); // not before, or it might look at what the other has left
    const wake = sleepAfter(slow, 1);
    const late = slow.journal.append(entry('s', sequence, { index: enters ? enter : leave }));
    await until('it has appended', async () => (await other.journal.load('s')).sequence > sequence);
    const opposite = entry('s', sequence + 1, { index: enters ? leave : enter });
    assert.equal(await other.journal.append(opposite), { type: 'appended' });
    wake();
    assert.equal(await late, { type: 'appended' });
    await until('nothing is left to do', async () => (await leftToDo(settings)) === 0);
    assert.is(await other.index.count('list'), enters ? 0 : 1);
  }
});

test('Redis: a node that begins while others are at work undoes nothing of theirs', async () => {
  for (const enters of [true, false]) {
    const settings = redisSettings([await server()]);
    const other = await open(settings, PATIENT);
    const members = [{ list: 'list', member: 'm' }];
    const enter = { take: { unique: [], members }, release: NOTHING };
    const leave = { take: NOTHING, release: { unique: [], members } };
    if (!enters) await other.journal.append(entry('s', 0, { index: enter }));
    const { sequence } = await other.journal.load('s');
    await until('nothing is left to do', async () => (await leftToDo(settings)) === 0);

    const owner = await open(settings, PATIENT); // not before, or it might look at what the other has left
    await owner.journal.append(entry('another', 0)); // so that the script is known
    const goOn = sleepAfter(owner, 1);
    const first = owner.journal.append(entry('s', sequence, { index: enters ? enter : leave }));
    await until('it has left something to do', async () => (await leftToDo(settings)) === 1);

    const newcomer = await Connection.open(
      { ...settings, ...PATIENT, log: silentLog },
      settings.connectTimeoutMs,
    );
    const { wake, asleep } = sleepBefore(newcomer, ['ZADD', 'ZREM']);
    const keys = createKeys(settings.prefix, settings.partitions);
    const outbox = createOutbox(newcomer, keys, new UniqueKeys(newcomer, keys), PATIENT.orphanMs, silentLog);
    outbox.start();
    await asleep; // it has looked at the head, and is about to do what that says
    goOn();
    await first;
    const opposite = entry('s', sequence + 1, { index: enters ? leave : enter });
    assert.equal(await other.journal.append(opposite), { type: 'appended' });
    await until('nothing is left to do', async () => (await leftToDo(settings)) === 0);
    wake();
    await outbox.stop();
    newcomer.destroy();
    assert.is(await other.index.count('list'), enters ? 0 : 1);
  }
});

// ------------------------------------------------------------------------------------- a node dies between two writes

interface Scene {
  readonly words: string;
  /** What is there before. */
  readonly before: readonly Append[];
  /** What the node is about when it dies. */
  readonly last: Append;
  /** What a rival wants afterwards. */
  readonly rival: IndexEntries;
}

const at = (list: string, member: string) => ({ list, member });
const index = (take: Partial<IndexEntries>, release: Partial<IndexEntries> = {}) => ({
  take: { ...NOTHING, ...take },
  release: { ...NOTHING, ...release },
});
const first = entry('s', 0, {
  index: index({ unique: ['a', 'b'], members: [at('all', 's'), at('names', 'old s')] }),
});

const STREAM_SCENES: readonly Scene[] = [
  {
    words: 'while it makes something with two keys',
    before: [],
    last: first,
    rival: { unique: ['b', 'a'], members: [at('all', 'rival')] },
  },
  {
    words: 'while it exchanges a key and a membership',
    before: [first],
    last: entry('s', 1, {
      index: index(
        { unique: ['c'], members: [at('names', 'new s')] },
        { unique: ['a'], members: [at('names', 'old s')] },
      ),
    }),
    rival: { unique: ['a', 'c'], members: [] },
  },
  {
    words: 'while it takes a key anew that it holds',
    before: [first],
    last: entry('s', 1, { index: index({ unique: ['a'] }) }),
    rival: { unique: ['a'], members: [] },
  },
  {
    words: 'while it removes all',
    before: [first],
    last: entry('s', 1, {
      state: undefined,
      index: index({}, { unique: ['a', 'b'], members: [at('all', 's'), at('names', 'old s')] }),
    }),
    rival: { unique: ['a', 'b'], members: [] },
  },
];

const named = (name: string) => (append: Append) => ({ ...append, stream: name });

/** What it does to a stream it does to an entity. */
const PLACES = [true, false].flatMap((hasSlots) => ['s', 'kind/s'].map((name) => ({ hasSlots, name })));
const SCENES = PLACES.flatMap(({ hasSlots, name }) =>
  STREAM_SCENES.map(({ words, before, last, rival }) => ({
    name,
    hasSlots,
    words: `${words} of ${name === 's' ? 'a stream' : 'an entity'}${hasSlots ? '' : ', on a Redis without slots,'}`,
    before: before.map(named(name)),
    last: named(name)(last),
    rival,
  })),
);

/** An append; or where the name is an entity's, the same as a commit. */
async function move({ journal, entities }: RedisStore, append: Append): Promise<string> {
  const { stream, expected, state: text, index: changes } = append;
  const [kind, id] = stream.split('/');
  if (id === undefined) return (await journal.append(append)).type;
  return (await entities.commit({ name: `${kind}/${id}`, expected, text, index: changes })).type;
}

for (const { name, hasSlots, words, before, last, rival } of SCENES) {
  test(`Redis: a node that dies ${words}, after any of its commands, leaves one owner and right lists`, async () => {
    const redis = await server(hasSlots);
    for (let commands = 0; ; commands += 1) {
      const settings = redisSettings([redis]);
      const other = await open(settings);
      for (const append of before) assert.match(await move(other, append), /^(appended|committed)$/);

      const dying = await open(settings);
      const { death, bury } = dieAfter(dying, commands);
      const end = await Promise.race([move(dying, last).then(() => 'alive'), death]);

      const wish = entry('rival', 0, { index: { take: rival, release: NOTHING } });
      const { type } = await other.journal.append(wish);
      const heads = await Promise.all([name, 'rival'].map((holder) => heldBy(redis, settings, holder)));
      const [own, others] = heads;
      assert.ok(own && others);
      for (const key of ['a', 'b', 'c']) {
        const holders = heads.filter(({ keys }) => keys.has(key)).length;
        assert.ok(holders <= 1, `after ${commands} commands ${key} has ${holders} owners`);
        const said = await other.index.lookup(key);
        if (holders === 0) assert.is(said, undefined, `after ${commands} commands: ${key}`);
        if (own.keys.has(key)) assert.is(said, name, `after ${commands} commands: ${key}`);
        if (others.keys.has(key)) assert.is(said, 'rival', `after ${commands} commands: ${key}`);
      }
      const inTheWay = rival.unique.some((key) => own.keys.has(key));
      assert.is(type, inTheWay ? 'taken' : 'appended', `after ${commands} commands`);

      await until('nothing is left to do', async () => (await leftToDo(settings, redis)) === 0);
      for (const list of ['all', 'names']) {
        const expected = heads
          .flatMap(({ members }) => [...members])
          .filter((member) => member.startsWith(`${list}\0`))
          .map((member) => member.slice(list.length + 1))
          .sort();
        const told = await other.index.page(list, { offset: 0, limit: 10 });
        assert.equal(told, expected, `${list} after ${commands} commands`);
      }
      bury();
      if (end === 'alive') break;
      assert.ok(commands < 50, 'it ends');
    }
  });
}

test('Redis: a node that sleeps between its writes finds, when it wakes, that others did not wait for it', async () => {
  for (const commands of [1, 2]) {
    const settings = redisSettings([await server()]);
    const [slow, other] = await Promise.all([open(settings), open(settings, PATIENT)]);
    const wake = sleepAfter(slow, commands);
    const late = slow.journal.append(first);
    const name = `${settings.prefix}:unique:${commands === 1 ? 'a' : 'b'}`;
    await until('its name is on a key', async () => (await (await server()).command('GET', name)) !== '');

    const wish = entry('rival', 0, { index: index({ unique: ['a', 'b'] }) });
    assert.equal(await other.journal.append(wish), { type: 'appended' });
    wake();
    assert.equal(
      await late,
      { type: 'taken', key: commands === 1 ? 'b' : 'a' },
      `asleep after ${commands} commands`,
    );
    assert.is((await other.journal.load('s')).sequence, 0);
    for (const key of ['a', 'b']) assert.is(await other.index.lookup(key), 'rival');
    assert.is(await other.index.count('all'), 0);
  }
});

/** After its n-th command a node sleeps until it is woken; then all that it wanted to send leaves. */
function sleepAfter(store: RedisStore, commands: number): () => void {
  const { client } = store.connection;
  const send = client.sendCommand.bind(client) as (...args: unknown[]) => Promise<unknown>;
  let wake = () => {};
  const awake = new Promise<void>((resolve) => {
    wake = resolve;
  });
  let sent = 0;
  Object.defineProperty(client, 'sendCommand', {
    value: async (...args: unknown[]) => {
      if (!isHousekeeping(args)) sent += 1;
      if (sent > commands) await awake;
      return send(...args);
    },
  });
  return wake;
}

/** A node sleeps when it is about to send one of these, until it is woken. */
function sleepBefore({ client }: Connection, commands: readonly string[]) {
  const send = client.sendCommand.bind(client) as (...args: unknown[]) => Promise<unknown>;
  let wake = () => {};
  const awake = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const asleep = new Promise<void>((resolve) => {
    Object.defineProperty(client, 'sendCommand', {
      value: async (...args: unknown[]) => {
        const [command] = args;
        if (Array.isArray(command) && commands.includes(String(command[0]))) {
          resolve();
          await awake;
        }
        return send(...args);
      },
    });
  });
  return { wake, asleep };
}

/**
 * From its n-th command on a node is as if it were gone: nothing leaves it, and it hears nothing until it is buried.
 * `death` resolves when it comes to that.
 */
function dieAfter(store: RedisStore, commands: number): { death: Promise<'dead'>; bury: () => void } {
  const { client } = store.connection;
  const send = client.sendCommand.bind(client) as (...args: unknown[]) => Promise<unknown>;
  let sent = 0;
  let died = false;
  /** What it sent before it died arrives, and before a rival looks: else a rival might see the head that it had. */
  const onTheirWay: Promise<unknown>[] = [];
  let bury = () => {};
  const buried = new Promise((_, reject) => {
    bury = () => reject(new Error('the node is dead'));
  });
  buried.catch(() => {});
  const death = new Promise<'dead'>((resolve) => {
    Object.defineProperty(client, 'sendCommand', {
      value: (...args: unknown[]) => {
        if (sent >= commands && !isHousekeeping(args)) {
          died = true;
          void Promise.allSettled(onTheirWay).then(() => resolve('dead'));
        }
        if (!isHousekeeping(args)) sent += 1;
        if (died) return buried;
        const reply = send(...args);
        onTheirWay.push(reply);
        return reply;
      },
    });
  });
  return { death, bury };
}

/** What every node does now and then, whatever it is asked. */
function isHousekeeping([args]: unknown[]): boolean {
  return Array.isArray(args) && (args[0] === 'HSCAN' || args[0] === 'PING');
}

async function heldBy(redis: RedisServer, settings: RedisSettings, stream: string): Promise<HeldEntries> {
  const { prefix, partitions } = settings;
  const head = createKeys(prefix, partitions).partitionOf(stream).head(stream);
  const text = await redis.command('GET', head);
  const front = text.slice(0, text.indexOf('\n'));
  return parseHeld(front === '' ? '-' : front.split(' ').slice(2).join(' '));
}

async function leftToDo({ prefix, partitions }: RedisSettings, at?: RedisServer): Promise<number> {
  const redis = at ?? (await server());
  const counts = await Promise.all(
    createKeys(prefix, partitions).partitions.map(({ outbox }) => redis.command('HLEN', outbox)),
  );
  return counts.map(Number).reduce((sum, count) => sum + count, 0);
}

nodes.run();
