/**
 * What is on disk, text by text, as format 4 says it (see the table in `actors/store/lmdb/lmdb.ts`). While format 4 is not released, a
 * change here needs a step that lifts older formats to it; afterwards, a new format.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openLmdbStore } from '../../actors/store/lmdb/lmdb.ts';
import { allDue, wholeLog } from '../contract/store.ts';

const TEXT = { encoding: 'string' } as const;

/** Runs `write` in a folder of its own, opened raw, and `read` with the store, or the other way round. */
async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'claimd-format-'));
  try {
    await work(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}

function openRaw(path: string): RootDatabase<string, string> {
  return open<string, string>({ path, maxDbs: 16, overlappingSync: false, ...TEXT });
}

function table(env: RootDatabase<string, string>, name: string): [unknown, string][] {
  return [...env.openDB<string, never>(name, TEXT).getRange()].map(({ key, value }) => [key, value]);
}

function listTable(env: RootDatabase<string, string>): [string, string][] {
  const lists = env.openDB<string, Buffer>('lists', { ...TEXT, keyEncoding: 'binary' });
  return [...lists.getRange()].map(({ key, value }) => [key.toString(), value]);
}

test('LMDB format 4: heads, details, log, alarms, holders, lists, counts, records and the format itself', () =>
  inFolder(async (path) => {
    const store = openLmdbStore({ path });
    const { journal, entities, index, records } = store;
    const members = [{ list: 'devices/t', member: 'é' }];
    const entries = { unique: ['name/a'], members };
    const nothing = { unique: [], members: [] };
    await Promise.all([
      journal.append({
        stream: 'id-1',
        expected: 0,
        event: '{"e":1}',
        state: '{"s":"a b"}',
        alarmAt: 12_345,
        index: { take: entries, release: nothing },
      }),
      journal.append({
        stream: 'id-2',
        expected: 0,
        event: '{"e":2}',
        state: '{}',
        alarmAt: 12_301,
        index: undefined,
      }),
    ]);
    const later = { stream: 'id-1', event: '{"e":3}', alarmAt: null, index: undefined };
    await journal.append({ ...later, expected: 1, state: '\u0001s', details: '{"d":1}' });
    await journal.append({ ...later, stream: 'id-2', expected: 1, state: undefined });
    await journal.append({ ...later, expected: 2, state: '\u0001t' });
    const email = { take: { unique: ['email/x'], members: [] }, release: nothing };
    await entities.commit({ name: 'user/1', expected: 0, text: '{"a":"b c"}', index: email });
    await entities.commit({ name: 'user/2', expected: 0, text: '{}', index: undefined });
    await entities.commit({ name: 'user/2', expected: 1, text: undefined, index: undefined });
    await index.add('devices/t', 'a\0b');
    await records.set('people:1', '{"value":1}');
    await store.close();

    const env = openRaw(path);
    assert.equal(table(env, 'heads'), [['id-1', '3 - \u0001t']]);
    assert.equal(table(env, 'details'), [['id-1', '2 {"d":1}']]);
    assert.equal(table(env, 'log'), [
      [1, 'id-1 1 {"e":1}\nid-2 1 {"e":2}'],
      [2, 'id-1 2 {"e":3}'],
      [3, 'id-2 2 {"e":3}'],
      [4, 'id-1 3 {"e":3}'],
    ]);
    assert.equal(table(env, 'alarms'), [[[124, 1], 'id-1 12345\nid-2 12301']]);
    assert.equal(table(env, 'entities'), [['user/1', '1 - {"a":"b c"}']]);
    assert.equal(table(env, 'holders'), [
      ['email/x', 'user/1'],
      ['name/a', 'id-1'],
    ]);
    assert.equal(listTable(env), [
      ['devices/t\0a\0b', ''],
      ['devices/t\0é', ''],
    ]);
    assert.equal(table(env, 'counts'), [['devices/t', '2']]);
    assert.equal(table(env, 'records'), [['people:1', '{"value":1}']]);
    assert.equal(table(env, 'meta'), [['format', '4']]);
    await env.close();
  }));

test('LMDB format 4: a folder written so is read as it was meant', () =>
  inFolder(async (path) => {
    const env = openRaw(path);
    const raw = <Key extends string | number | [number, number]>(name: string) =>
      env.openDB<string, Key>(name, TEXT);
    await raw<string>('meta').put('format', '4');
    await raw<string>('heads').put('id-1', '7 12345 {"s":"a b"}');
    await raw<string>('heads').put('id-2', '1 - {}');
    await raw<string>('details').put('id-2', '1 {"d":"a b"}');
    await raw<string>('entities').put('user/1', '3 - {"a":"b c"}');
    await raw<number>('log').put(4, 'id-2 1 {"e":1}\nid-1 7 {"e":2}');
    await raw<[number, number]>('alarms').put([124, 4], 'id-1 12345\nid-2 12345');
    await raw<string>('holders').put('name/a', 'id-1');
    await env
      .openDB<string, Buffer>('lists', { ...TEXT, keyEncoding: 'binary' })
      .put(Buffer.from('l\0é'), '');
    await raw<string>('counts').put('l', '1');
    await raw<string>('records').put('people:1', 'text');
    await env.close();

    const { journal, entities, index, records, close } = openLmdbStore({ path });
    assert.equal(await journal.load('id-1'), { sequence: 7, state: '{"s":"a b"}' });
    assert.equal(await journal.load('id-2'), { sequence: 1, state: '{}', details: '{"d":"a b"}' });
    assert.equal(await entities.load('user/1'), { version: 3, text: '{"a":"b c"}' });
    assert.equal(await wholeLog(journal), [
      { stream: 'id-2', sequence: 1, event: '{"e":1}' },
      { stream: 'id-1', sequence: 7, event: '{"e":2}' },
    ]);
    assert.equal(await allDue(journal, 20_000), [{ stream: 'id-1', dueAt: 12_345 }]);
    assert.is(await index.lookup('name/a'), 'id-1');
    assert.equal(await index.page('l', { offset: 0, limit: 10 }), ['é']);
    assert.is(await index.count('l'), 1);
    assert.is(await records.get('people:1'), 'text');
    const next = { stream: 'id-1', expected: 7, event: '{}', state: '{}', alarmAt: null, index: undefined };
    assert.equal(await journal.append(next), { type: 'appended' });
    assert.is((await journal.log(0, 4, 10)).next, 5, 'the log goes on after what was there');
    await close();
  }));

test('LMDB format 3: a folder of it opens as format 4, nothing in it is touched, and one of format 5 is refused', () =>
  inFolder(async (path) => {
    const env = openRaw(path);
    await env.openDB<string, string>('meta', TEXT).put('format', '3');
    await env.openDB<string, string>('heads', TEXT).put('id-1', '7 12345 {"s":"a b"}');
    await env.close();

    const store = openLmdbStore({ path });
    assert.equal(await store.journal.load('id-1'), { sequence: 7, state: '{"s":"a b"}' });
    await store.close();
    const after = openRaw(path);
    assert.equal(table(after, 'heads'), [['id-1', '7 12345 {"s":"a b"}']]);
    assert.equal(table(after, 'meta'), [['format', '4']]);
    await after.openDB<string, string>('meta', TEXT).put('format', '5');
    await after.close();
    assert.throws(
      () => openLmdbStore({ path }),
      /has format 5; this version of claimd knows 4 and older ones/,
    );
  }));

test('LMDB: whoever shares a folder with others lifts nothing in it, and says what to do', () =>
  inFolder(async (path) => {
    for (const format of ['1', '2', '3']) {
      const env = openRaw(path);
      await env.openDB<string, string>('meta', TEXT).put('format', format);
      await env.close();
      assert.throws(
        () => openLmdbStore({ path, shared: true }),
        new RegExp(`has format ${format}, and an older server may be at work on it: stop that one and start`),
      );
      const after = openRaw(path);
      assert.equal(table(after, 'meta'), [['format', format]]);
      await after.close();
    }
    await openLmdbStore({ path }).close();
    await openLmdbStore({ path, shared: true }).close();
  }));

test.run();
