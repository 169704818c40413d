/** What a flood of refusals leaves in the audit trail. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AuditTrail, createAudit } from '../../actors/audit/audit.ts';
import type { Note } from '../../actors/audit/entry.ts';
import { boundRefusals } from '../../actors/audit/repeats.ts';
import type { DeviceId, UserId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { createSimClock } from '../kit/clock.ts';
import { CUSTOMER, DEVICE, idOf, TENANT } from '../kit/given.ts';

const REFUSED: Note = {
  tenantId: TENANT,
  action: 'CLAIM_REFUSED',
  deviceId: DEVICE,
  deviceName: 'Pump 1',
  customerId: CUSTOMER,
  userId: idOf<UserId>(5),
  data: {},
  failure: 'already-claimed',
};

function bounded() {
  const clock = createSimClock(1_700_000_000_000);
  const notes: Note[] = [];
  const trail: AuditTrail = {
    note: (note) => notes.push(note),
    noted: async () => {},
    noteOnce: async () => {},
    find: async () => ({ items: [], total: 0 }),
    async *all() {},
    head: async () => ({ entries: 0, hash: '' }),
    days: async () => ({
      days: [],
      timeToClaim: { count: 0, medianMs: null, p90Ms: null },
      complete: true,
    }),
    lossesOf: async () => [],
  };
  return { clock, notes, trail: boundRefusals(trail, clock, clock.now) };
}

test('repeats: a flood of one refusal is one entry a minute, and one with the count', () => {
  const { clock, notes, trail } = bounded();
  for (let n = 0; n < 10_000; n += 1) trail.note(REFUSED);
  assert.equal(notes, [REFUSED]);
  clock.advance(60_000);
  assert.equal(notes, [REFUSED, { ...REFUSED, data: { repeated: 9_999 } }]);
  trail.note(REFUSED);
  clock.advance(60_000);
  assert.is(notes.length, 3, 'what came once is not said twice');
});

test('repeats: other reasons, users and devices have entries of their own', () => {
  const { notes, trail } = bounded();
  const others: Note[] = [
    { ...REFUSED, failure: 'wrong-secret' },
    { ...REFUSED, userId: idOf<UserId>(6) },
    { ...REFUSED, deviceId: idOf<DeviceId>(7) },
    { ...REFUSED, action: 'LOGIN' },
  ];
  for (const note of [REFUSED, ...others, ...others]) trail.note(note);
  assert.equal(notes, [REFUSED, ...others]);
});

test('repeats: refusals about any number of devices leave a bounded number of entries', () => {
  const { clock, notes, trail } = bounded();
  for (let n = 0; n < 5_000; n += 1) trail.note({ ...REFUSED, deviceId: idOf<DeviceId>(1_000 + n) });
  assert.is(notes.length, 100);
  clock.advance(60_000);
  assert.is(notes.length, 101);
  assert.equal(notes.at(-1)?.data, { repeated: 4_900 });
  assert.is(notes.at(-1)?.deviceId, undefined);
});

test('repeats: what succeeds is always written', () => {
  const { notes, trail } = bounded();
  for (let n = 0; n < 500; n += 1) trail.note({ ...REFUSED, action: 'DELETED', failure: undefined });
  assert.is(notes.length, 500);
});

test('repeats: stopping writes the counts and leaves no timer', () => {
  const { clock, notes, trail } = bounded();
  for (let n = 0; n < 3; n += 1) trail.note(REFUSED);
  trail.stop();
  assert.equal(
    notes.map(({ data }) => data),
    [{}, { repeated: 2 }],
  );
  clock.advance(600_000);
  assert.is(notes.length, 2);
});

test('repeats: what a flood leaves in the store is bounded', async () => {
  const clock = createSimClock(1_700_000_000_000);
  const store = createMemoryStore();
  const audit = createAudit(store, true, clock, silentLog);
  const trail = boundRefusals(audit, clock, clock.now);
  for (let minute = 0; minute < 3; minute += 1) {
    for (let n = 0; n < 2_000; n += 1) trail.note(REFUSED);
    clock.advance(60_000);
  }
  trail.stop();
  await audit.catchUp();
  const { items, total } = await trail.find(TENANT, { page: 0, pageSize: 100 });
  assert.is(total, 6);
  const repeated = items.map(({ data }) => Number(data.repeated ?? 0)).reduce((sum, n) => sum + n, 0);
  assert.is(repeated + 3, 6_000, 'none is lost count of');
  await store.close();
});

test.run();
