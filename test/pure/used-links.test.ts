/** Links to sign up by that were used: what is too old is let go of, its record with it, whichever version wrote it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type MailId, newId } from '../../actors/base/ids.ts';
import { openUsedLinks, USED_LINKS } from '../../actors/mail/used-links.ts';
import { openRecords } from '../../actors/records/records.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { NOW } from '../kit/given.ts';

test('a used link is let go of with its record, also one that an older version wrote', async () => {
  const store = createMemoryStore();
  let now = NOW;
  const links = openUsedLinks(store, { now: () => now });
  const [older, old, young] = [newId<MailId>(NOW + 1), newId<MailId>(NOW + 2), newId<MailId>(NOW + 3)];
  await store.index.add(USED_LINKS, `${String(NOW + 10).padStart(15, '0')} ${older}`);
  await openRecords<{ readonly expiresAt: number }>(store, USED_LINKS).put(older, { expiresAt: NOW + 10 });
  await links.add(old, NOW + 10);
  assert.equal([await links.has(older), await links.has(old)], [true, true]);
  now = NOW + 10;
  await links.add(young, NOW + 20);
  assert.equal([await links.has(older), await links.has(old), await links.has(young)], [false, false, true]);
  assert.is(await store.index.count(USED_LINKS), 1);
  await store.close();
});

test.run();
