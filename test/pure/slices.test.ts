/** Long work in slices. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { adaptiveSize, DEVICES_PER_TURN, mapInSlices, nextTurn } from '../../actors/base/slices.ts';
import { until } from '../kit/until.ts';

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

/** Does a slice that takes so long, in a turn of its own. */
async function slice(ms: number): Promise<void> {
  await nextTurn();
  const until = performance.now() + ms;
  while (performance.now() < until) {}
}

/** The size after each of some slow slices that one work does alone. */
async function sizesWhileSlow(size: () => number, count: number): Promise<readonly number[]> {
  const sizes: number[] = [];
  for (let n = 0; n < count; n += 1) {
    await slice(20);
    sizes.push(size());
  }
  return sizes;
}

const growsAgain = (size: () => number, max: number) =>
  until('slices are large again', async () => {
    await slice(0);
    return size() === max;
  });

test('slices: of one work alone a slice gets smaller while turns take long, down to the least, and grows again when they do not', async () => {
  const size = adaptiveSize(4, 32);
  assert.is(size(), 32);
  const sizes = await sizesWhileSlow(size, 7);
  assert.equal(sizes.slice(-3), [4, 4, 4], sizes.join());
  assert.ok(
    sizes.every((now, at) => now <= (sizes[at - 1] ?? 32)),
    sizes.join(),
  );
  await growsAgain(size, 32);
});

test('slices: after two slow works at once they are small, and do not stay so for one work alone that is quick', async () => {
  const size = adaptiveSize(4, 32);
  await Promise.all([sizesWhileSlow(size, 5), sizesWhileSlow(size, 5)]);
  assert.is(size(), 4);
  await growsAgain(size, 32);
});

test('slices: one long turn makes slices smaller once, however often their size is asked for later', async () => {
  const size = adaptiveSize(4, 32);
  await slice(20);
  await turnOfTheLoop();
  await turnOfTheLoop();
  assert.equal([size(), size(), size()], [16, 16, 16]);
});

test.run();
