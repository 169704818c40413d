/** Laws of an order of use (actors/runtime/by-use.ts), over random sequences of additions, uses and removals. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ByUse, type InOrder } from '../../actors/runtime/by-use.ts';

interface Thing extends InOrder<Thing> {
  readonly n: number;
}

const THINGS = 8;

/** From the oldest on, and the same backwards. */
function walk(order: ByUse<Thing>): number[] {
  const there: number[] = [];
  const back: number[] = [];
  let last: Thing | undefined;
  for (let thing = order.oldest; thing !== undefined; thing = thing.newer) {
    there.push(thing.n);
    last = thing;
  }
  for (let thing = last; thing !== undefined; thing = thing.older) back.unshift(thing.n);
  assert.equal(back, there);
  return there;
}

test('order of use: it is like a list in which what is used goes to the end', () => {
  const steps = fc.array(
    fc.record({ what: fc.constantFrom('use', 'remove'), n: fc.nat(THINGS - 1) } as const),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const order = new ByUse<Thing>();
      const things = Array.from(
        { length: THINGS },
        (_, n): Thing => ({ n, older: undefined, newer: undefined }),
      );
      let list: number[] = [];
      for (const { what, n } of all) {
        const thing = things[n];
        assert.ok(thing);
        const isIn = list.includes(n);
        list = list.filter((other) => other !== n);
        if (what === 'use') {
          if (isIn) order.use(thing);
          else order.add(thing);
          list.push(n);
        } else if (isIn) order.remove(thing);
        assert.equal(walk(order), list);
        if (!list.includes(n)) assert.equal([thing.older, thing.newer], [undefined, undefined]);
      }
      order.clear();
      assert.is(order.oldest, undefined);
    }),
  );
});

test.run();
