/** Laws of counting wrong credentials by address, and of the counters that all limits on guessing stand on. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import type { AuthenticatedDevice } from '../../actors/claiming/device-authentication.ts';
import { createTokenGuard, type TokenGuard } from '../../actors/claiming/wrong-tokens.ts';
import { type Counters, memoryCounter } from '../../actors/limits/counters.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { attempt, createLimiter } from '../../http/auth/attempts.ts';
import { VERSION_NAME, VERSIONS, withMqtt } from '../contract/transport-mqtt.ts';
import { cast } from '../kit/api.ts';
import { idOf, TENANT } from '../kit/given.ts';
import { SYSADMIN_PASSWORD, startLocalServer } from '../kit/local-server.ts';

const LIMIT = { max: 3, windowMs: 60_000 };

function device(n: number): AuthenticatedDevice {
  const id = idOf<DeviceId>(n);
  return { id, tenantId: TENANT, profileId: null, credentialsId: `t${n}`, isGateway: false };
}

async function seen(guard: TokenGuard, address: string, found?: AuthenticatedDevice): Promise<string> {
  return (await guard.admit(address, async () => found)).type;
}

const broken: Counters = () => {
  const fail = () => Promise.reject(new StoreUnavailable('counting', 'away'));
  return { get: fail, add: fail };
};

test('wrong tokens: an IPv6 network of 64 bits is one address, and others are not concerned', async () => {
  const guard = createTokenGuard('test', LIMIT);
  for (const host of ['1', '2', 'ffff:ffff:ffff:fffe']) {
    assert.is(await seen(guard, `2001:db8:0:1:${host.includes(':') ? host : `0:0:0:${host}`}`), 'unknown');
  }
  assert.is(await seen(guard, '2001:db8:0:1::9'), 'blocked');
  assert.is(await seen(guard, '2001:db8:0:2::9'), 'unknown');
  assert.is(await seen(guard, '192.0.2.1'), 'unknown');
});

test('wrong tokens: who has many networks of IPv6 has them counted together', async () => {
  const tried = async (address: (at: number) => string) => {
    const guard = createTokenGuard('test', { ...LIMIT, max: 2 });
    let count = 0;
    for (let at = 0; at < 100; at += 1) if ((await seen(guard, address(at))) === 'unknown') count += 1;
    return count;
  };
  const hex = (at: number) => at.toString(16).padStart(2, '0');
  assert.is(await tried((at) => `2001:db8:0:1::${at}`), 2);
  assert.is(await tried((at) => `2001:db8:0:1${hex(at)}::1`), 8);
  assert.is(await tried((at) => `2001:db8:0:${hex(at)}00::1`), 32);
  assert.is(await tried((at) => `2001:db8:${hex(at)}::1`), 100);
});

test('wrong tokens: that an address waits is told once in a window', async () => {
  const told: unknown[] = [];
  const guard = createTokenGuard('test', LIMIT, undefined, (blocked) => told.push(blocked));
  for (let n = 0; n < 10; n += 1) await seen(guard, '192.0.2.1');
  assert.equal(told.length, 1);
  assert.match(JSON.stringify(told), '192.0.2.1');
});

test('wrong tokens: by default guessing is slowed down, and devices that were there go on', async () => {
  const server = await startLocalServer();
  try {
    const { api, tenant } = await cast(server.url, SYSADMIN_PASSWORD);
    const tokens = ['a-token-of-a-device', 'a-token-of-another'] as const;
    for (const token of tokens) await api.createDevice(tenant, token, token);
    const claim = async (token: string) => (await api.initiate(token, {})).status;
    assert.is(await claim(tokens[0]), 200);
    let answered = 0;
    for (let from = 0, some = 1; some > 0; from += 50) {
      const statuses = await Promise.all(Array.from({ length: 50 }, (_, at) => claim(`guess${from + at}`)));
      some = statuses.filter((status) => status === 401).length;
      answered += some;
      assert.ok(answered <= 1_050, String(answered)); // and those under way
    }
    assert.ok(answered >= 1_000, String(answered));
    assert.is(await claim(tokens[1]), 429, 'a right guess is answered like a wrong one');
    assert.is(await claim(tokens[0]), 200);
  } finally {
    await server.stop();
  }
});

test('wrong tokens: a device that was seen at one address was not seen at another', async () => {
  const guard = createTokenGuard('test', LIMIT);
  assert.is(await seen(guard, '192.0.2.1', device(1)), 'admitted');
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    for (let n = 0; n < LIMIT.max; n += 1) await seen(guard, address);
  }
  assert.is(await seen(guard, '192.0.2.1', device(1)), 'admitted');
  assert.is(await seen(guard, '192.0.2.2', device(1)), 'blocked');
});

test('wrong tokens: what succeeds is never counted, however many devices there are', async () => {
  const guard = createTokenGuard('test', LIMIT);
  for (let n = 0; n < 150_000; n += 1) assert.is(await seen(guard, '192.0.2.1', device(n)), 'admitted');
});

test('wrong tokens: without a limit nobody is shut out', async () => {
  const guard = createTokenGuard('test', { ...LIMIT, max: 0 });
  for (let n = 0; n < 100; n += 1) assert.is(await seen(guard, '192.0.2.1'), 'unknown');
});

test('wrong tokens: while the counters are away nobody is shut out', async () => {
  const guard = createTokenGuard('test', LIMIT, broken);
  for (let n = 0; n < 10; n += 1) assert.is(await seen(guard, '192.0.2.1'), 'unknown');
  assert.is(await seen(guard, '192.0.2.1', device(1)), 'admitted');
});

test('attempts: where counting fails, so does the attempt, and no later one waits for it', async () => {
  let away = false;
  const counters: Counters = (_name, settings) => {
    const counter = memoryCounter(settings, 10);
    const unlessAway = <Result>(work: () => Promise<Result>) =>
      away ? Promise.reject(new StoreUnavailable('counting', 'away')) : work();
    return {
      get: (key) => unlessAway(() => counter.get(key)),
      add: (key) => unlessAway(() => counter.add(key)),
    };
  };
  const limiter = createLimiter('test', { max: 1, windowMs: 60_000 }, counters);
  const wrong = () =>
    attempt(
      [{ limiter, key: 'a' }],
      async () => 'wrong',
      () => 1,
    );
  const guess = attempt(
    [{ limiter, key: 'a' }],
    async () => {
      away = true; // while it is made
      return 'wrong';
    },
    () => 1,
  );
  assert.instance(await guess.catch((error: unknown) => error), StoreUnavailable);
  assert.instance(await wrong().catch((error: unknown) => error), StoreUnavailable);
  away = false;
  assert.is(await wrong(), 'wrong');
  assert.is(((await wrong()) as { type: string }).type, 'blocked');
});

test('counters: keys are bounded: the oldest is forgotten', async () => {
  const counter = memoryCounter({ windowMs: 60_000 }, 3);
  for (const key of ['a', 'a', 'b', 'c', 'a']) await counter.add(key);
  assert.is((await counter.get('a')).count, 3);
  await counter.add('d');
  const counts = await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => (await counter.get(key)).count));
  assert.equal(counts, [0, 1, 1, 1]);
  for (let n = 0; n < 1_000; n += 1) await counter.add(`key ${n}`);
  assert.is((await counter.get('d')).count, 0);
  assert.is((await counter.get('key 999')).count, 1);
});

test('counters: after its window a key counts from zero, and ended windows are forgotten', async () => {
  let now = 1_000;
  const counter = memoryCounter({ windowMs: 100 }, 3, () => now);
  await counter.add('a');
  now += 60;
  assert.equal(await counter.add('a'), { count: 2, resetsInMs: 40 });
  assert.equal(await counter.add('b'), { count: 1, resetsInMs: 100 });
  now += 39.5;
  assert.equal(await counter.get('a'), { count: 2, resetsInMs: 1 });
  now += 0.5;
  assert.equal(await counter.get('a'), { count: 0, resetsInMs: 100 });
  assert.equal(await counter.add('a'), { count: 1, resetsInMs: 100 });
  assert.equal(await counter.get('b'), { count: 1, resetsInMs: 60 });
});

test('counters: where there is no room, windows that ended go before those that did not', async () => {
  let now = 0;
  const counter = memoryCounter({ windowMs: 100 }, 4, () => now);
  for (const key of ['a', 'b']) await counter.add(key);
  now = 50;
  for (const key of ['c', 'd']) await counter.add(key);
  now = 100;
  await counter.add('e');
  const counts = await Promise.all(['c', 'd', 'e'].map(async (key) => (await counter.get(key)).count));
  assert.equal(counts, [1, 1, 1]);
});

for (const version of VERSIONS) {
  test(`mqtt ${VERSION_NAME[version]}: an address with too many wrong tokens is refused until later`, () =>
    withMqtt(
      {},
      async ({ open }) => {
        const connack = async (token: string) => {
          const client = await open(version);
          client.send({
            cmd: 'connect',
            clientId: 'c',
            username: token,
            clean: true,
            ...protocolOf(version),
          });
          const packet = await client.next('connack');
          return packet.reasonCode ?? packet.returnCode;
        };
        assert.is(await connack('guess'), version === 5 ? 0x86 : 5);
        assert.is(await connack('guess'), version === 5 ? 0x9f : 3);
      },
      { wrongTokensMax: 1 },
    ));
}

function protocolOf(version: 3 | 4 | 5) {
  return { protocolId: version === 3 ? 'MQIsdp' : 'MQTT', protocolVersion: version } as const;
}

test.run();
