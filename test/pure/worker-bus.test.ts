/** The bus between workers: messages of a turn travel together and in order, and waiting ones are bounded. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../actors/base/json.ts';
import { createWorkerBus, isParcel, type Parcel } from '../../config/process/worker-bus.ts';

/** A channel with both ends in the test. */
function scene() {
  const parcels: Parcel[] = [];
  const sent: (() => void)[] = [];
  let deliver = (_parcel: Parcel) => {};
  const bus = createWorkerBus({
    send(parcel, done) {
      parcels.push(parcel);
      sent.push(done);
    },
    onParcel(hear) {
      deliver = hear;
    },
  });
  return { bus, parcels, sent, deliver: (parcel: Parcel) => deliver(parcel) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('worker bus: messages of one turn are one parcel, in order; the next is sent after it', async () => {
  const { bus, parcels, sent } = scene();
  for (let n = 0; n < 5; n += 1) bus.publish(`t${n % 2}`, { n });
  assert.equal(parcels, []);
  await turn();
  assert.is(parcels.length, 1);
  assert.equal(
    parcels[0]?.messages.map(([topic, { n }]) => `${topic} ${n}`),
    ['t0 0', 't1 1', 't0 2', 't1 3', 't0 4'],
  );
  bus.publish('t', { n: 5 });
  await turn();
  assert.is(parcels.length, 1, 'the first is still on its way');
  sent[0]?.();
  assert.is(parcels.length, 2);
  sent[1]?.();
  bus.publish('t', { n: 6 });
  await turn();
  assert.is(parcels.length, 3);
});

test('worker bus: waiting messages are bounded', async () => {
  const { bus, parcels, sent } = scene();
  bus.publish('t', {});
  await turn();
  for (let n = 0; n < 25_000; n += 1) bus.publish('t', { n });
  sent[0]?.();
  assert.is(parcels[1]?.messages.length, 10_000);
});

test('worker bus: listeners get their topic until they unsubscribe; malformed messages are ignored', () => {
  const { bus, deliver } = scene();
  const heard: JsonObject[] = [];
  const end = bus.subscribe('a', (message) => heard.push(message));
  const parcel: unknown = {
    type: 'bus',
    messages: [
      ['a', { n: 1 }],
      ['b', { n: 2 }],
      ['a', 'no object'],
      ['a', { n: 3 }],
    ],
  };
  assert.ok(isParcel(parcel));
  if (isParcel(parcel)) deliver(parcel);
  assert.equal(heard, [{ n: 1 }, { n: 3 }]);
  end();
  if (isParcel(parcel)) deliver(parcel);
  assert.is(heard.length, 2);
  for (const other of [null, 'bus', { type: 'bus' }, { type: 'ready', messages: [] }])
    assert.not.ok(isParcel(other));
});

test.run();
