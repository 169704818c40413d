/** Why rows of imports and batches are refused, as it is stored: older versions wrote sentences, which say the same for ever. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId, TransferId } from '../../actors/base/ids.ts';
import { openBatches } from '../../actors/batches/jobs.ts';
import type { BatchRow } from '../../actors/batches/model.ts';
import { openImports } from '../../actors/imports/jobs.ts';
import type { ImportRow } from '../../actors/imports/model.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { ALL_LANGUAGES } from '../../actors/texts/languages.ts';
import { viewBatchRow, viewBatchRowWithReason } from '../../http/views/batch.ts';
import { rowView, viewRow, viewRowWithReason } from '../../http/views/import.ts';
import { rowWords as batchWords } from '../../http/web/pages/batch-words.ts';
import { rowWords } from '../../http/web/pages/import-row-words.ts';
import { sayIn } from '../../http/web/texts/say.ts';
import { idOf } from '../kit/given.ts';

const JOB = idOf<TransferId>(1);

/** As a store has it; the file beside the sources ends with a line end. */
const golden = (name: string) =>
  readFileSync(new URL(`../../../test/pure/golden/${name}.jsonl`, import.meta.url), 'utf8').trimEnd();

async function storeWith(kind: string, text: string) {
  const store = createMemoryStore();
  assert.ok(await store.swap(`${kind}:${JOB}/0`, undefined, text));
  return store;
}

const importRows = async (text: string) =>
  openImports(await storeWith('import-block', text)).readBlock(JOB, 0);
const batchRows = async (text: string) => openBatches(await storeWith('batch-block', text)).readBlock(JOB, 0);

interface Told {
  readonly name: string | null;
  readonly outcome: string;
  readonly message: string | null;
}
const storedIn = (text: string) => (JSON.parse(text) as { value: { rows: readonly Told[] } }).value.rows;
const result = (row: ImportRow, nth: number) => ({
  ...row,
  row: nth + 1,
  deviceId: idOf<DeviceId>(9),
  kitId: undefined,
});

test('rows of an import that an older version stored say to the letter what they said', async () => {
  const text = golden('import-block-v1');
  const rows = await importRows(text);
  const told = rows.map(result).map(viewRow);
  assert.equal(
    told.map(({ name, outcome, message }) => [name, outcome.toLowerCase(), message]),
    storedIn(text).map(({ name, outcome, message }) => [name, outcome, message]),
  );
  const unknown = rows.map(({ reason }) => (reason?.code === 'sentence' ? reason.sentence : undefined));
  assert.equal(
    unknown.filter((sentence) => sentence !== undefined),
    ['attributes-too-large', 'credentials-taken', 'unknown-device'],
    'these were codes before; all others are read back',
  );
});

test('rows of a batch that an older version stored say to the letter what they said', async () => {
  const text = golden('batch-block-v1');
  const rows = await batchRows(text);
  assert.equal(
    rows
      .map((row, nth) => viewBatchRow({ ...row, row: nth + 1 }))
      .map(({ name, message }) => [name, message]),
    storedIn(text).map(({ name, message }) => [name, message]),
  );
  assert.is(rows.filter(({ reason }) => reason?.code === 'sentence').length, 3, 'as no text knew them');
  assert.equal(rows[1]?.before, { customerId: null, epoch: 1, allowed: null, label: null });
});

test('what this version stores is what it reads, with every code there is', async () => {
  for (const [kind, codes] of [
    ['import', 19],
    ['batch', 10],
  ] as const) {
    const text = golden(`${kind}-block-v2`);
    const store = createMemoryStore();
    const rows = kind === 'import' ? await importRows(text) : await batchRows(text);
    if (kind === 'import') await openImports(store).writeBlock(JOB, 0, rows as readonly ImportRow[]);
    else await openBatches(store).writeBlock(JOB, 0, rows as readonly BatchRow[]);
    assert.ok(await store.swap(`${kind}-block:${JOB}/0`, text, undefined), 'it is the same to the letter');
    const all = rows.flatMap(({ reason }) => (reason === null ? [] : [reason.code]));
    assert.is(new Set(all).size, codes);
  }
});

test('a block of a version to come is not taken for one of this', async () => {
  const text = golden('import-block-v2').replace('"v":2', '"v":3');
  let refused = '';
  await importRows(text).catch((error: Error) => {
    refused = error.message;
  });
  assert.match(refused, 'has a format that this version does not know');
});

test('every reason is said in every language, and the API says none unless it is asked', async () => {
  const rows = [...(await importRows(golden('import-block-v2')))].filter(({ reason }) => reason !== null);
  const refusals = [...(await batchRows(golden('batch-block-v2')))].filter(({ reason }) => reason !== null);
  for (const language of ALL_LANGUAGES.filter((one) => one !== 'en')) {
    const say = sayIn(language, language);
    for (const [nth, row] of rows.entries()) {
      const { reason, message, ...others } = rowView.parse(viewRowWithReason(result(row, nth)));
      assert.ok(reason);
      assert.is(rowWords(reason, say) === message, reason.code === 'sentence', `${language}: ${message}`);
      assert.equal(viewRow(result(row, nth)), { ...others, message });
    }
    for (const [nth, row] of refusals.entries()) {
      const viewed = viewBatchRowWithReason({ ...row, row: nth + 1 });
      const { reason, ...others } = viewed;
      assert.is(
        batchWords(viewed, say) === viewed.message,
        reason?.code === 'sentence',
        `${language}: ${viewed.message}`,
      );
      assert.equal(viewBatchRow({ ...row, row: nth + 1 }), others);
    }
  }
});

test.run();
