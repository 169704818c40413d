/** Lists that are gone through side by side: how much of them is read. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { beginEffort, joined } from '../../actors/fleet/id-joins.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Index } from '../../actors/store/store.ts';
import { manyId } from '../kit/many-devices.ts';

const DENSE = 40_000;
/** Every so many devices are in the rare list, too. */
const APART = 400;

/** The same index, with what was read of it. */
function counting(index: Index) {
  const read = { rows: 0, reads: 0 };
  const counted: Index = {
    lookup: (key) => index.lookup(key),
    add: (list, member) => index.add(list, member),
    remove: (list, member) => index.remove(list, member),
    count: (list, within) => index.count(list, within),
    async page(list, query) {
      const members = await index.page(list, query);
      read.rows += members.length;
      read.reads += 1;
      return members;
    },
  };
  return { counted, read };
}

test('a join of a rare list with a dense one reads little more than the rare one, in either order', async () => {
  const store = createMemoryStore();
  const rare: string[] = [];
  for (let n = 0; n < DENSE; n += 1) {
    await store.index.add('dense', manyId(n));
    if (n % APART !== 17) continue;
    rare.push(manyId(n));
    await store.index.add('rare', manyId(n));
  }
  for (const descending of [false, true]) {
    const { counted, read } = counting(store.index);
    const sources = ['dense', 'rare'].map((list) => ({
      lists: [{ list }],
      others: [],
      without: new Set<never>(),
    }));
    const found = await joined(counted, beginEffort(), {
      sources,
      descending,
      after: undefined,
      offset: 0,
      limit: DENSE,
      stops: () => false,
    });
    assert.equal(found.ids, descending ? [...rare].reverse() : rare);
    // Eight rows for each jump, besides those of the rare list.
    assert.ok(read.rows <= (rare.length + 1) * 16, `${read.rows} rows in ${read.reads} reads`);
  }
  await store.close();
});

test.run();
