/** Small pieces of the REST layer, each on its own: statuses of refusals, paths, peers, limited attempts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AccountRefusal } from '../../actors/accounts/accounts.ts';
import type { CustomerId, DeviceId, ProfileId } from '../../actors/base/ids.ts';
import type { Refusal, RefusalReason } from '../../actors/device/messages.ts';
import { type Counted, type Counters, memoryCounter } from '../../actors/limits/counters.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { attempt, createLimiter } from '../../http/auth/attempts.ts';
import { pageOfDevices } from '../../http/routes/answers.ts';
import { infosOf } from '../../http/routes/device-infos.ts';
import { refusedByAccounts, refusedByDevice, tooManyRequests, unavailable } from '../../http/wire/errors.ts';
import { toResponse } from '../../http/wire/reply.ts';
import { paramsOf, peerOf, rawPath } from '../../http/wire/request.ts';
import { given, idOf, NOW, OPEN_POLICY, TENANT } from '../kit/given.ts';
import { within } from '../kit/patience.ts';
import { settled } from '../kit/until.ts';

// ---------------------------------------------------------------------------------------------------------- errors

const DEVICE: { readonly [Reason in RefusalReason]: readonly [status: number, errorCode: number] } = {
  'unknown-device': [404, 32],
  'already-provisioned': [400, 31],
  'credentials-revoked': [401, 10],
  'credentials-superseded': [401, 10],
  'window-pending': [400, 31],
  'window-replaced': [400, 31],
  'already-claimed': [400, 31],
  'claiming-not-allowed': [403, 20],
  'reset-not-allowed': [400, 31],
  'reset-repeated': [400, 31],
  'take-over-pending': [400, 31],
  'duration-out-of-range': [400, 31],
  'duration-too-long': [400, 31],
  'not-behind-gateway': [403, 20],
  'gateway-unchecked': [400, 31],
  'too-many-devices': [400, 31],
  superseded: [400, 31],
  'secret-too-short': [400, 31],
  'token-too-short': [400, 31],
  'rate-limited': [429, 33],
  'no-window': [400, 31],
  'window-elapsed': [400, 31],
  'wrong-secret': [400, 31],
  'policy-refused': [400, 31],
  'consent-needed': [400, 31],
  'proof-required': [400, 31],
  'wrong-proof': [400, 31],
  'proof-outdated': [400, 31],
  'proof-not-possible': [400, 31],
  'not-owner': [403, 20],
  'not-assigned': [400, 31],
  'attributes-too-large': [400, 31],
  'steering-attribute-malformed': [400, 31],
  'epoch-changed': [412, 35],
  'no-offer': [404, 32],
  'offer-elapsed': [410, 32],
  'transfer-taken': [503, 2],
  'description-changed': [400, 31],
  'name-taken': [400, 31],
  'credentials-taken': [400, 31],
};

for (const [reason, [status, errorCode]] of Object.entries(DEVICE)) {
  test(`errors: device: ${reason} is ${status}/${errorCode}`, () => {
    const refusal = {
      reason,
      max: 1,
      maxDurationMs: 1,
      minSecretLength: 1,
      minTokenLength: 1,
      maxBytes: 1,
      retryAfterMs: 1,
      fault: 'wrong-scope',
    } as Refusal; // the fields of all of them at once
    const problem = refusedByDevice(refusal);
    assert.equal([problem.status, problem.errorCode], [status, errorCode]);
    assert.not.match(problem.message, 'undefined');
    if (problem.reason !== undefined && problem.reason !== 'not-found') assert.is(problem.reason, reason);
  });
}

test('errors: no window, an elapsed one and a wrong secret cannot be told apart', () => {
  const [first, ...others] = (['no-window', 'window-elapsed', 'wrong-secret'] as const).map((reason) =>
    refusedByDevice({ reason }),
  );
  for (const other of others) assert.equal(other, first);
});

const ACCOUNTS: { readonly [Reason in AccountRefusal['reason']]: number } = {
  'not-found': 404,
  'title-taken': 400,
  'email-taken': 400,
  'email-malformed': 400,
  'password-too-short': 400,
  'password-well-known': 400,
  'password-made-of-names': 400,
  'password-too-long': 400,
  'version-conflict': 409,
  'already-activated': 400,
  'not-activated': 400,
  'activation-token-invalid': 400,
  'reset-token-invalid': 400,
  'reset-token-expired': 400,
  'password-unchanged': 400,
};

for (const [reason, status] of Object.entries(ACCOUNTS)) {
  test(`errors: accounts: ${reason} is ${status}`, () => {
    const refusal = { reason, email: 'e', minLength: 6, maxLength: 72 } as AccountRefusal;
    assert.is(refusedByAccounts(refusal, 'Customer').status, status);
  });
}

test('errors: the envelope has four fields in order, and Retry-After where it helps', async () => {
  const response = toResponse(tooManyRequests('Slow down', 1001), {}, 1234);
  assert.is(await response.text(), '{"status":429,"message":"Slow down","errorCode":33,"timestamp":1234}');
  assert.is(response.headers.get('retry-after'), '2');
  for (const reason of ['overloaded', 'store', 'timeout', 'stopping'] as const) {
    const problem = unavailable(reason);
    assert.equal([problem.status, problem.retryAfterSeconds], [503, 1]);
  }
});

// ----------------------------------------------------------------------------------------------------------- paths

test('paths: taken as they came, without query and fragment', () => {
  const request = (path: string) => new Request(`http://host:1${path}`);
  assert.is(rawPath(request('/a%2Fb/%zz?x=/y'), undefined), '/a%2Fb/%zz');
  assert.is(rawPath(request('/'), undefined), '/');
  assert.is(rawPath(request('/x'), { url: '/a/%2E%2E/b?q' } as never), '/a/%2E%2E/b');
  assert.is(rawPath(request('/x?q'), { url: 'http://other/y' } as never), '/x', 'absolute form');
});

test('paths: parameters are decoded once', () => {
  const of = (path: string) => paramsOf('/d/:name/claim', path)?.name;
  assert.is(of('/d/a%2Fb/claim'), 'a/b');
  assert.is(of('/d/%252F/claim'), '%2F');
  assert.is(of('/d/a+b/claim'), 'a+b');
  assert.is(of('/d/%F0%9F%9A%B2/claim'), '🚲');
  assert.is(of('/d/%zz/claim'), undefined);
  assert.is(of('/d/%F0%9F/claim'), undefined);
});

test('attack: a page of devices that hold much is refused, and not made into one text that stops everybody', () => {
  const asked = { page: 0, pageSize: 10_000, untilFull: true };
  assert.is(pageOfDevices({ items: [1], total: 1 }, asked, String).type, 'json');
  const refused = pageOfDevices({ items: [1], total: 1, isCutShort: true }, asked, String);
  assert.is(refused.type === 'problem' && refused.status, 400);
});

test('attack: of a page whose devices have an owner and a profile each, some of these are looked up at a time', async () => {
  const { state } = given(OPEN_POLICY);
  const devices = Array.from({ length: 300 }, (_, n) => ({
    ...state,
    id: idOf<DeviceId>(1_000 + n),
    profileId: idOf<ProfileId>(2_000 + n),
    owner: { customerId: idOf<CustomerId>(3_000 + n), since: NOW, by: 'claim' },
  }));
  let underWay = 0;
  let most = 0;
  const slowly = async (found: object) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await settled(1);
    underWay -= 1;
    return found;
  };
  const needs = {
    accounts: { customers: { find: () => slowly({ title: 'Alice', additionalInfo: null }) } },
    profiles: {
      default: async () => ({ id: idOf(1), name: 'default' }),
      find: () => slowly({ name: 'pump' }),
    },
    presence: { isConnected: () => false },
    clock: { now: () => NOW },
  };
  const infos = await infosOf(
    needs as never,
    { authority: 'TENANT_ADMIN', tenantId: TENANT } as never,
    devices as never,
  );
  assert.is(infos.length, 300);
  for (const { customerTitle, deviceProfileName } of infos)
    assert.equal([customerTitle, deviceProfileName], ['Alice', 'pump']);
  assert.is(most, 50);
});

test('peers: the address comes from as many proxies as are trusted, and from no more', () => {
  const incoming = { socket: { remoteAddress: '10.0.0.1' } } as never;
  assert.is(peerOf(incoming, '1.1.1.1', 0), '10.0.0.1', 'anybody can send the header');
  assert.is(peerOf(incoming, 'made-up, 2.2.2.2', 1), '2.2.2.2');
  assert.is(peerOf(incoming, 'made-up, 2.2.2.2, 10.0.0.2', 2), '2.2.2.2');
  assert.is(peerOf(incoming, undefined, 1), '10.0.0.1');
  assert.is(peerOf(incoming, 'x'.repeat(16_000), 1).length, 64, 'of what is no address no more is kept');
  assert.is(peerOf(undefined, undefined, 0), 'unknown');
});

test('peers: an IPv6 network of 64 bits is one peer; so is an IPv4 address, in every notation', () => {
  const of = (remoteAddress: string) => peerOf({ socket: { remoteAddress } } as never, undefined, 0);
  assert.is(of('2001:db8:1:2::1'), '2001:db8:1:2::/64');
  assert.is(of('2001:DB8:1:2:ffff:ffff:ffff:ffff'), '2001:db8:1:2::/64');
  assert.is(of('2001:db8:1:3::1'), '2001:db8:1:3::/64');
  assert.is(of('2001:db8::5:6:7:8'), '2001:db8:0:0::/64');
  assert.is(of('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.is(of('::1'), '0:0:0:0::/64');
  assert.is(of('::ffff:10.0.0.1'), '10.0.0.1');
  assert.is(of('10.0.0.1'), '10.0.0.1');
});

test('peers: a port that a proxy wrote does not make another peer', () => {
  const of = (header: string) => peerOf(undefined, header, 1);
  assert.is(of('10.0.0.1:4711'), '10.0.0.1');
  assert.is(of('[2001:db8:1:2::1]:4711'), '2001:db8:1:2::/64');
  assert.is(of('[2001:db8:1:2::1]'), '2001:db8:1:2::/64');
  assert.is(of('unknown'), 'unknown');
  assert.is(of('_hidden'), '_hidden');
});

// -------------------------------------------------------------------------------------------------------- attempts

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('attempts: only as many run at once as may still fail; one that succeeds lets the next run', async () => {
  const limiter = createLimiter('test', { max: 2, windowMs: 60_000 });
  let running = 0;
  let most = 0;
  const one = () =>
    attempt(
      [{ limiter, key: 'party' }],
      async () => {
        running += 1;
        most = Math.max(most, running);
        await turn();
        running -= 1;
        return 'right' as const;
      },
      (outcome) => (outcome === 'right' ? 0 : 1),
    );
  const all = await Promise.all(Array.from({ length: 50 }, one));
  assert.ok(all.every((outcome) => outcome === 'right'));
  assert.is(most, 2);
});

test('attempts: too many failures block the party and refuse its waiting attempts; other parties go on', async () => {
  const limiter = createLimiter('test', { max: 3, windowMs: 60_000 });
  let made = 0;
  const wrong = (key: string) =>
    attempt(
      [{ limiter, key }],
      async () => {
        made += 1;
        await turn();
        return { type: 'wrong' } as const;
      },
      () => 1,
    );
  const all = await Promise.all(Array.from({ length: 20 }, () => wrong('one')));
  assert.is(made, 3);
  assert.is(all.filter(({ type }) => type === 'blocked').length, 17);
  assert.is((await wrong('other')).type, 'wrong');
});

test('attempts: what is a part of a failure counts as one, also sent all at once', async () => {
  const limiter = createLimiter('test', { max: 2, windowMs: 60_000 }, undefined, 6);
  const made = { vain: 0, wrong: 0 };
  const one = (what: 'vain' | 'wrong') =>
    attempt(
      [{ limiter, key: 'k' }],
      async () => {
        made[what] += 1;
        await turn();
        return what;
      },
      () => (what === 'vain' ? 1 / 6 : 1),
    );
  await Promise.all(Array.from({ length: 5 }, () => one('vain')));
  assert.is(
    await limiter.left('k'),
    2,
    '7 parts are left, of which the second failure may take one too many',
  );
  await one('wrong');
  assert.is(await limiter.left('k'), 1);
  await Promise.all(Array.from({ length: 20 }, () => one('vain')));
  assert.equal(made, { vain: 6, wrong: 1 });
});

test('attempts: when the window is over, attempts run again', async () => {
  let now = 0;
  const counters: Counters = (_name, settings) => memoryCounter(settings, 10, () => now);
  const limiter = createLimiter('test', { max: 1, windowMs: 1_000 }, counters);
  const wrong = () =>
    attempt(
      [{ limiter, key: 'k' }],
      async () => ({ type: 'wrong' }) as const,
      () => 1,
    );
  assert.is((await wrong()).type, 'wrong');
  const blocked = await wrong();
  assert.equal(blocked, { type: 'blocked', retryAfterMs: 1_000 });
  now += 999;
  assert.equal(await wrong(), { type: 'blocked', retryAfterMs: 1 });
  now += 1;
  assert.is((await wrong()).type, 'wrong');
});

test('attempts: one that throws gives its place back', async () => {
  const limiter = createLimiter('test', { max: 1, windowMs: 60_000 });
  const make = (what: () => Promise<string>) => attempt([{ limiter, key: 'k' }], what, () => 0);
  await make(() => Promise.reject(new Error('x'))).then(
    () => assert.unreachable(),
    () => {},
  );
  assert.is(await make(async () => 'fine'), 'fine');
});

for (const [what, counted] of [
  ['are refused when another process has counted meanwhile', async () => ({ count: 9, resetsInMs: 1 })],
  ['fail when counting fails', () => Promise.reject(new StoreUnavailable('test', 'away'))],
] as const) {
  test(`attempts: all who wait ${what}: nobody is left waiting`, async () => {
    let get: () => Promise<Counted> = async () => ({ count: 0, resetsInMs: 1 });
    const counter = { get: () => get(), add: () => get() };
    const limiter = createLimiter('test', { max: 1, windowMs: 60_000 }, () => counter);
    const one = (make: () => Promise<string>) => attempt([{ limiter, key: 'k' }], make, () => 0);
    let decide = () => {};
    const first = one(() => new Promise((resolve) => (decide = () => resolve('right'))));
    await turn();
    let made = 0;
    const guess = async () => {
      made += 1;
      return 'right';
    };
    const others = Array.from({ length: 5 }, () => one(guess).catch(() => 'failed'));
    await turn();
    get = counted;
    decide();
    assert.is(await first, 'right');
    await within('nobody waits any more', Promise.all(others));
    assert.is(made, 0);
  });
}

test.run();
