/**
 * What is in Redis, key by key, as format 4 says it (see the table in `actors/store/redis/redis.ts`). While format 4 is not released, a
 * change here needs a step that lifts format 1 to it; afterwards, a new format.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { openRedisStore } from '../../actors/store/redis/redis.ts';
import { allDue, wholeLog } from '../contract/store.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, type RedisServer, redisSettings, startRedis } from '../kit/redis.ts';
import { until } from '../kit/until.ts';

const format = suite('store: Redis: format');
const test = needing(['redis-server'], format);
format.after(cleanUpRedis);

const NOTHING = { unique: [], members: [] };

/** Every key with what is in it, sorted; read by the server itself. */
async function contents(server: RedisServer): Promise<unknown> {
  const dump = `
    local all = {}
    for _, key in ipairs(redis.call('KEYS', '*')) do
      local kind = redis.call('TYPE', key).ok
      local value
      if kind == 'string' then value = redis.call('GET', key)
      elseif kind == 'hash' then value = redis.call('HGETALL', key)
      elseif kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
      else value = redis.call('XRANGE', key, '-', '+') end
      all[key] = value
    end
    return cjson.encode(all)`;
  return JSON.parse(await server.command('EVAL', dump, '0'));
}

test('Redis format 4: heads, details, alarms, logs, unique keys, lists, records and the format itself', async () => {
  const server = await startRedis();
  const store = await openRedisStore(redisSettings([server], { prefix: 'f', partitions: 4 }), silentLog);
  const { journal, entities, index, records } = store;
  const base = { event: '{"e":1}', alarmAt: null, index: undefined };
  const entries = { unique: ['name/a'], members: [{ list: 'devices/t', member: 'é' }] };
  await journal.append({
    ...base,
    stream: 'id-1',
    expected: 0,
    state: '{"s":"a b"}',
    alarmAt: 12_345,
    index: { take: entries, release: NOTHING },
  });
  await journal.append({
    ...base,
    stream: 'id-1',
    expected: 1,
    state: '\u0001s',
    details: '{"d":1}',
    alarmAt: 12_345,
  });
  await journal.append({ ...base, stream: 'id-1', expected: 2, state: '\u0001t', alarmAt: 12_345 });
  await journal.append({ ...base, stream: 'id-2', expected: 0, state: '{}', details: '{"d":2}' });
  await journal.append({ ...base, stream: 'id-2', expected: 1, state: undefined });
  const email = { take: { unique: ['email/x'], members: [] }, release: NOTHING };
  await entities.commit({ name: 'user/1', expected: 0, text: '{"a":"b c"}', index: email });
  await entities.commit({ name: 'user/2', expected: 0, text: '{}', index: undefined });
  await index.add('devices/t', 'a\0b');
  await records.set('people:1', '{"value":1}');
  await store.close();

  const attemptOf = async (key: string, holder: string) => {
    const value = await server.command('GET', `f:unique:${key}`);
    assert.match(value, new RegExp(`^s[\\w-]{12}\\.\\d+ ${holder}$`));
    return value.slice(1, value.indexOf(' '));
  };
  const name = await attemptOf('name/a', 'id-1');
  const mail = await attemptOf('email/x', 'user/1');
  const held = `{"k":{"name\\/a":"${name}"},"m":{"devices\\/t\\u0000é":1}}`;
  assert.equal(await contents(server), {
    'f:meta': ['format', '4', 'partitions', '4'],
    'f:{p2}:head:id-1': `3 12345 ${held}\n\u0001t`,
    'f:{p2}:details:id-1': '2 {"d":1}',
    'f:{p2}:alarms': ['id-1', '12345'],
    'f:{p2}:log': [
      ['1-0', ['e', 'id-1 1 {"e":1}']],
      ['1-1', ['e', 'id-1 2 {"e":1}']],
      ['1-2', ['e', 'id-1 3 {"e":1}']],
    ],
    'f:{p3}:log': [
      ['1-0', ['e', 'id-2 1 {"e":1}']],
      ['1-1', ['e', 'id-2 2 {"e":1}']],
    ],
    'f:unique:name/a': `s${name} id-1`,
    'f:{p2}:entity:user/1': `1 - {"k":{"email\\/x":"${mail}"},"m":{}}\n{"a":"b c"}`,
    'f:{p3}:entity:user/2': '1 - -\n{}',
    'f:unique:email/x': `s${mail} user/1`,
    'f:list:devices/t': ['a\0b', '0', 'é', '0'],
    'f:record:people:1': '{"value":1}',
  });
});

test('Redis format 4: what was written so is read as it was meant, and what was left undone is done', async () => {
  const server = await startRedis();
  const texts = {
    'f:{p2}:head:id-1': '7 12345 {"k":{"name/a":"x.1"},"m":{"l\\u0000é":1}}\n{"s":"a\\nb"}',
    'f:{p3}:head:id-2': '1 - -\n',
    'f:{p3}:details:id-2': '1 {"d":"a b"}',
    'f:unique:name/a': 'sx.1 id-1',
    'f:unique:old': 'sx.0 id-1',
    'f:{p2}:entity:user/1': '3 - {"k":{"email/x":"x.2"},"m":{}}\n{"a":"b c"}',
    'f:unique:email/x': 'sx.2 user/1',
    'f:record:people:1': 'text',
  };
  for (const [key, text] of Object.entries(texts)) await server.command('SET', key, text);
  await server.command('HSET', 'f:meta', 'format', '4', 'partitions', '4');
  await server.command('ZADD', 'f:{p2}:alarms', '12345', 'id-1');
  await server.command('XADD', 'f:{p2}:log', '1-41', 'e', 'id-1 7 {"e":2}');
  await server.command('ZADD', 'f:list:l', '0', 'gone');
  await server.command(
    'HSET',
    'f:{p2}:outbox',
    'id-1 7',
    '{"k":["old","x.0"],"m":["l\\u0000é","l\\u0000gone"]}',
  );

  const settings = redisSettings([server], { prefix: 'f', partitions: 9, orphanMs: 100 });
  const store = await openRedisStore(settings, silentLog);
  const { journal, entities, index, records } = store;
  assert.equal(await journal.load('id-1'), { sequence: 7, state: '{"s":"a\\nb"}' });
  assert.equal(await journal.load('id-2'), { sequence: 1, state: '', details: '{"d":"a b"}' });
  assert.equal(await wholeLog(journal), [{ stream: 'id-1', sequence: 7, event: '{"e":2}' }]);
  assert.is((await journal.log(2, 0, 10)).next, 42);
  assert.equal(await allDue(journal, 20_000), [{ stream: 'id-1', dueAt: 12_345 }]);
  assert.is(await index.lookup('name/a'), 'id-1');
  assert.equal(await entities.load('user/1'), { version: 3, text: '{"a":"b c"}' });
  assert.is(await index.lookup('email/x'), 'user/1');
  assert.is(await records.get('people:1'), 'text');
  await until(
    'the outbox is worked off',
    async () => (await server.command('HLEN', 'f:{p2}:outbox')) === '0',
  );
  assert.equal(await index.page('l', { offset: 0, limit: 10 }), ['é']);
  assert.is(await index.lookup('old'), undefined);
  await store.close();
});

format.run();
