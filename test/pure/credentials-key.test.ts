/** The key of the devices' credentials: it stays the same whatever becomes of the server key, and is never lost by mistake. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/base/log.ts';
import { remembered } from '../../actors/base/remembered.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Store } from '../../actors/store/store.ts';
import { credentialsKeyOf, credentialsLift } from '../../config/compose/keys.ts';
import { StartRefused } from '../../config/compose/refusal.ts';

const [OLD, NEW] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

/** Starts with these keys, and returns that of the credentials. */
async function started(store: Store, serverKey: Buffer, otherServerKey?: Buffer, acceptNew = false) {
  return (await credentialsKeyOf(store, { serverKey, otherServerKey }, acceptNew, silentLog)).toString('hex');
}

test('credentials key: it is made once, and read by every start and every node', async () => {
  const store = createMemoryStore();
  const keys = await Promise.all([1, 2, 3].map(() => started(store, OLD)));
  assert.is(new Set(keys).size, 1);
  assert.is(await started(store, OLD), keys[0]);
  assert.is.not(await started(createMemoryStore(), OLD), keys[0], 'another store has another one');
});

test('credentials key: it outlasts a change of the server key, in whatever order nodes start', async () => {
  const store = createMemoryStore();
  const key = await started(store, OLD);
  assert.is(await started(store, NEW, OLD), key);
  assert.is(await started(store, OLD, NEW), key);
  assert.is(await started(store, NEW, OLD), key);
  assert.is(await started(store, NEW), key, 'the old one is dropped');
  await started(store, OLD).then(
    () => assert.unreachable(),
    (error: unknown) => assert.instance(error, StartRefused),
  );
});

test('credentials key: given up, it is kept, and is there again with its server key', async () => {
  const store = createMemoryStore();
  const key = await started(store, OLD);
  const another = await started(store, NEW, undefined, true);
  assert.is.not(another, key);
  assert.is(await started(store, NEW), another);
  assert.is(await started(store, OLD), key);
});

test('credentials key: what is lifted can be read by the start that follows', async () => {
  const store = createMemoryStore();
  const { reads, open } = credentialsLift(() => ({ serverKey: OLD, otherServerKey: undefined }), false);
  const { secrets, record } = open(reads.map(() => undefined));
  assert.ok(await store.swap(record.key, undefined, record.text));
  await started(store, OLD);
  const again = open(reads.map((key) => (key === record.key ? record.text : undefined)));
  assert.is(again.record.text, record.text, 'a lift that was cut off goes on under the same key');
  assert.is(again.secrets.credentialsId('a token'), secrets.credentialsId('a token'));
});

test('remembered: the results are the same, within a bound, and long texts are not kept', () => {
  let worked = 0;
  const work = (text: string): number => {
    worked += 1;
    return text.length;
  };
  const length = remembered(work, 4, 3);
  for (const text of ['a', 'bb', 'a', 'bb']) length(text);
  assert.is(worked, 2);
  for (const text of ['c', 'd', 'e', 'f', 'g']) assert.is(length(text), 1);
  length('a');
  assert.is(worked, 8, 'it was forgotten');
  for (const _ of [1, 2]) assert.is(length('long'), 4);
  assert.is(worked, 10);
});

test.run();
