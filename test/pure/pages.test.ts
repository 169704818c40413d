/** Pages of entities: what is kept in memory of a long list, and how much one page tells. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type EntityQuery, readPage } from '../../actors/records/pages.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';

interface Thing {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

const LIST = 'things';
const TEXT = 'x'.repeat(1_000);

/** So many things, the last in the order of names being the first that was made. */
async function things(count: number) {
  const { entities, index } = createMemoryStore();
  const all: Thing[] = [];
  for (let n = 0; n < count; n += 1) {
    const id = String(n).padStart(4, '0');
    all.push({ id, title: `Thing ${String(count - n).padStart(4, '0')}`, text: TEXT });
    const members = [{ list: LIST, member: id }];
    const take = { take: { unique: [], members }, release: { unique: [], members: [] } };
    await entities.commit({ name: `thing/${id}`, expected: 0, text: id, index: take });
  }
  let looked: string[] = [];
  const find = async (id: string) => {
    looked.push(id);
    return all[Number(id)];
  };
  return {
    page: (query: EntityQuery) => readPage({ index, find, title: ({ title }) => title }, LIST, query),
    /** Those that were looked at since the last time. */
    looked() {
      const some = looked;
      looked = [];
      return some;
    },
  };
}

test('attack: pages: things that hold too much for one are not read to their end, and that is told', async () => {
  const { page, looked } = await things(1_000);
  for (const sortProperty of ['createdTime', 'name'] as const) {
    looked();
    const cut = await page({ page: 0, pageSize: 1_000, sortProperty, lettersMax: 10_000 });
    assert.is(cut.isCutShort, true);
    assert.ok(cut.items.length < 10);
    assert.is(cut.total, 1_000);
    const whole = await page({ page: 0, pageSize: 9, sortProperty, lettersMax: 10_000 });
    assert.is(whole.isCutShort, undefined);
    assert.is(whole.items.length, 9);
    assert.is((await page({ page: 0, pageSize: 1_000, sortProperty })).items.length, 1_000);
  }
  looked();
  await page({ page: 0, pageSize: 1_000, lettersMax: 10_000 });
  assert.ok(looked().length < 1_000, 'what is not told is not read');
});

test('pages: sorted by name, a search has the part that is asked for, and how many there are', async () => {
  const { page } = await things(20);
  const found = await page({ page: 1, pageSize: 3, sortProperty: 'name', textSearch: 'THING 00' });
  assert.equal(
    found.items.map(({ title }) => title),
    ['Thing 0004', 'Thing 0005', 'Thing 0006'],
  );
  assert.is(found.total, 20);
  const last = await page({ page: 0, pageSize: 1, sortProperty: 'name', sortOrder: 'DESC' });
  assert.is(last.items[0]?.title, 'Thing 0020');
});

test.run();
