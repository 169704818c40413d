/**
 * The outbox (`actors/outbox/`) over simulated time: places, lanes, rests, what is given up. The counterparts are functions here; over
 * real connections it is in `sockets/webhooks.test.ts`.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId, ProfileId, TenantId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import { type DeviceEvent, evolve } from '../../actors/device/device.ts';
import { encodeEvent, encodeState } from '../../actors/device/persistence.ts';
import { absentDevice, type DeviceState } from '../../actors/device/state.ts';
import { createDispatcher, type Dispatcher, openOutbox } from '../../actors/outbox/dispatcher.ts';
import type { Delivery, Message, Target, Targets } from '../../actors/outbox/message.ts';
import { createParking } from '../../actors/outbox/parking.ts';
import { nextTry, restUntil } from '../../actors/outbox/retries.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { createSimClock } from '../kit/clock.ts';

const test = suite('outbox');

const START = Date.UTC(2026, 0, 1);
const SECOND = 1_000;
const HOUR = 3_600_000;
/** Between two looks at the log. */
const LOOK_MS = 250;
const TENANT = '00000000-0000-7000-8000-000000000001' as TenantId;
const PROFILE = '00000000-0000-7000-8000-000000000002' as ProfileId;
const device = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}` as DeviceId;

const DELIVERED: Delivery = { type: 'delivered', told: { outcome: '204', answer: '', tookMs: 1 } };
const FAILED: Delivery = { type: 'failed', told: { outcome: '500', answer: '', tookMs: 1 }, askedMs: 0 };
const BUSY: Delivery = { ...FAILED, all: 'busy' };

type Answer = (message: Message) => Delivery;

async function world(names: readonly string[] = ['a']) {
  const clock = createSimClock(START);
  const store = createMemoryStore();
  const errors: string[] = [];
  const log = { ...silentLog, error: (_fields: object, message: string) => void errors.push(message) };
  const needs = { store, clock, log, chance: () => 0.5, profileOf: () => PROFILE };
  const parts = openOutbox(needs);
  const answers = new Map<string, Answer>(names.map((name) => [name, () => DELIVERED]));
  const heard: { readonly by: string; readonly message: Message; readonly taken: boolean }[] = [];
  const off = new Map<string, string>();
  const hanging = new Set<string>();
  /** How long the store takes for each target. */
  const slow = { ms: 0 };
  const removed = new Set<string>();
  const targets: Targets = {
    async *all() {
      for (const id of names) {
        if (slow.ms > 0) await new Promise<void>((read) => clock.after(slow.ms, read));
        if (removed.has(id)) continue;
        const target: Target = {
          id,
          tenantId: TENANT,
          version: 1,
          isActive: !off.has(id),
          wants: () => true,
          async deliver(message) {
            if (hanging.has(id)) return new Promise(() => {});
            const delivery = answers.get(id)?.(message) ?? DELIVERED;
            heard.push({ by: id, message, taken: delivery.type === 'delivered' });
            return delivery;
          },
        };
        yield target;
      }
    },
    disable: async (id, because) => void off.set(id, because),
  };
  for (const name of names) await parts.begin(name);
  const states = new Map<DeviceId, { readonly number: number; readonly state: DeviceState }>();
  let dispatcher: Dispatcher = createDispatcher(needs, parts, targets);
  dispatcher.start();

  return {
    parts,
    heard,
    errors,
    figures: () => dispatcher.figures(),
    off,
    clock,
    rename(stream: DeviceId, name: string) {
      const given = { deviceType: 'lamp', label: null, additionalInfo: null };
      return this.happens(stream, { type: 'DeviceUpdated', at: clock.now(), name, ...given });
    },
    slow,
    hang: (name: string) => void hanging.add(name),
    remove: (name: string) => void removed.add(name),
    answer: (answer: Answer, name = 'a') => answers.set(name, answer),

    /** Something happens to a device. */
    async happens(stream: DeviceId, change?: DeviceEvent) {
      const before = states.get(stream) ?? { number: 0, state: absentDevice };
      const number = before.number + 1;
      const at = clock.now();
      const first = { tenantId: TENANT, name: stream, deviceType: 'lamp', label: null, additionalInfo: null };
      const credentials = { type: 'ACCESS_TOKEN', credentialsId: 'x', sealedToken: 'y' } as const;
      const event: DeviceEvent =
        number === 1
          ? { type: 'DeviceProvisioned', at, ...first, credentials, customerId: null }
          : (change ?? { type: 'ClaimWindowExpired', at });
      const state = evolve(before.state, event);
      states.set(stream, { number, state });
      const entry = { stream, expected: before.number, event: encodeEvent(event), state: encodeState(state) };
      await store.journal.append({ ...entry, alarmAt: null, index: undefined });
    },

    /** A record that no version wrote, or a newer one. */
    async write(stream: DeviceId, record: { readonly event: string; readonly state?: string }) {
      const { number: expected, state } = states.get(stream) ?? { number: 0, state: absentDevice };
      states.set(stream, { number: expected + 1, state });
      const entry = { stream, expected, state: encodeState(state), ...record };
      await store.journal.append({ ...entry, alarmAt: null, index: undefined });
    },

    /** Lets time pass, with everything that is done in it. */
    async pass(ms: number, step = LOOK_MS) {
      const end = clock.elapsed() + ms;
      while (clock.elapsed() < end) {
        clock.advance(step);
        // However far it jumped: the work begins at the next look at the log.
        for (let look = 0; look < (step > LOOK_MS ? 4 : 1); look += 1) {
          for (let turn = 0; turn < 30; turn += 1) await new Promise((next) => setImmediate(next));
          if (step > LOOK_MS) clock.advance(LOOK_MS);
        }
      }
    },

    /** The process ends in the middle of whatever it does, and another one begins. */
    async crash() {
      await Promise.all([dispatcher.stop(), this.pass(2 * SECOND)]);
      dispatcher = createDispatcher(needs, openOutbox(needs), targets);
      dispatcher.start();
    },

    numbers: (stream: DeviceId, by = 'a') =>
      heard
        .filter((one) => one.by === by && one.message.deviceId === stream && one.taken)
        .map(({ message }) => message.number),
  };
}

test('three days of retries, each a fifth more or less, and then no more', () => {
  const waits = Array.from({ length: 9 }, (_, at) => (nextTry(at + 1, 0, 0, 0.5) ?? 0) / SECOND);
  assert.equal(waits.slice(0, 3), [5, 300, 1_800]);
  const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3_600;
  assert.ok(hours > 72 && hours < 80);
  assert.is(nextTry(10, 0, 0, 0.5), undefined);
  assert.equal([nextTry(1, 0, 0, 0), nextTry(1, 0, 0, 1)], [4_000, 6_000]);
  assert.is(nextTry(1, 0, HOUR, 0.5), HOUR);
  assert.is(restUntil(0, 0, 1e12, 0.5), 24 * HOUR); // nobody puts it off for ever
  assert.is(restUntil(100, 0, 0, 0.5), HOUR);
});

for (const [what, record] of [
  ['that is cut off', { event: '{"v":1,"ty' }],
  ['of no type', { event: '{"v":1,"at":1}' }],
  ['of an older version than any', { event: '{"v":0,"type":"ClaimWindowExpired","at":1}' }],
  ['of a newer version, an hour old', { event: `{"v":2,"type":"Painted","at":${START - HOUR}}` }],
  ['of a type that a newer version knew, long ago', { event: '{"v":1,"type":"DevicePainted","at":1}' }],
  ['of a type that every object has', { event: '{"v":1,"type":"constructor","at":1}' }],
] as const) {
  test(`a stored event ${what} is stepped over, and told; all others come`, async () => {
    const { happens, write, pass, numbers, figures, errors } = await world();
    await happens(device(1));
    await write(device(1), record);
    for (const which of [1, 2, 3]) await happens(device(which));
    await pass(2 * SECOND);
    assert.equal([numbers(device(1)), numbers(device(2)), numbers(device(3))], [[1, 3], [1], [1]]);
    assert.ok(figures().steppedOver > 0);
    assert.match(errors.join(), /a stored record cannot be read and is stepped over/);
  });
}

test('of a device whose own record cannot be read nothing is told, and of all others everything', async () => {
  const the = await world();
  const { happens, write, pass, numbers, figures } = the;
  for (const which of [1, 2]) await happens(device(which));
  await pass(2 * SECOND);
  await the.crash(); // whoever comes next has to look the devices up
  const event = encodeEvent({ type: 'ClaimWindowExpired', at: START });
  await write(device(1), { event, state: '{"v":1' });
  await happens(device(2));
  await pass(20 * SECOND);
  assert.equal([numbers(device(1)), numbers(device(2))], [[1], [1, 2]]);
  assert.is(figures().steppedOver, 1);
});

test('an event that a newer version has just written is waited for, an hour at most; nothing before or behind it is lost', async () => {
  for (const record of ['{"v":2,"type":"Painted","at":AT}', '{"v":1,"type":"DevicePainted","at":AT}']) {
    const { happens, write, pass, numbers, figures } = await world();
    await happens(device(1));
    await happens(device(2));
    await write(device(1), { event: record.replace('AT', String(START + SECOND)) });
    await happens(device(2));
    await happens(device(1));
    await pass(10 * SECOND);
    assert.equal([numbers(device(1)), numbers(device(2))], [[1], [1]]);
    assert.is(figures().steppedOver, 0);
    await pass(HOUR + SECOND, HOUR / 2);
    await pass(10 * SECOND);
    assert.equal(
      [numbers(device(1)), numbers(device(2))],
      [
        [1, 3],
        [1, 2],
      ],
    );
    assert.is(figures().steppedOver, 1);
  }
});

test('where it takes longer to look at all targets than the lease holds, they are sent to all the same', async () => {
  const names = Array.from({ length: 40 }, (_, at) => `target ${at}`);
  const { happens, pass, numbers, slow } = await world(names);
  slow.ms = LOOK_MS; // ten seconds for all
  await happens(device(1));
  await pass(60 * SECOND);
  assert.equal(
    names.filter((name) => numbers(device(1), name).length === 0),
    [],
  );
});

test('a device whose message fails waits with those behind it, and the others go on', async () => {
  const { happens, pass, answer, numbers, heard } = await world();
  answer(({ deviceId, number }) => (deviceId === device(1) && number === 2 ? FAILED : DELIVERED));
  for (let n = 0; n < 3; n += 1) for (const which of [1, 2, 3]) await happens(device(which));
  await pass(2 * SECOND);
  assert.equal([numbers(device(1)), numbers(device(2)), numbers(device(3))], [[1], [1, 2, 3], [1, 2, 3]]);
  answer(() => DELIVERED);
  await pass(10 * SECOND);
  assert.equal(numbers(device(1)), [1, 2, 3]);
  assert.is(heard.filter(({ taken }) => !taken).length, 1);
});

test('a message that is never taken is given up after three days, and what is behind it goes on', async () => {
  const { happens, pass, answer, numbers, parts } = await world();
  answer(({ deviceId, number }) => (deviceId === device(1) && number === 2 ? FAILED : DELIVERED));
  for (let n = 0; n < 3; n += 1) await happens(device(1));
  // Something else comes through, so it is the message and not the counterpart.
  for (let hour = 0; hour < 80; hour += 1) {
    await happens(device(2));
    await pass(HOUR, HOUR / 4);
  }
  assert.equal(numbers(device(1)), [1, 3]);
  const [given] = await parts.parking.givenUp('a');
  assert.equal([given?.message.number, given?.why], [2, '500']);
});

test('a counterpart of which nothing comes through costs one attempt after each rest, and loses nothing', async () => {
  const { happens, pass, answer, numbers, heard, parts } = await world();
  answer(() => FAILED);
  for (let which = 1; which <= 50; which += 1) await happens(device(which));
  await pass(3 * SECOND);
  const before = heard.length;
  assert.ok(before <= 20, `${before} attempts`);
  for (let n = 0; n < 4; n += 1) for (let which = 1; which <= 50; which += 1) await happens(device(which));
  await pass(HOUR, SECOND);
  assert.ok(heard.length - before <= 15, `${heard.length - before} attempts in an hour`);
  assert.ok((await parts.parking.count('a')) <= 20);
  answer(() => DELIVERED);
  await pass(2 * HOUR, SECOND);
  for (let which = 1; which <= 50; which += 1) assert.equal(numbers(device(which)), [1, 2, 3, 4, 5]);
});

test('a busy counterpart rests at its first word, for as long as it asks', async () => {
  const { happens, pass, answer, numbers, heard } = await world();
  answer(() => ({ ...BUSY, askedMs: 600 * SECOND }));
  await happens(device(1));
  await pass(2 * SECOND);
  await happens(device(2));
  await pass(500 * SECOND, SECOND);
  assert.is(heard.length, 1);
  answer(() => DELIVERED);
  await pass(200 * SECOND, SECOND);
  assert.equal([numbers(device(1)), numbers(device(2))], [[1], [1]]);
});

test('one message that is always refused does not keep a rested counterpart from going on', async () => {
  const { happens, pass, answer, numbers } = await world();
  answer(() => FAILED);
  for (let which = 1; which <= 15; which += 1) await happens(device(which));
  await pass(3 * SECOND);
  answer(({ deviceId }) => (deviceId === device(1) ? FAILED : DELIVERED));
  await pass(300 * SECOND, SECOND);
  for (let which = 2; which <= 15; which += 1) assert.equal(numbers(device(which)), [1]);
  assert.equal(numbers(device(1)), []);
});

test('after five days in which nothing came through it is switched off, and goes on where it was', async () => {
  const { happens, pass, answer, numbers, off, parts, clock } = await world();
  answer(() => FAILED);
  for (let n = 0; n < 3; n += 1) for (let which = 1; which <= 12; which += 1) await happens(device(which));
  await pass(122 * HOUR, HOUR / 4);
  assert.is(off.get('a'), 'failing');
  answer(() => DELIVERED);
  off.delete('a');
  await parts.places.update('a', (there) =>
    there === undefined
      ? undefined
      : { ...there, failures: 0, failingSince: null, restsUntil: null, rests: 0, asked: there.asked + 1 },
  );
  assert.ok(clock.now() > START);
  await pass(20 * SECOND);
  for (let which = 1; which <= 12; which += 1) assert.equal(numbers(device(which)), [1, 2, 3]);
});

test('days in which the server was off, or its clock was set forward, switch nothing off', async () => {
  const the = await world();
  the.answer(() => FAILED);
  await the.happens(device(1));
  await the.pass(SECOND);
  the.clock.step(6 * 24 * HOUR);
  await the.crash();
  await the.pass(2 * SECOND);
  assert.ok(the.heard.length > 1, 'it was tried again');
  assert.is(the.off.get('a'), undefined);
});

test('what was put off while the clock was a year ahead is sent once it is set back', async () => {
  const { happens, pass, answer, numbers, clock } = await world(['a', 'b']);
  const year = 365 * 24 * HOUR;
  clock.step(year);
  answer(() => FAILED, 'a'); // its message waits
  answer(() => BUSY, 'b'); // all of it rests
  await happens(device(1));
  await pass(2 * SECOND);
  for (const name of ['a', 'b']) answer(() => DELIVERED, name);
  clock.step(-year);
  await pass(10 * SECOND);
  for (const name of ['a', 'b']) assert.equal(numbers(device(1), name), [1], name);
});

test('dead counterparts keep no good one waiting', async () => {
  const { happens, pass, answer, numbers } = await world(['a', 'b', 'c']);
  answer(() => FAILED, 'b');
  answer(() => BUSY, 'c');
  for (let which = 1; which <= 30; which += 1) await happens(device(which));
  await pass(3 * SECOND);
  for (let which = 1; which <= 30; which += 1) assert.equal(numbers(device(which)), [1]);
});

test('a start after a crash repeats nothing but what its place does not know, and skips nothing', async () => {
  const the = await world();
  the.answer(({ deviceId }) => (deviceId === device(3) ? FAILED : DELIVERED));
  for (let which = 1; which <= 5; which += 1) await the.happens(device(which));
  await the.pass(2 * SECOND);
  await the.crash();
  for (let which = 1; which <= 5; which += 1) await the.happens(device(which));
  await the.pass(2 * SECOND);
  the.answer(() => DELIVERED);
  await the.pass(600 * SECOND, SECOND);
  for (let which = 1; which <= 5; which += 1) assert.equal(the.numbers(device(which)), [1, 2]);
});

test('a lane that is full gives up its first message, so it is bounded and goes on', async () => {
  const { happens, pass, answer, parts } = await world();
  answer(({ deviceId }) => (deviceId === device(1) ? FAILED : DELIVERED));
  for (let n = 0; n < 130; n += 1) await happens(device(1));
  await happens(device(2));
  await pass(3 * SECOND);
  const lane = await parts.parking.lane('a', device(1));
  assert.is(lane?.messages.length, 100);
  assert.is((await parts.parking.givenUp('a')).length, 30);
});

test('what falls out of a full lane is kept before the lane lets go of it: an end in between has it twice and loses nothing', async () => {
  const store = createMemoryStore();
  let writes = Number.POSITIVE_INFINITY;
  const ending = {
    ...store,
    async swap(key: string, before: string | undefined, next: string | undefined) {
      writes -= 1;
      if (writes < 0) throw new StoreUnavailable('memory', 'it ends here');
      return store.swap(key, before, next);
    },
  };
  const parking = createParking(ending);
  const message = (number: number): Message => ({
    id: `evt_${device(1)}_${number}`,
    tenantId: TENANT,
    deviceId: device(1),
    number,
    type: 'device.claimed',
    at: START,
    data: {},
    customerIds: [],
    profileId: PROFILE,
  });
  const messages = Array.from({ length: 100 }, (_, at) => message(at + 1));
  const lane = { attempts: 1, nextAt: START };
  await parking.change('a', device(1), () => ({ ...lane, messages }), START);
  const more = () =>
    parking.change('a', device(1), () => ({ ...lane, messages: [...messages, message(101)] }), START);
  writes = 1; // of the two that there are
  assert.instance(await more().catch((error: unknown) => error), StoreUnavailable);
  const kept = async () => [
    ...(await parking.givenUp('a')).map((one) => one.message.number),
    ...((await parking.lane('a', device(1)))?.messages ?? []).map(({ number }) => number),
  ];
  assert.ok((await kept()).includes(1));
  writes = Number.POSITIVE_INFINITY;
  assert.equal(
    (await more()).map(({ number }) => number),
    [1],
  );
  assert.equal(
    (await kept()).sort((a, b) => a - b),
    [...messages.map(({ number }) => number), 101],
    'each once',
  );
});

test('an event of a node whose clock is late is not taken for one from before the webhook was there', async () => {
  const { happens, pass, numbers, clock } = await world();
  await happens(device(1));
  await happens(device(1), { type: 'ClaimWindowExpired', at: clock.now() - 50_000 });
  await pass(2 * SECOND);
  assert.equal(numbers(device(1)), [1, 2]);
});

test('of a webhook that was removed nothing is left, also of what was under way in another process', async () => {
  const { pass, parts, remove } = await world(['a', 'b']);
  await parts.noteGone('a');
  remove('a');
  await parts.forget('a');
  // A process that did not know it yet.
  const told = { outcome: '204', answer: '', tookMs: 1 };
  const about = { id: 'evt', type: 'webhook.test', deviceId: null, at: START, number: 1, readAt: null };
  await parts.attempts.add('a', [{ ...about, ...told, isDelivered: true }]);
  await pass(15 * 60 * SECOND, SECOND);
  assert.equal(await parts.attempts.of('a'), []);
  assert.is(await parts.places.get('a'), undefined);
  assert.not.ok(await parts.hasGone());
  assert.ok((await parts.places.get('b')) !== undefined, 'the other one is as it was');
});

test('a webhook that is deleted while its counterpart hangs keeps no other one waiting', async () => {
  const { happens, pass, numbers, hang, remove } = await world(['a', 'b']);
  hang('a');
  await happens(device(1));
  await pass(SECOND);
  remove('a');
  await pass(5 * SECOND);
  await happens(device(1));
  await pass(10 * SECOND);
  assert.equal(numbers(device(1), 'b'), [1, 2]);
});

test('whoever reads old pages again does not bring back what a device was called then', async () => {
  const it = await world();
  const { happens, parts, pass, heard } = it;
  await happens(device(1));
  for (let n = 0; n < 150; n += 1) await happens(device(2));
  await it.rename(device(1), 'new');
  await pass(2 * SECOND);
  await parts.reader.page({ which: 0, from: 0 });
  await happens(device(1));
  await pass(2 * SECOND);
  const names = heard
    .filter(({ message }) => message.deviceId === device(1))
    .map(({ message }) => message.data.deviceName);
  assert.is(names.at(-1), 'new');
});

test.run();
