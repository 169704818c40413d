/** What is looked at when its time comes: once, and nothing else with it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Due, DueList } from '../../transports/mqtt/endpoint/due.ts';
import fc from '../kit/property.ts';

interface Item extends Due {
  readonly n: number;
}

const ITEMS = 5;
const step = fc.oneof(
  fc.record({
    type: fc.constant('put' as const),
    n: fc.nat(ITEMS - 1),
    inMs: fc.integer({ min: -50, max: 500 }),
  }),
  fc.record({ type: fc.constant('remove' as const), n: fc.nat(ITEMS - 1) }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 200 }) }),
);

test('mqtt: due: each is taken in the first look at or after its instant, once, and not if it was taken out', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 70 }), (steps, roundMs) => {
      let now = 1_000;
      const list = new DueList<Item>(roundMs, now);
      const items = Array.from({ length: ITEMS }, (_, n): Item => ({ n, dueAt: undefined }));
      const wanted = new Map<number, number>();
      for (const one of [...steps, { type: 'wait' as const, ms: 2_000 }]) {
        if (one.type === 'wait') {
          now += one.ms;
          const due = [...wanted].filter(([, at]) => at <= now).map(([n]) => n);
          const taken = list.take(now).map(({ n }) => n);
          assert.equal(taken.sort(), due.sort());
          for (const n of taken) wanted.delete(n);
          continue;
        }
        const item = items[one.n];
        assert.ok(item);
        list.remove(item);
        wanted.delete(one.n);
        if (one.type === 'remove') continue;
        list.put(item, now + one.inMs);
        wanted.set(one.n, now + one.inMs);
      }
      assert.is(wanted.size, 0);
    }),
  );
});

test('mqtt: due: what has no instant is in no look, also if it had one before', () => {
  const list = new DueList<Item>(10, 0);
  const item: Item = { n: 1, dueAt: undefined };
  list.put(item, 15);
  list.put(item, Number.POSITIVE_INFINITY);
  assert.equal(list.take(1e6), []);
});

test.run();
