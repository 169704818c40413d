/** Pages of long lists on the embedded store, which goes over what is before a page: others have their turns meanwhile. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { listKey } from '../../actors/store/lmdb/keys.ts';
import { openLmdbStore } from '../../actors/store/lmdb/lmdb.ts';
import { openEnvironment, openTables } from '../../actors/store/lmdb/tables.ts';
import { range } from '../contract/store.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { turnsDuring } from '../kit/turns.ts';

/** So many members may be passed over in one turn of the event loop. */
const PASSED_PER_TURN = 2_500;
const MEMBERS = 45_000;

test('LMDB pages: one far into a list has what is there, and passes over some thousands in each turn', async () => {
  const path = temporaryFolder();
  await openLmdbStore({ path }).close();
  const env = openEnvironment(path);
  const { lists } = openTables(env);
  const members = range(MEMBERS).map((n) => `m${String(n).padStart(5, '0')}`);
  env.transactionSync(() => {
    for (const list of ['before', 'list', 'list2'])
      for (const member of list === 'list' ? members : ['m']) lists.putSync(listKey(list, member), '');
  });
  await env.close();

  const { index, close } = openLmdbStore({ path });
  for (const descending of [false, true]) {
    const ordered = descending ? members.toReversed() : members;
    for (const offset of [0, 1, 2_499, 2_500, 2_501, 5_000, 5_001, 20_000, 44_990, 44_999, 45_000, 60_000]) {
      const after = ordered[7];
      const asked = { offset, limit: 20, descending };
      const { result, turns } = await turnsDuring(() => index.page('list', asked));
      assert.equal(result, ordered.slice(offset, offset + 20), `${offset} ${descending}`);
      // The first and the last part may share turns with what was there before and comes behind.
      const parts = Math.ceil(Math.min(offset, MEMBERS) / PASSED_PER_TURN);
      assert.ok(turns >= parts - 2, `${turns} turns for ${offset}`);
      assert.equal(
        await index.page('list', { ...asked, prefix: 'm', ...(after === undefined ? {} : { after }) }),
        ordered.slice(8 + offset, 28 + offset),
        `behind ${after}: ${offset} ${descending}`,
      );
    }
  }
  await close();
});

test.run();
