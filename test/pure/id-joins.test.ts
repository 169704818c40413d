/** Lists that are gone through side by side: how much of them is read, and for how long. */
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import { createFilteredSearch } from '../../actors/fleet/filtered.ts';
import { beginEffort, joined, type Source } from '../../actors/fleet/id-joins.ts';
import { SEARCH_BOUNDS, type SearchBounds } from '../../actors/fleet/search.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Index } from '../../actors/store/store.ts';
import { like } from '../kit/counting.ts';
import { manyId } from '../kit/many-devices.ts';

/** Every so many devices are in the rare list, too. */
const APART = 400;

/** The same index, with what was read of it. @param slow each read takes as long as a round trip */
function counting(index: Index, slow = false) {
  const read = { rows: 0, reads: 0 };
  const counted = like(index, {
    async page(list, query) {
      const members = await index.page(list, query);
      read.rows += members.length;
      read.reads += 1;
      if (slow) await delay(2);
      return members;
    },
  });
  return { counted, read };
}

/** A rare list and a dense one, in which each rare device is a jump away from the last. */
async function rareAndDense(count: number) {
  const store = createMemoryStore();
  const rare: DeviceId[] = [];
  for (let n = 0; n < count; n += 1) {
    await store.index.add('dense', manyId(n));
    if (n % APART !== 17) continue;
    rare.push(manyId(n));
    await store.index.add('rare', manyId(n));
  }
  return { store, rare };
}

const SOURCES: readonly Source[] = ['dense', 'rare'].map((list) => ({
  lists: [{ list }],
  others: [],
  without: new Set<DeviceId>(),
}));

test('a join of a rare list with a dense one reads little more than the rare one, in either order', async () => {
  const { store, rare } = await rareAndDense(40_000);
  for (const descending of [false, true]) {
    const { counted, read } = counting(store.index);
    const found = await joined(counted, beginEffort(), {
      sources: SOURCES,
      descending,
      after: undefined,
      offset: 0,
      limit: rare.length,
      stops: () => false,
    });
    assert.equal(found.ids, descending ? [...rare].reverse() : rare);
    // Eight rows for each jump, besides those of the rare list.
    assert.ok(read.rows <= (rare.length + 1) * 16, `${read.rows} rows in ${read.reads} reads`);
  }
  await store.close();
});

/** A search of all has some 110. A read takes a millisecond at least, and a page of 100 has 50 ms more. */
const READS_MAX = 90;

test('a search whose reads are slow ends soon, however few devices it has looked at, and finds all by going on', async () => {
  const { store, rare } = await rareAndDense(40_000);
  const slow: readonly (readonly [SearchBounds, boolean])[] = [
    // Each read counts, and takes a millisecond at least.
    [{ ...SEARCH_BOUNDS, pageMs: 10, looksMin: 200, hardMs: 1e9 }, false],
    [{ ...SEARCH_BOUNDS, hardMs: 20 }, true],
    [{ ...SEARCH_BOUNDS, hardMs: 20 }, false],
  ];
  for (const [bounds, areFew] of slow) {
    const { counted, read } = counting(store.index, true);
    const search = createFilteredSearch(counted, bounds, async () => []);
    const ids: DeviceId[] = [];
    let after: string | undefined;
    do {
      read.reads = 0;
      const query = { page: 0, pageSize: rare.length, ...(after === undefined ? {} : { after }) };
      const found = await search.byCreation(query, {
        sources: SOURCES,
        head: undefined,
        total: undefined,
        areFew,
      });
      assert.ok(read.reads <= READS_MAX, `${read.reads} reads`);
      ids.push(...found.ids);
      after = found.next;
    } while (after !== undefined);
    assert.equal(ids, rare);
  }
  await store.close();
});

test.run();
