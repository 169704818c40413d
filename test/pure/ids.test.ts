/** Ids: UUIDs of version 7 that ascend. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventEntryId } from '../../actors/audit/entry.ts';
import { fnv1a } from '../../actors/base/fnv1a.ts';
import { type DeviceId, NULL_UUID, newId, parseId } from '../../actors/base/ids.ts';
import { idOfRow } from '../../actors/imports/model.ts';

const MS = 1_900_000_000_000; // later than any clock in this test run, so that it is not "back in time"
const timeOf = (id: string) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

test('ids: a new id is a UUID of version 7 with its instant in front', () => {
  const id = newId<DeviceId>(MS);
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.is(timeOf(id), MS);
  assert.is(parseId(id), id);
});

test('ids: they ascend and differ, also tens of thousands of them in one millisecond, and when the clock goes back', () => {
  const ids: string[] = [];
  for (let n = 0; n < 30_000; n++) ids.push(newId(MS + 10));
  for (let n = 0; n < 1_000; n++) ids.push(newId(MS + 5));
  for (let n = 0; n < 1_000; n++) ids.push(newId(MS + 20 + n));
  assert.is(new Set(ids).size, ids.length);
  for (let n = 1; n < ids.length; n++)
    assert.ok((ids[n - 1] ?? '') < (ids[n] ?? ''), `${ids[n - 1]} < ${ids[n]}`);
  assert.ok(
    ids.every((id) => /^.{14}7.{4}[89ab]/.test(id)),
    'version and variant hold throughout',
  );
});

test('ids: the random part differs from id to id', () => {
  const tails = Array.from({ length: 2_000 }, () => newId(MS + 5_000).slice(19));
  assert.is(new Set(tails).size, tails.length);
});

test('ids: read in either case, and only when they are whole', () => {
  const id = '0190A0B0-1234-7ABC-8DEF-0123456789AB';
  assert.is(parseId(id), id.toLowerCase());
  assert.is(parseId(NULL_UUID), NULL_UUID);
  const wrong = [
    '',
    'x',
    id.slice(1),
    `${id}0`,
    ` ${id}`,
    `${id}\n`,
    id.replaceAll('-', ''),
    id.replace('A', 'G'),
  ];
  for (const text of wrong) assert.is(parseId(text), undefined, JSON.stringify(text));
});

test('ids: derived ids never change', () => {
  const device = '0190a0b0-1234-7abc-8def-0123456789ab';
  assert.is(eventEntryId(device, 7), 'b3d9014d-e06d-86e4-a3d0-f8c197527a82');
  assert.is(idOfRow('job', 1_700_000_000_000, 5_000), '018bcfe5-6801-7388-a310-8b914bf86dbb');
});

test('fnv1a: gives the numbers by which Redis partitions have always been chosen', () => {
  assert.equal(['', 'a', 'foobar'].map(fnv1a), [0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
});

test.run();
