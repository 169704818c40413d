/** Long work in slices. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { adaptiveSize, DEVICES_PER_TURN, mapInSlices, nextTurn } from '../../actors/base/slices.ts';

const turnOfTheLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

test('slices: results are in the order of the items, each once', async () => {
  const items = Array.from({ length: 2 * DEVICES_PER_TURN + 3 }, (_, n) => n);
  assert.equal(
    await mapInSlices(items, async (n) => n * 2),
    items.map((n) => n * 2),
  );
  assert.equal(await mapInSlices([], () => assert.unreachable()), []);
});

test('slices: one slice is done per turn of the event loop, however much long work there is, and all get their share', async () => {
  const [works, slicesOfEach] = [40, 5];
  let turn = 0;
  let done = false;
  const others = (async () => {
    for (; !done; turn += 1) await turnOfTheLoop();
  })();
  const perTurn = new Map<number, number>();
  const ends = await Promise.all(
    Array.from({ length: works }, async () => {
      for (let n = 0; n < slicesOfEach; n += 1) {
        await nextTurn();
        perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
      }
      return turn;
    }),
  );
  done = true;
  await others;
  assert.ok(Math.max(...perTurn.values()) <= 2, `${Math.max(...perTurn.values())} slices in one turn`);
  assert.ok(Math.max(...ends) - Math.min(...ends) <= 2 * works, 'nobody was done long before the others');
});

test('slices: work that fails leaves the others their turns', async () => {
  const failing = nextTurn().then(() => Promise.reject(new Error('x')));
  const next = nextTurn();
  await failing.catch(() => {});
  await next;
});

test('slices: a slice gets smaller while turns take long, down to the least, and grows again when they do not', () => {
  let turnMs = 0;
  const size = adaptiveSize(4, 32, () => turnMs);
  const sizes = (ms: number, count: number) => {
    turnMs = ms;
    return Array.from({ length: count }, size);
  };
  assert.equal(sizes(0, 2), [32, 32]);
  assert.equal(sizes(50, 5), [16, 8, 4, 4, 4]);
  assert.equal(sizes(3, 2), [4, 4]);
  assert.equal(sizes(1, 9), [8, 12, 16, 20, 24, 28, 32, 32, 32]);
});

test('slices: how long turns take is seen where slices follow one another', async () => {
  const size = adaptiveSize(1, 1_000_000);
  const busy = async () => {
    for (let n = 0; n < 3; n += 1) {
      await nextTurn();
      const until = performance.now() + 20;
      while (performance.now() < until) {}
    }
  };
  await Promise.all([busy(), busy()]);
  assert.is(size(), 500_000);
});

test.run();
