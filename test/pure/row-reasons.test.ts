/**
 * Why rows of imports and batches are refused, as it is stored: an English sentence, which every version reads and which says the same for
 * ever, and a code beside it, which another version may not know or may have left behind.
 */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId, TransferId } from '../../actors/base/ids.ts';
import { openBatches } from '../../actors/batches/jobs.ts';
import type { BatchRow } from '../../actors/batches/model.ts';
import { BATCH_REASONS } from '../../actors/batches/reasons.ts';
import type { Refusal, RefusalReason } from '../../actors/device/messages.ts';
import { openImports } from '../../actors/imports/jobs.ts';
import type { ImportRow } from '../../actors/imports/model.ts';
import { KIT_REASONS } from '../../actors/kits/model.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { ALL_LANGUAGES } from '../../actors/texts/languages.ts';
import { batchRowView, viewBatchRow, viewBatchRowWithReason } from '../../http/views/batch.ts';
import { rowView, viewRow, viewRowWithReason } from '../../http/views/import.ts';
import { rowWords as batchWords } from '../../http/web/pages/batch-words.ts';
import { rowWords } from '../../http/web/pages/import-row-words.ts';
import { sayIn } from '../../http/web/texts/say.ts';
import { refusedByDevice } from '../../http/wire/errors.ts';
import { idOf } from '../kit/given.ts';
import { type Caller, entity, pageOf, provision, settle } from '../kit/rest-client.ts';
import { pause } from '../kit/until.ts';
import { createWebWorld, visitor } from '../kit/web-client.ts';

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
  readonly reason?: { readonly code: string; readonly refusal?: Refusal };
}
const storedIn = (text: string) => (JSON.parse(text) as { value: { rows: readonly Told[] } }).value.rows;
const messagesIn = (text: string) => storedIn(text).map(({ message }) => message);
const result = (row: ImportRow, nth = 0) => ({
  ...row,
  row: nth + 1,
  deviceId: idOf<DeviceId>(9),
  kitId: undefined,
});
/** As the API answers, which is checked against what it says it answers. */
const viewed = (row: ImportRow) => rowView.parse(viewRowWithReason(result(row)));
const viewedOf = (row: BatchRow) => batchRowView.parse(viewBatchRowWithReason({ ...row, row: 1 }));

test('rows of an import that an older version stored say to the letter what they said', async () => {
  const text = golden('import-block-v1');
  const rows = await importRows(text);
  const told = rows.map(result).map(viewRow);
  assert.equal(
    told.map(({ name, outcome, message }) => [name, outcome.toLowerCase(), message]),
    storedIn(text).map(({ name, outcome, message }) => [name, outcome, message]),
  );
  const unknown = rows.map(viewed).filter(({ reason }) => reason?.code === 'sentence');
  assert.equal(
    unknown.map(({ message }) => message),
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
  const unknown = rows.map(viewedOf).filter(({ reason }) => reason?.code === 'sentence');
  assert.is(unknown.length, 3, 'as no text knew them');
  assert.equal(rows[1]?.before, { customerId: null, epoch: 1, allowed: null, label: null });
});

test('what is stored stays so when it is read and written, codes of versions to come too', async () => {
  for (const kind of ['import', 'batch'] as const) {
    for (const which of ['', '-reasons', '-others']) {
      const text = golden(`${kind}-block-v1${which}`);
      const store = createMemoryStore();
      if (kind === 'import') await openImports(store).writeBlock(JOB, 0, await importRows(text));
      else await openBatches(store).writeBlock(JOB, 0, await batchRows(text));
      assert.ok(await store.swap(`${kind}-block:${JOB}/0`, text, undefined), 'it is the same to the letter');
    }
  }
});

/** Every refusal of a device, with all that belongs to it. A new one does not compile until it is here. */
const REFUSALS: { readonly [Code in RefusalReason]: Omit<Extract<Refusal, { reason: Code }>, 'reason'> } = {
  'unknown-device': {},
  'already-provisioned': {},
  'credentials-revoked': {},
  'not-behind-gateway': {},
  'gateway-unchecked': { gateway: idOf<DeviceId>(1) },
  'too-many-devices': { of: 'tenant', max: 7 },
  'credentials-superseded': {},
  'already-claimed': {},
  'claiming-not-allowed': {},
  superseded: {},
  'duration-out-of-range': {},
  'duration-too-long': { maxDurationMs: 3_600_000 },
  'secret-too-short': { minSecretLength: 8 },
  'rate-limited': { retryAfterMs: 1_500 },
  'reset-not-allowed': {},
  'reset-repeated': {},
  'take-over-pending': {},
  'no-window': {},
  'window-elapsed': {},
  'wrong-secret': {},
  'proof-required': {},
  'wrong-proof': {},
  'proof-outdated': {},
  'consent-needed': { ownerEpoch: 2, evidence: 'proof', name: 'lamp', deviceType: 'default' },
  'policy-refused': { policyReason: 'unpaid', policyMessage: 'Pay first' },
  'proof-not-possible': {},
  'window-pending': {},
  'window-replaced': {},
  'not-owner': {},
  'not-assigned': {},
  'epoch-changed': {},
  'no-offer': {},
  'offer-elapsed': {},
  'transfer-taken': {},
  'attributes-too-large': { maxBytes: 65_536 },
  'steering-attribute-malformed': { fault: 'wrong-scope' },
  'token-too-short': { minTokenLength: 16 },
  'description-changed': {},
  'name-taken': {},
  'credentials-taken': {},
};
/** These never leave the port to devices: what a row that has one says is its sentence. */
const NEVER_STORED: ReadonlySet<string> = new Set(['gateway-unchecked', 'consent-needed']);

test('every reason of an import that is stored is known again, and its sentence is the stored one', async () => {
  const text = golden('import-block-v1-reasons');
  const rows = (await importRows(text)).map(viewed);
  assert.equal(
    rows.map(({ message }) => message),
    messagesIn(text),
  );
  assert.equal(
    rows.map(({ reason }) => reason),
    storedIn(text).map(({ reason }) => reason ?? null),
  );
  assert.is(new Set(rows.flatMap(({ reason }) => (reason ? [reason.code] : []))).size, 18);
  const whys = rows.flatMap(({ reason }) => (reason && 'why' in reason ? [reason.why] : []));
  assert.equal([...whys].sort(), [...KIT_REASONS, ...Object.keys(REFUSALS)].sort());
});

test('every reason of a batch that is stored is known again, each refusal of a device with its members', async () => {
  const text = golden('batch-block-v1-reasons');
  const stored = storedIn(text);
  const codes = new Set(stored.map(({ reason }) => reason?.refusal?.reason ?? reason?.code));
  for (const code of [...BATCH_REASONS, ...Object.keys(REFUSALS)]) assert.ok(codes.has(code), code);
  for (const [nth, row] of (await batchRows(text)).entries()) {
    const { message, reason } = viewedOf(row);
    const { reason: kept, message: sentence } = stored[nth] ?? {};
    assert.is(message, sentence);
    if (kept?.refusal === undefined) assert.equal(reason, kept ?? null);
    else if (NEVER_STORED.has(kept.refusal.reason)) assert.equal(reason, { code: 'sentence' });
    else assert.equal(reason, { code: 'device-refused', why: refusedByDevice(kept.refusal).reason });
  }
});

test('a code that is not known, or that does not go with the sentence, does not count: the sentence does', async () => {
  const text = golden('import-block-v1-others');
  const rows = (await importRows(text)).map(viewed);
  assert.equal(
    rows.map(({ message }) => message),
    messagesIn(text),
  );
  const kept = (nth: number) => ({ code: 'sentence', sentence: messagesIn(text)[nth] });
  assert.equal(
    rows.map(({ reason }) => reason),
    [
      kept(0),
      { code: 'name-missing' },
      kept(2),
      kept(3),
      { code: 'device-refused', why: 'moon-refused' },
      { code: 'no-kit', why: 'kit-on-the-moon' },
      { code: 'name-twice' },
      null,
      { code: 'name-missing' },
      kept(9),
    ],
  );
  const batch = golden('batch-block-v1-others');
  const left = (await batchRows(batch)).map(viewedOf);
  assert.equal(
    left.map(({ message }) => message),
    messagesIn(batch),
  );
  assert.equal(
    left.map(({ reason }) => reason?.code ?? null),
    [
      'sentence',
      'no-answer',
      'sentence',
      'sentence',
      'sentence',
      'sentence',
      'changed-hands',
      'no-device',
      null,
      'no-answer',
      'sentence',
    ],
  );
});

test('a row that an older version gave another sentence says that one, whatever code it left', async () => {
  for (const row of await importRows(golden('import-block-v1-reasons'))) {
    const again: ImportRow = { ...row, outcome: 'refused', message: 'The name is in the list twice' };
    assert.equal(viewed(again).reason, { code: 'name-twice' });
    assert.is(viewed({ ...row, outcome: 'created', message: null }).reason, null);
  }
  for (const row of await batchRows(golden('batch-block-v1-reasons'))) {
    const again: BatchRow = { ...row, outcome: 'refused', message: 'There was no answer' };
    assert.equal(viewedOf(again).reason, { code: 'no-answer' });
    assert.is(viewedOf({ ...row, outcome: 'done', message: null }).reason, null);
  }
});

test('a block of a version to come is not taken for one of this', async () => {
  const text = golden('import-block-v1-reasons').replace('"v":1', '"v":2');
  let refused = '';
  await importRows(text).catch((error: Error) => {
    refused = error.message;
  });
  assert.match(refused, 'has a format that this version does not know');
});

test('every reason is said in every language, and the API says none unless it is asked', async () => {
  const rows = (await importRows(golden('import-block-v1-reasons'))).filter(({ reason }) => reason);
  const refusals = (await batchRows(golden('batch-block-v1-reasons'))).filter(({ reason }) => reason);
  for (const language of ALL_LANGUAGES.filter((one) => one !== 'en')) {
    const say = sayIn(language, language);
    for (const row of rows) {
      const { reason, message, ...others } = viewed(row);
      assert.ok(reason);
      assert.is.not(rowWords(reason, say), message, `${language}: ${message}`);
      assert.equal(viewRow(result(row)), { ...others, message });
    }
    for (const row of refusals) {
      const { reason, ...others } = viewedOf(row);
      assert.ok(batchWords({ ...others, reason }, say));
      if (reason?.code !== 'device-refused' && reason?.code !== 'sentence')
        assert.is.not(
          batchWords({ ...others, reason }, say),
          others.message,
          `${language}: ${others.message}`,
        );
      assert.equal(viewBatchRow({ ...row, row: 1 }), others);
    }
  }
});

interface Job {
  readonly id: string;
  readonly state: string;
}

async function ended(caller: Caller, path: string, states: readonly string[]): Promise<void> {
  for (;;) {
    if (states.includes((entity(await caller.get(path)) as unknown as Job).state)) return;
    await pause(5);
  }
}

test('rows of a version to come are shown, answered and written as CSV, and no code makes it fail', async () => {
  const world = createWebWorld();
  try {
    const home = await settle(world, 'home');
    const { admin } = home;
    const admins = visitor(world);
    await admins.signIn(home.adminEmail);
    const page = async (path: string) => {
      const shown = await admins.get(path, { 'accept-language': 'de' });
      assert.is(shown.status, 200, shown.text);
      return shown.text;
    };

    const text = golden('import-block-v1-others');
    const made = await importRows(text);
    const { id } = entity(await admin.post('/api/deviceImport', {})) as unknown as Job;
    const path = `/api/deviceImport/${id}`;
    await admin.post(`${path}/rows`, { from: 0, rows: made.map(() => ({ name: ' ' })) });
    await admin.post(`${path}/start?dryRun=true`);
    await ended(admin, path, ['TRIED']);
    const jobs = openImports(world.store);
    const written = String(await world.store.records.get(`import-block:${id}/0`));
    assert.match(written, '"v":1');
    assert.match(written, '"message":"The name is missing","reason":{"code":"name-missing"}');
    await jobs.writeBlock(id, 0, made);
    for (const query of ['', '&reasons=true']) {
      const { data } = pageOf(await admin.get(`${path}/rows?pageSize=100${query}`));
      assert.equal(
        data.map(({ message }) => message),
        messagesIn(text),
      );
    }
    const csv = await admin.get(`${path}/result`);
    assert.is(csv.status, 200);
    for (const message of messagesIn(text)) if (message !== null) assert.match(csv.text, message);
    const shown = await page(`/devices/import/${id}`);
    assert.match(shown, 'The moon is in the wrong house');
    assert.match(shown, 'Der Name fehlt');

    const lamp = await provision(world, home.tenantId, 'lamp 0');
    const change = { change: 'ASSIGN', customerId: home.alice.customerId, deviceIds: [lamp] };
    const first = entity(await admin.post('/api/deviceBatch', change)) as unknown as Job;
    await ended(admin, `/api/deviceBatch/${first.id}`, ['DONE']);
    await admin.post(`/api/customer/${home.bob.customerId}/device/${lamp}`);
    const undoing = entity(await admin.post(`/api/deviceBatch/${first.id}/undo`)) as unknown as Job;
    await ended(admin, `/api/deviceBatch/${undoing.id}`, ['DONE']);
    const block = String(await world.store.records.get(`batch-block:${undoing.id}/0`));
    assert.match(block, '"v":1');
    assert.match(block, '"message":"It changed hands meanwhile, so it was left alone"');
    assert.match(block, '"reason":{"code":"changed-hands"}');
    const batch = golden('batch-block-v1-others');
    await openBatches(world.store).writeBlock(undoing.id, 0, await batchRows(batch));
    for (const query of ['', '&reasons=true']) {
      const { data } = pageOf(await admin.get(`/api/deviceBatch/${undoing.id}/rows?pageSize=100${query}`));
      assert.equal(
        data.map(({ message }) => message),
        messagesIn(batch),
      );
    }
    const left = await page(`/devices/batches/${undoing.id}`);
    assert.match(left, 'The moon refused!');
    assert.match(left, 'Dieses Gerät gibt es nicht');
  } finally {
    await world.stop();
  }
});

test.run();
