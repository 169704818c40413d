/** Leases: which of several processes does the work of all, and what happens when it stops. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLease } from '../../actors/records/lease.ts';
import { createSimClock } from '../kit/clock.ts';
import { createSharedStore } from '../kit/shared-store.ts';

const START = 1_700_000_000_000;
const TTL_MS = 6_000;

function scene() {
  const store = createSharedStore();
  // The clocks of two machines, a day apart.
  const clocks = [createSimClock(START), createSimClock(START + 86_400_000)];
  const [one, other] = clocks.map((clock) => createLease(store, clock, 'work', TTL_MS));
  if (one === undefined || other === undefined) throw new Error('no leases');
  const pass = (ms: number) => {
    for (const clock of clocks) clock.advance(ms);
  };
  return { store, one, other, pass };
}

test('lease: one process holds it as long as it renews, whatever the clocks say', async () => {
  const { one, other, pass } = scene();
  const first = await Promise.all([one.hold(), other.hold()]);
  assert.is(first.filter((held) => held).length, 1);
  const [holder, waiting] = first[0] ? [one, other] : [other, one];
  for (let n = 0; n < 20; n += 1) {
    pass(TTL_MS / 2);
    assert.is(await holder.hold(), true);
    assert.is(await waiting.hold(), false);
  }
});

test('lease: it is taken over when its holder has not renewed in time, and not given back', async () => {
  const { one, other, pass } = scene();
  assert.is(await one.hold(), true);
  assert.is(await other.hold(), false);
  pass(TTL_MS - 1);
  assert.is(await other.hold(), false);
  pass(1);
  assert.is(await other.hold(), true);
  assert.is(await one.hold(), false);
});

test('lease: after a release another process has it at once; only its holder can release it', async () => {
  const { one, other } = scene();
  assert.is(await one.hold(), true);
  await other.release();
  assert.is(await other.hold(), false);
  await one.release();
  assert.is(await other.hold(), true);
  assert.is(await one.hold(), false);
});

test('lease: a process alone on its store holds every lease, and nothing is written', async () => {
  const { store } = scene();
  const alone = createLease({ ...store, shared: false }, createSimClock(START), 'work', TTL_MS);
  assert.is(await alone.hold(), true);
  await alone.release();
  assert.is(await createLease(store, createSimClock(START), 'work', TTL_MS).hold(), true);
});

test.run();
