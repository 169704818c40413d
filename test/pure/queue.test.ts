/** Laws of a queue (actors/base/queue.ts), over random sequences of additions and takings. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Queue } from '../../actors/base/queue.ts';

test('queue: it is like a list that is added to at the end and taken from at the front', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.constant('take' as const)), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new Queue<number>();
      let list: number[] = [];
      for (const step of all) {
        if (step === 'take') {
          // So many that places at the front are given back.
          for (let n = 0; n < 1_500; n += 1) assert.is(queue.take(), list[n]);
          list = list.slice(1_500);
        } else {
          for (let n = 0; n < step; n += 1) queue.add(n);
          list = [...list, ...Array.from({ length: step }, (_, n) => n)];
        }
        assert.is(queue.size, list.length);
        assert.is(queue.first, list[0]);
      }
    }),
    { numRuns: 50 },
  );
});

test.run();
