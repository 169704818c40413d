/**
 * What every store does, whatever it is made of: the promises of `journal.ts` and `store.ts`, one law each. An
 * implementation runs it from a few lines; where it may differ, the difference is data.
 */
import { Keyv } from 'keyv';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createStoredBytes } from '../../actors/accounts/stored-bytes.ts';
import { createBlocks } from '../../actors/audit/blocks.ts';
import type { Line } from '../../actors/audit/line.ts';
import { systemClock } from '../../actors/base/clock.ts';
import { type CustomerId, storedId, type TenantId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import type {
  Append,
  AppendResult,
  DueAlarm,
  Head,
  IndexChanges,
  Journal,
  ListMember,
  LoggedEvent,
} from '../../actors/journal/journal.ts';
import { openRecords } from '../../actors/records/records.ts';
import {
  type CommitResult,
  type EntityName,
  type PageQuery,
  type Store,
  StoreUnavailable,
} from '../../actors/store/store.ts';
import { createForgetting } from '../../config/compose/forgetting.ts';
import { needing } from '../kit/programs.ts';
import { pause, until } from '../kit/until.ts';

export interface OpenStore {
  readonly store: Store;
  /** Closes the store, if the test has not, and takes away what it left behind. */
  dispose(): Promise<void>;
}

export interface Differences {
  /** The longest key in bytes; undefined: there is no limit. */
  readonly keyBytesMax?: number;
  /** How long after its instant an alarm may go unlisted, in ms. */
  readonly alarmLateMs: number;
  /** Programs without which it cannot be tried. */
  readonly programs?: readonly string[];
}

interface Context {
  store: Store;
  dispose: () => Promise<void>;
}

const APPENDED: AppendResult = { type: 'appended' };
const CONFLICT: AppendResult = { type: 'conflict' };
const T = 1_700_000_000_000;
/** Texts that a careless format would not give back as they were. */
const TEXTS = [
  'é€\u{1f600}'.repeat(10_000),
  '{"text":"\\u0000 \u0001 \u2028 \\n"}',
  `${'x'.repeat(256 * 1024)}`,
  ' leading and trailing ',
  '- 7 -',
  '',
];

const records = (store: Store) => openRecords(store, 'stored-bytes');

export function storeContract(name: string, open: () => Promise<OpenStore>, differences: Differences): void {
  const test = suite<Context>(`store: ${name}`);

  test.before.each(async (context) => {
    Object.assign(context, await open());
  });
  test.after.each(async ({ dispose }) => {
    await dispose();
  });

  const withPrograms = needing(differences.programs ?? [], test);
  const law = (words: string, check: (store: Store) => Promise<void>) =>
    withPrograms(`${name}: ${words}`, ({ store }) => check(store));

  // -------------------------------------------------------------------------------------------------------- append

  law('an audit trail is cut, and what is left is a chain that says so', async (store) => {
    const tenant = storedId<TenantId>('0190a000-0000-7000-8000-00000000000a');
    const blocks = createBlocks(store);
    const line = (n: number): Line => [T + n, 'LOGIN', `note-${n}`, 0, 0, 0, 0, {}, 0];
    await blocks.append(
      tenant,
      Array.from({ length: 900 }, (_, n) => line(n)),
      undefined,
    );
    assert.is(await blocks.prune(tenant, { forMs: 450, entries: 0 }, T + 900), 400);
    const found = await createBlocks(store).verify(tenant, []);
    assert.equal([found.type, found.type === 'whole' && found.pruned], ['whole', 400]);
    const { items, total } = await blocks.find(tenant, { page: 0, pageSize: 1, sortOrder: 'ASC' });
    assert.equal([items[0]?.at, total], [T + 400, 501]);
    assert.is(await store.index.count(`audit/${tenant}`), 3);
  });

  law('a customer that is deleted leaves no account of what it stored, its tenant’s stays', async (store) => {
    const customer = storedId<CustomerId>('0190a000-0000-7000-8000-00000000000b');
    const tenant = storedId<TenantId>('0190a000-0000-7000-8000-00000000000a');
    const stored = createStoredBytes(store, 1_000, silentLog, 10);
    for (const whose of [tenant, customer]) {
      stored.add(whose, 10);
      await until('it is written down', async () => (await records(store).get(whose)) !== undefined);
      stored.add(whose, 20); // still being written
      stored.add(whose, 1); // not yet to be written
    }
    const nothing = { forgetTenant: async () => {} };
    const { forgetCustomer } = createForgetting(store, nothing, stored, nothing, systemClock);
    await forgetCustomer(customer);
    assert.is(await records(store).get(customer), undefined);
    assert.is(await stored.of(customer), 0);
    assert.is(await stored.of(tenant), 31);
  });

  law('an append moves the head by one and is in the log', async ({ journal }) => {
    assert.equal(await loaded(journal, 's'), { sequence: 0, state: undefined });
    assert.equal(await journal.append(entry('s', 0)), APPENDED);
    assert.equal(await loaded(journal, 's'), { sequence: 1, state: 's at 1' });
    assert.equal(await journal.append(entry('s', 1)), APPENDED);
    assert.equal(await loaded(journal, 's'), { sequence: 2, state: 's at 2' });
    assert.equal(await wholeLog(journal), [logged('s', 1), logged('s', 2)]);
  });

  // ----------------------------------------------------------------------------------------- appends and commits

  for (const { word, nameOf, move, load, done } of MOVES) {
    const [s, t, holder] = [nameOf('s'), nameOf('t'), nameOf('holder')];

    law(
      `a conflicting ${word} leaves nothing: no head, no index entry, no event, no alarm`,
      async (store) => {
        await move(store, s, 0);
        const before = await everything(store);
        for (const expected of [0, 2, 7]) {
          const index = changes({ unique: ['key'], members: [{ list: 'list', member: 'm' }] });
          assert.equal(await move(store, s, expected, { alarmAt: T, index }), CONFLICT);
        }
        assert.equal(await everything(store), before);
      },
    );

    law(`a conflicting ${word} lets go of nothing`, async (store) => {
      const held = { unique: ['key'], members: [{ list: 'list', member: 'm' }] };
      await move(store, s, 0, { alarmAt: T, index: changes(held) });
      const before = await everything(store);
      const index = changes({ unique: [], members: [] }, held);
      assert.equal(await move(store, s, 0, { index }), CONFLICT);
      assert.equal(await everything(store), before);
    });

    for (const other of MOVES) {
      law(
        `a ${word} that wants a key of another ${other.noun} leaves nothing, and says which key`,
        async (store) => {
          const index = changes({ unique: ['key'], members: [] });
          await other.move(store, other.nameOf('holder'), 0, { index });
          const before = await everything(store);
          const wish = changes(
            { unique: ['free', 'key'], members: [{ list: 'list', member: 'm' }] },
            { unique: ['key'], members: [] }, // held by another one: not ours to let go of
          );
          const result = await move(store, s, 0, { alarmAt: T, index: wish });
          assert.equal(result, { type: 'taken', key: 'key' });
          assert.equal(await everything(store), before);
          assert.is(await store.index.lookup('key'), other.nameOf('holder'));
        },
      );
    }

    law(`a key that is held already is not taken, and can be exchanged in one ${word}`, async (store) => {
      const holds = async (key: string) => store.index.lookup(key);
      assert.equal(await move(store, s, 0, { index: changes({ unique: ['a', 'b'], members: [] }) }), done);
      assert.equal(await move(store, s, 1, { index: changes({ unique: ['b'], members: [] }) }), done);
      const exchange = changes({ unique: ['c'], members: [] }, { unique: ['a'], members: [] });
      assert.equal(await move(store, s, 2, { index: exchange }), done);
      assert.equal(await Promise.all(['a', 'b', 'c'].map(holds)), [undefined, s, s]);
      assert.equal(await move(store, t, 0, { index: changes({ unique: ['a'], members: [] }) }), done);
    });

    law(`of many ${word}s on one head exactly one is stored`, async (store) => {
      const results = await Promise.all(range(50).map((n) => move(store, s, 0, { state: `state ${n}` })));
      assert.is(results.filter(({ type }) => type === done.type).length, 1);
      assert.is(results.filter(({ type }) => type === 'conflict').length, 49);
      const winner = results.findIndex(({ type }) => type === done.type);
      assert.equal(await load(store, s), { sequence: 1, state: `state ${winner}` });
      assert.is((await wholeLog(store.journal)).length, word === 'append' ? 1 : 0);
    });

    law(`of many ${word}s that want one key at once exactly one gets it`, async (store) => {
      const index = changes({ unique: ['name'], members: [] });
      const results = await Promise.all(range(50).map((n) => move(store, nameOf(`s${n}`), 0, { index })));
      const winner = results.findIndex(({ type }) => type === done.type);
      assert.is(results.filter(({ type }) => type === done.type).length, 1);
      assert.is(results.filter(({ type }) => type === 'taken').length, 49);
      assert.is(await store.index.lookup('name'), nameOf(`s${winner}`));
      assert.is((await load(store, nameOf(`s${(winner + 1) % 50}`))).sequence, 0);
    });

    law(`who was told of a ${word} reads it at once, with its keys and lists`, async (store) => {
      await Promise.all(
        range(100).map(async (n) => {
          const name = nameOf(`s${n}`);
          const entries = { unique: [name], members: [{ list: 'list', member: name }] };
          await move(store, name, 0, { index: changes(entries) });
          assert.is((await load(store, name)).sequence, 1);
          assert.is(await store.index.lookup(name), name);
          assert.equal(await store.index.page('list', page(0, 1, { prefix: name })), [name]);
        }),
      );
    });

    law(`a ${word} without a state takes the head away, with what it releases`, async (store) => {
      const entries = { unique: ['key'], members: [{ list: 'list', member: 'm' }] };
      await move(store, holder, 0, { alarmAt: T, index: changes(entries) });
      const release = changes({ unique: [], members: [] }, entries);
      assert.equal(await move(store, holder, 1, { state: undefined, index: release }), done);
      assert.equal(await load(store, holder), { sequence: 0, state: undefined });
      assert.is(await store.index.lookup('key'), undefined);
      assert.is(await store.index.count('list'), 0);
      assert.equal(await allDue(store.journal, T + 10_000), []);
      assert.equal(await move(store, holder, 2), CONFLICT);
    });

    law(`the state of a ${word} is kept to the last character, however large`, async (store) => {
      for (const [n, state] of TEXTS.entries()) {
        assert.equal(await move(store, nameOf(`s${n}`), 0, { state }), done);
        assert.is((await load(store, nameOf(`s${n}`))).state, state);
      }
    });
  }

  law('an entity and a stream are told apart, and an entity is in no log and has no alarm', async (store) => {
    const { journal, entities } = store;
    await journal.append(entry('a', 0));
    const commit = { name: 'kind/a', expected: 0, text: 'text', index: undefined } as const;
    assert.equal(await entities.commit(commit), { type: 'committed' });
    assert.equal(await entities.load('kind/a'), { version: 1, text: 'text' });
    assert.equal(await entities.load('other/a'), { version: 0, text: undefined });
    assert.is((await journal.load('a')).state, 'a at 1');
    assert.equal(await wholeLog(journal), [logged('a', 1)]);
    assert.equal(await allDue(journal, Number.MAX_SAFE_INTEGER - 1), []);
    const refused = await journal.append(entry('kind/b', 0)).catch((error: unknown) => error);
    assert.instance(refused, RangeError);
  });

  law('many streams at once, several events each, all there afterwards', async ({ journal }) => {
    const streams = range(300).map((n) => `stream-${n}`);
    await Promise.all(
      streams.map(async (stream) => {
        for (const expected of range(4))
          assert.equal(await journal.append(entry(stream, expected)), APPENDED);
      }),
    );
    for (const stream of streams)
      assert.equal(await journal.load(stream), { sequence: 4, state: `${stream} at 4` });
    const events = await wholeLog(journal);
    assert.is(events.length, 1_200);
    for (const stream of streams) {
      const sequences = events.filter((event) => event.stream === stream).map(({ sequence }) => sequence);
      assert.equal(sequences, [1, 2, 3, 4]);
    }
  });

  law('the event of an append without a state stays', async ({ journal }) => {
    await journal.append(entry('s', 0));
    await journal.append(entry('s', 1, { state: undefined }));
    assert.equal(await wholeLog(journal), [logged('s', 1), logged('s', 2)]);
  });

  law('details stay until an append has others, and go with the head', async ({ journal }) => {
    assert.equal(await journal.append(entry('s', 0)), APPENDED);
    assert.equal(await journal.load('s'), { sequence: 1, state: 's at 1' });
    const steps = [{ details: 'first' }, {}, {}, { details: 'second' }, {}];
    for (const [n, more] of steps.entries()) {
      assert.equal(await journal.append(entry('s', n + 1, more)), APPENDED);
      const details = n < 3 ? 'first' : 'second';
      assert.equal(await journal.load('s'), { sequence: n + 2, state: `s at ${n + 2}`, details });
      assert.is(journal.detailsFrom?.('s'), journal.detailsFrom && (n < 3 ? 2 : 5));
    }
    assert.equal(await journal.append(entry('s', 6, { state: undefined })), APPENDED);
    assert.equal(await journal.load('s'), { sequence: 0, state: undefined });
    assert.is(journal.detailsFrom?.('s'), undefined);
    assert.equal(await journal.append(entry('t', 0, { details: 'third' })), APPENDED);
    assert.equal(await journal.append(entry('t', 1, { state: undefined, details: 'fourth' })), APPENDED);
    assert.equal(await journal.load('t'), { sequence: 0, state: undefined });
  });

  law(
    'many heads are read at one go, each as it is alone, in the order in which they were asked for',
    async ({ journal }) => {
      const names = Array.from({ length: 300 }, (_, n) => `s${n}`);
      for (const [n, name] of names.entries()) {
        if (n % 3 === 0) continue;
        assert.equal(
          await journal.append(entry(name, 0, n % 3 === 1 ? { details: `of ${n}` } : {})),
          APPENDED,
        );
        if (n % 7 === 0) assert.equal(await journal.append(entry(name, 1, { state: undefined })), APPENDED);
      }
      const asked = [...names, 's4', 'x'.repeat(5_000), ...names.slice(0, 10).reverse()];
      const alone: Head[] = [];
      for (const name of asked) alone.push(await journal.load(name));
      assert.equal(await journal.loadMany(asked), alone);
      assert.equal(alone[1], { sequence: 1, state: 's1 at 1', details: 'of 1' });
      assert.equal(await journal.loadMany([]), []);
      const states = alone.map(({ sequence, state }) => ({ sequence, state }));
      assert.equal(await journal.loadMany(asked, 'state'), states, 'without their details');
    },
  );

  law(
    'all alarms are listed in pages, of whatever instant, and each that is awaited is among them',
    async ({ journal }) => {
      for (let n = 0; n < 30; n += 1) {
        await journal.append(entry(`s${n}`, 0, { alarmAt: T + n * 100_000 }));
        if (n % 3 === 0) await journal.append(entry(`s${n}`, 1, { alarmAt: n % 2 === 0 ? null : T + 5 }));
      }
      const listed = new Set<string>();
      let after: string | undefined;
      for (let pages = 0; pages === 0 || after !== undefined; pages += 1) {
        assert.ok(pages < 60, 'it ends');
        const page = await journal.alarms(after, 4);
        for (const { stream, dueAt } of page.alarms) listed.add(`${stream} ${dueAt}`);
        after = page.next;
      }
      const { alarms, next } = await journal.due(T + 1e9, undefined, 1_000);
      assert.equal([alarms.length, next], [25, undefined]);
      for (const { stream, dueAt } of alarms) assert.ok(listed.has(`${stream} ${dueAt}`), stream);
    },
  );

  law('an append that is refused leaves the details as they were', async ({ journal }) => {
    const index = changes({ unique: ['key'], members: [] });
    assert.equal(await journal.append(entry('holder', 0, { index, details: 'kept' })), APPENDED);
    assert.equal(await journal.append(entry('holder', 0, { details: 'late' })), CONFLICT);
    assert.equal(await journal.append(entry('holder', 2, { state: undefined })), CONFLICT);
    const head = { sequence: 1, state: 'holder at 1', details: 'kept' };
    assert.equal(await journal.load('holder'), head);
    assert.is((await journal.append(entry('s', 0, { index, details: 'lost' }))).type, 'taken');
    assert.equal(await journal.load('s'), { sequence: 0, state: undefined });
    assert.equal(await journal.load('holder'), head);
  });

  law('details are kept to the last character, however large', async ({ journal }) => {
    for (const [n, details] of TEXTS.filter((text) => text !== '').entries()) {
      assert.equal(await journal.append(entry(`s${n}`, 0, { details })), APPENDED);
      assert.is((await journal.load(`s${n}`)).details, details);
    }
  });

  law('events are kept to the last character, however large', async ({ journal }) => {
    for (const [n, event] of TEXTS.entries())
      assert.equal(await journal.append(entry(`s${n}`, 0, { event })), APPENDED);
    const events = new Map((await wholeLog(journal)).map(({ stream, event }) => [stream, event]));
    for (const [n, text] of TEXTS.entries()) assert.is(events.get(`s${n}`), text);
  });

  // --------------------------------------------------------------------------------------------------------- index

  law('keys are told apart by every character and by case', async (store) => {
    const keys = ['k', 'K', 'k ', ' k', 'k\0', '\0k', 'k\u0001', 'é', 'e\u0301', '\u{1f600}', '1', '01', ''];
    for (const [n, key] of keys.entries()) assert.is(await take(store, key, `kind/${n}`), true);
    for (const [n, key] of keys.entries()) assert.is(await store.index.lookup(key), `kind/${n}`);
  });

  law('who holds a key may take it again, and may let go of one that it does not hold', async (store) => {
    const { journal, index } = store;
    const keys = (...unique: readonly string[]) => ({ unique, members: [] });
    assert.equal(await journal.append(entry('s', 0, { index: changes(keys('a')) })), APPENDED);
    assert.is(await take(store, 'b', 'kind/1'), true);
    assert.equal(
      await journal.append(entry('s', 1, { index: changes(keys('a', 'c'), keys('b')) })),
      APPENDED,
    );
    const holders = await Promise.all(['a', 'b', 'c'].map((key) => index.lookup(key)));
    assert.equal(holders, ['s', 'kind/1', 's']);
    assert.is(await take(store, 'a', 'kind/2'), false);
    assert.equal(await journal.append(entry('s', 2, { index: changes(keys(), keys('a', 'c')) })), APPENDED);
    assert.is(await take(store, 'a', 'kind/2'), true);
  });

  law('a list is in the order of its members’ UTF-8 bytes, both ways', async ({ index }) => {
    // By UTF-16 units the emoji would come before U+FFFD; by language rules é before f.
    const members = [
      '',
      '\0',
      '\0\0',
      '\u0001',
      ' ',
      'A',
      'Z',
      'a',
      'a\0b',
      'a\u0001',
      'aa',
      'b',
      'z',
      'é',
      '\u07ff',
    ];
    const ordered = [...members, '\ufeff', '\ufffd', '\u{10000}', '\u{1f600}', '\u{1f601}a', '\u{10ffff}'];
    for (const member of shuffled(ordered)) await index.add('list', member);
    assert.equal(await index.page('list', page(0, 100)), ordered);
    assert.equal(await index.page('list', page(0, 100, { descending: true })), [...ordered].reverse());
    assert.is(await index.count('list'), ordered.length);
  });

  law(
    'every window of a list is the window of the whole, either way, with and without a prefix',
    async (store) => {
      const { index } = store;
      const members = [
        'a',
        'a/1',
        'a/2',
        'a/\u{1f600}',
        'ab',
        'b',
        'b/1',
        'é',
        'é/1',
        '\u{1f600}',
        '\u{1f600}/1',
      ];
      for (const member of shuffled(members)) await index.add('list', member);
      for (const descending of [false, true]) {
        const ordered = descending ? [...members].reverse() : members;
        for (const prefix of ['', 'a', 'a/', 'a/1', 'é', '\u{1f600}', 'b/1', 'c', '\u{1f600}/']) {
          const fitting = ordered.filter((member) => member.startsWith(prefix));
          for (const offset of [0, 1, 2, 10, 11, 12]) {
            for (const limit of [0, 1, 3, 100]) {
              assert.equal(
                await index.page('list', { offset, limit, descending, prefix }),
                fitting.slice(offset, offset + limit),
                `${JSON.stringify({ offset, limit, descending, prefix })}`,
              );
            }
          }
        }
      }
    },
  );

  law('a list goes on behind a member, either way, also where that one is gone', async ({ index }) => {
    const members = ['a', 'a/1', 'a/2', 'ab', 'b', 'é', '\u{1f600}'];
    for (const member of shuffled(members)) await index.add('list', member);
    await index.add('lisa', 'x');
    await index.add('lisu', 'x');
    for (const descending of [false, true]) {
      const ordered = descending ? [...members].reverse() : members;
      for (const prefix of ['', 'a', 'a/', 'b']) {
        for (const after of [
          '',
          'a',
          'a/',
          'a/1',
          'aa',
          'b',
          '\ufffd',
          '\u{1f600}',
          '\u{1f601}',
          '\u{10ffff}',
        ]) {
          const behind = (member: string) => {
            const order = Buffer.from(member).compare(Buffer.from(after));
            return member.startsWith(prefix) && (descending ? order < 0 : order > 0);
          };
          for (const offset of [0, 2]) {
            assert.equal(
              await index.page('list', { offset, limit: 3, descending, prefix, after }),
              ordered.filter(behind).slice(offset, offset + 3),
              `${JSON.stringify({ offset, descending, prefix, after })}`,
            );
          }
        }
      }
    }
  });

  law('beyond the end of a list there is nothing, however far', async ({ index }) => {
    await index.add('list', 'a');
    for (const offset of [1, 2 ** 31, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      assert.equal(await index.page('list', page(offset, 10)), []);
    }
    assert.equal(await index.page('list', page(0, Number.MAX_SAFE_INTEGER)), ['a']);
  });

  law('members that begin alike are counted, up to where to stop', async ({ index }) => {
    const members = ['', 'a', 'a/1', 'a/2', 'a/\u{1f600}', 'ab', 'b', 'é', 'é/1', '\u{1f600}', '\u{10ffff}'];
    for (const member of shuffled(members)) await index.add('list', member);
    await index.add('lisa', 'a');
    await index.add('list2', 'a');
    for (const prefix of [
      '',
      'a',
      'a/',
      'a/1',
      'b',
      'é',
      '\u{1f600}',
      '\u{10ffff}',
      'c',
      'x'.repeat(5_000),
    ]) {
      const fitting = members.filter((member) => member.startsWith(prefix)).length;
      const said = JSON.stringify(prefix.slice(0, 9));
      assert.is(await index.count('list', { prefix }), fitting, said);
      for (const atMost of [0, 1, 2, 11, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
        assert.is(await index.count('list', { prefix, atMost }), Math.min(fitting, atMost), said);
      }
    }
    assert.is(await index.count('list', { atMost: 3 }), 3);
    assert.is(await index.count('nothing', { prefix: 'a' }), 0);
  });

  law('lists are apart, also where one’s name begins with the other’s', async ({ index }) => {
    await index.add('list', '/2/a');
    await index.add('list/2', 'a');
    await index.add('list/2', 'b');
    assert.equal(await index.page('list', page(0, 10)), ['/2/a']);
    assert.equal(await index.page('list/2', page(0, 10)), ['a', 'b']);
    assert.equal(await index.page('list/', page(0, 10)), []);
    assert.equal(await Promise.all(['list', 'list/2', 'other'].map((list) => index.count(list))), [1, 2, 0]);
  });

  law('counts stay right under additions and removals, repeated and at once', async ({ index, journal }) => {
    await Promise.all(range(30).flatMap((n) => [index.add('list', `m${n}`), index.add('list', `m${n}`)]));
    assert.is(await index.count('list'), 30);
    await Promise.all(
      range(10).flatMap((n) => [index.remove('list', `m${n}`), index.remove('list', `m${n}`)]),
    );
    assert.is(await index.count('list'), 20);
    await index.remove('list', 'nobody');
    await Promise.all([index.add('list', 'm0'), index.remove('list', 'm1'), index.add('list', 'm1')]);

    const member: ListMember = { list: 'list', member: 'by journal' };
    const take = { unique: [], members: [member, member] };
    await journal.append(entry('s', 0, { index: changes(take) }));
    await journal.append(entry('s', 1, { index: changes(take) }));
    const all = await index.page('list', page(0, 1_000));
    assert.is(await index.count('list'), all.length);
    assert.is(all.length, 23);
    await journal.append(entry('s', 2, { index: changes({ unique: [], members: [] }, take) }));
    await Promise.all(all.map((one) => index.remove('list', one)));
    assert.is(await index.count('list'), 0);
  });

  // -------------------------------------------------------------------------------------------------------- alarms

  law('an alarm is listed from its instant on, never before, and soon after', async ({ journal }) => {
    const instants = range(12).map((n) => T + n * 37);
    for (const dueAt of instants) await journal.append(entry(`at-${dueAt}`, 0, { alarmAt: dueAt }));
    for (const dueAt of instants) {
      const early = await allDue(journal, dueAt - 1);
      assert.ok(!early.some((alarm) => alarm.dueAt >= dueAt), 'listed before its instant');
      const late = await allDue(journal, dueAt + differences.alarmLateMs);
      assert.ok(late.some((alarm) => alarm.dueAt === dueAt && alarm.stream === `at-${dueAt}`));
    }
  });

  law('alarms are listed in the order of their instants, coarsely', async ({ journal }) => {
    const instants = shuffled(range(60).map((n) => T + n * 31));
    for (const dueAt of instants) await journal.append(entry(`s${dueAt}`, 0, { alarmAt: dueAt }));
    const due = (await allDue(journal, T + 100_000, 7)).map(({ dueAt }) => dueAt);
    assert.equal(
      [...due].sort((a, b) => a - b),
      [...instants].sort((a, b) => a - b),
    );
    for (const [n, dueAt] of due.entries()) {
      const latest = Math.max(...due.slice(0, n), 0);
      assert.ok(latest - dueAt <= differences.alarmLateMs, `${latest} came before ${dueAt}`);
    }
  });

  law(
    'a round lists every alarm once, page by page, while those listed are done with',
    async ({ journal }) => {
      const streams = range(250).map((n) => `s${n}`);
      for (let from = 0; from < streams.length; from += 40) {
        const together = streams.slice(from, from + 40);
        await Promise.all(
          together.map((stream, n) => journal.append(entry(stream, 0, { alarmAt: T + (n % 5) * 60 }))),
        );
      }
      const seen: string[] = [];
      let pages = 0;
      let after: string | undefined;
      do {
        const { alarms, next } = await journal.due(T + 10_000, after, 20);
        pages += 1;
        for (const { stream } of alarms) {
          seen.push(stream);
          assert.equal(await journal.append(entry(stream, 1)), APPENDED);
        }
        after = next;
      } while (after !== undefined);
      assert.equal([...seen].sort(), [...streams].sort());
      assert.ok(pages > 3, 'a page is about as large as was asked for');
      assert.equal(await allDue(journal, T + 10_000), []);
    },
  );

  law('an alarm is listed again and again until it is replaced', async ({ journal }) => {
    await journal.append(entry('s', 0, { alarmAt: T }));
    for (const _ of range(3)) {
      assert.equal(await allDue(journal, T + 10_000), [{ stream: 's', dueAt: T }]);
    }
    await journal.append(entry('s', 1, { alarmAt: T })); // the same instant again
    assert.equal(unique(await allDue(journal, T + 10_000)), [{ stream: 's', dueAt: T }]);
  });

  law('alarms that were replaced or cleared are not listed', async ({ journal }) => {
    await journal.append(entry('later', 0, { alarmAt: T }));
    await journal.append(entry('later', 1, { alarmAt: T + 60_000 }));
    await journal.append(entry('sooner', 0, { alarmAt: T + 60_000 }));
    await journal.append(entry('sooner', 1, { alarmAt: T }));
    await journal.append(entry('cleared', 0, { alarmAt: T }));
    await journal.append(entry('cleared', 1));
    assert.equal(await allDue(journal, T + 10_000), [{ stream: 'sooner', dueAt: T }]);
    assert.equal(unique(await allDue(journal, T + 90_000)), [
      { stream: 'sooner', dueAt: T },
      { stream: 'later', dueAt: T + 60_000 },
    ]);
  });

  law('an alarm set back to an instant it had before is listed', async ({ journal }) => {
    for (const [n, alarmAt] of [T, T + 60_000, T, null, T].entries()) {
      await journal.append(entry('s', n, { alarmAt }));
      await journal.due(T - 1_000, undefined, 10);
    }
    assert.equal(unique(await allDue(journal, T + 10_000)), [{ stream: 's', dueAt: T }]);
    await journal.append(entry('s', 5));
    assert.equal(await allDue(journal, T + 10_000), []); // stale ones are gone now
    await journal.append(entry('s', 6, { alarmAt: T }));
    assert.equal(unique(await allDue(journal, T + 10_000)), [{ stream: 's', dueAt: T }]);
  });

  law('alarms may be due in any year', async ({ journal }) => {
    const far = Number.MAX_SAFE_INTEGER - 1;
    await journal.append(entry('far', 0, { alarmAt: far }));
    await journal.append(entry('near', 0, { alarmAt: 1 }));
    assert.equal(await allDue(journal, T), [{ stream: 'near', dueAt: 1 }]);
    assert.is((await allDue(journal, far + differences.alarmLateMs)).length, 2);
  });

  // ----------------------------------------------------------------------------------------------------------- log

  law('a log has the order of the appends, page by page, and goes on where it ended', async ({ journal }) => {
    for (const n of range(20)) await journal.append(entry(`s${n % 3}`, Math.floor(n / 3)));
    const expected = range(20).map((n) => logged(`s${n % 3}`, Math.floor(n / 3) + 1));
    for (const limit of [1, 3, 1_000]) {
      const seen: LoggedEvent[] = [];
      for (const which of range(journal.logs)) {
        const events = await oneLog(journal, which, limit);
        const streams = new Set(events.map(({ stream }) => stream));
        assert.equal(
          events,
          expected.filter(({ stream }) => streams.has(stream)),
          'the whole of some streams, in order',
        );
        seen.push(...events);
      }
      assert.is(seen.length, expected.length);
    }

    const ends = await Promise.all(
      range(journal.logs).map(async (which) => (await journal.log(which, 0, 1_000)).next),
    );
    for (const [which, next] of ends.entries())
      assert.equal(await journal.log(which, next, 10), { events: [], next });
    await journal.append(entry('new', 0));
    const fresh = await Promise.all(ends.map((next, which) => journal.log(which, next, 10)));
    assert.equal(
      fresh.flatMap(({ events }) => events),
      [logged('new', 1)],
    );
  });

  law('what was projected may be let go of; what came after it never', async ({ journal }) => {
    for (const n of range(20)) await journal.append(entry(`s${n}`, 0));
    const ends: number[] = [];
    for (const which of range(journal.logs)) {
      const { next } = await journal.log(which, 0, 1_000);
      ends.push(next);
    }
    for (const n of range(20)) await journal.append(entry(`s${n}`, 1));
    for (const [which, upTo] of ends.entries()) {
      await journal.trim(which, upTo);
      await journal.trim(which, upTo); // again is harmless
    }
    const kept = await Promise.all(ends.map((from, which) => journal.log(which, from, 1_000)));
    assert.is(kept.flatMap(({ events }) => events).filter(({ sequence }) => sequence === 2).length, 20);
    const whole = await wholeLog(journal);
    assert.is(whole.filter(({ sequence }) => sequence === 2).length, 20, 'also for who begins at 0');
    for (const n of range(20)) assert.is((await journal.load(`s${n}`)).sequence, 2, 'heads stay');
  });

  law('events are let go of by a verdict on each, in their order; positions stay', async ({ journal }) => {
    for (const n of range(30)) await journal.append(entry(`s${n % 3}`, Math.floor(n / 3)));
    const before = await wholeLog(journal);
    for (const which of range(journal.logs)) {
      const { next: upTo } = await journal.log(which, 0, 1_000);
      const verdict = ({ sequence }: LoggedEvent) =>
        sequence > 8 ? 'not-yet' : sequence % 2 === 0 ? 'keep' : 'forget';
      for (const round of ['once', 'again']) {
        let from = 0;
        for (let next = -1; next !== from; ) {
          from = Math.max(next, 0);
          next = await journal.forget(which, { from, upTo }, 4, verdict);
        }
        assert.ok(from < upTo || from === 0, round);
      }
      assert.is(await journal.forget(which, { from: 0, upTo: 0 }, 10, () => 'forget'), 0, 'not beyond upTo');
    }
    const kept = before.filter(({ sequence }) => sequence > 8 || sequence % 2 === 0);
    assert.equal(await wholeLog(journal, 3), kept);

    // Also when all of it is gone: whoever reads on from the end misses nothing.
    const ends: number[] = [];
    for (const which of range(journal.logs)) {
      const { next } = await journal.log(which, 0, 1_000);
      ends.push(next);
      await journal.forget(which, { from: 0, upTo: next }, 1_000, () => 'forget');
    }
    assert.equal(await wholeLog(journal), []);
    for (const n of range(3)) await journal.append(entry(`s${n}`, 10));
    const fresh = await Promise.all(ends.map((from, which) => journal.log(which, from, 100)));
    assert.is(fresh.flatMap(({ events }) => events).length, 3);
  });

  // ------------------------------------------------------------------------------------------------------- records

  law('records through Keyv are kept, replaced, deleted and told apart', async (store) => {
    const people = keyv(store, 'people');
    assert.is(await people.get('a'), undefined);
    assert.is(await people.set('a', { name: 'Ä\u{1f600}', tags: [1, null] }), true);
    assert.equal(await people.get('a'), { name: 'Ä\u{1f600}', tags: [1, null] });
    await people.set('a', { name: 'B' });
    assert.equal(await people.get('a'), { name: 'B' });
    assert.is(await people.has('a'), true);
    assert.is(await people.delete('a'), true);
    assert.is(await people.delete('a'), false);
    assert.is(await people.has('a'), false);
    const big = 'é'.repeat(128 * 1024);
    await people.set('big', big);
    assert.is(await people.get('big'), big);
  });

  law('namespaces of records are apart', async (store) => {
    const people = keyv(store, 'people');
    const places = keyv(store, 'places');
    await people.set('a', 1);
    await places.set('a', -1);
    assert.is(await people.get('a'), 1);
    assert.is(await people.delete('a'), true);
    assert.is(await places.get('a'), -1);
  });

  law('a record is swapped only while it is what was expected', async (store) => {
    const { swap } = store;
    const text = (value: unknown) => JSON.stringify({ value });
    const people = keyv(store, 'people');
    assert.is(await swap('people:a', text(1), text(2)), false, 'there is none');
    assert.is(await people.get('a'), undefined);
    assert.is(await swap('people:a', undefined, text(1)), true);
    assert.is(await people.get('a'), 1, 'Keyv reads what was swapped in');
    assert.is(await swap('people:a', undefined, text(2)), false, 'there is one');
    assert.is(await swap('people:a', text(2), text(3)), false);
    assert.is(await people.get('a'), 1);
    assert.is(await swap('people:a', text(1), text({ é: '\u{1f600}\0' })), true);
    assert.equal(await people.get('a'), { é: '\u{1f600}\0' });
    await people.set('a', [1]);
    assert.is(await swap('people:a', text([1]), undefined), true, 'what Keyv wrote is what is expected');
    assert.is(await people.get('a'), undefined);
    assert.is(await swap('people:a', undefined, undefined), true, 'nothing is there, as expected');
    assert.is(await swap('people:a', undefined, ''), true, 'an empty text is not nothing');
    assert.is(await swap('people:a', undefined, text(1)), false);
    assert.is(await swap('people:a', '', undefined), true);
    const big = text('é'.repeat(128 * 1024));
    assert.is(await swap('people:big', undefined, big), true);
    assert.is(await swap('people:big', big, text(1)), true);
  });

  law('of many swaps at once exactly one gets through, and no update is lost', async (store) => {
    const { swap, records } = store;
    const first = await Promise.all(range(40).map((n) => swap('n:a', undefined, `${n}`)));
    assert.is(first.filter((won) => won).length, 1);
    assert.is(await records.get('n:a'), `${first.indexOf(true)}`);
    await records.set('n:a', '0');
    await Promise.all(
      range(10).map(async () => {
        for (;;) {
          const text = (await records.get<string>('n:a')) as string | undefined;
          if (await swap('n:a', text, `${Number(text) + 1}`)) return;
        }
      }),
    );
    assert.is(await records.get('n:a'), '10');
  });

  law('records outlive their time to live for nobody', async (store) => {
    const short = keyv(store, 'short');
    await short.set('a', 1, 20);
    await short.set('b', 2, 60_000);
    await pause(40);
    assert.is(await short.get('a'), undefined);
    assert.is(await short.get('b'), 2);
  });

  // -------------------------------------------------------------------------------------------------------- limits

  law('keys that differ in halves of characters alone are not taken for each other', async (store) => {
    const { index } = store;
    await take(store, 'x\ud800', 'kind/half').catch(() => 'refused');
    for (const other of ['x\ud801', 'x\udc00', 'x\ufffd']) assert.is(await index.lookup(other), undefined);
    assert.is(await take(store, 'x\ufffd', 'kind/whole'), true);
    assert.is.not(await index.lookup('x\ud800'), 'kind/whole');
    assert.is(await take(store, 'x🚲', 'kind/pair'), true);
    assert.is(await index.lookup('x🚲'), 'kind/pair');
  });

  const { keyBytesMax } = differences;
  if (keyBytesMax !== undefined) {
    law('a key that is too long is refused, and harms no other write of that moment', async (store) => {
      const { index, journal, records } = store;
      for (const long of [
        'k'.repeat(keyBytesMax + 1),
        'é'.repeat(keyBytesMax / 2 + 1),
        '\u0001'.repeat(10_000),
      ]) {
        const member = { list: 'list', member: long };
        const refused = [
          take(store, long, 'kind/a'),
          take(store, 'free', `kind/${long}`),
          index.add('list', long),
          journal.append(entry(long, 0)),
          journal.append(entry('s', 0, { index: changes({ unique: [long], members: [] }) })),
          journal.append(entry('s', 0, { index: changes({ unique: [], members: [member] }) })),
          journal.append(
            entry('s', 0, {
              index: changes({ unique: [], members: [] }, { unique: [long], members: [member] }),
            }),
          ),
          keyv(store, 'people').set(long, 1),
          store.swap(long, undefined, '1'),
        ];
        const harmless = [
          index.remove('list', long),
          records.delete(long),
          journal.append(entry(`beside ${long.length}`, 0)),
          take(store, `beside ${long.length}`, 'kind/b'),
        ];
        for (const { status } of await Promise.allSettled(refused)) assert.is(status, 'rejected');
        for (const { status } of await Promise.allSettled(harmless)) assert.is(status, 'fulfilled');

        assert.is(await index.lookup(long), undefined);
        assert.is(await records.get(long), undefined);
        assert.equal(await loaded(journal, long), { sequence: 0, state: undefined });
        assert.equal(await index.page('list', page(0, 10, { prefix: long })), []);
      }
      assert.equal(await journal.load('s'), { sequence: 0, state: undefined });
    });

    law('a key of the greatest length works, whatever it is made of', async (store) => {
      const { index, journal } = store;
      for (const [n, first] of ['k', '\u0001', '\0', '\u001f', '\u007f'].entries()) {
        const longest = first + 'k'.repeat(keyBytesMax - 1);
        assert.is(await take(store, longest, `kind/${n}`), true);
        assert.is(await index.lookup(longest), `kind/${n}`);
        assert.equal(await journal.append(entry(longest, 0)), APPENDED);
        assert.is((await loaded(journal, longest)).sequence, 1);
        const member = longest.slice('list\0'.length);
        await index.add('list', member);
        assert.equal(await index.page('list', page(0, 1, { prefix: member })), [member]);
      }
    });
  }

  // --------------------------------------------------------------------------------------------------------- close

  law('closing waits for the writes under way', async (store) => {
    const appends = range(50).map((n) => store.journal.append(entry(`s${n}`, 0)));
    const commit = take(store, 'key', 'kind/a');
    await store.close();
    assert.equal(
      await Promise.all(appends),
      range(50).map(() => APPENDED),
    );
    assert.is(await commit, true);
  });

  law(
    'after closing every use says that the store is not available; closing again is harmless',
    async (store) => {
      await store.check();
      const { journal, entities, index, records } = store;
      await store.close();
      await store.close();
      const uses: { readonly [use: string]: () => Promise<unknown> } = {
        load: () => journal.load('s'),
        'its number alone': async () => journal.sequenceOf?.('s') ?? journal.load('s'),
        'the number of its details': async () => journal.detailsFrom?.('s') ?? journal.load('s'),
        append: () => journal.append(entry('s', 0)),
        due: () => journal.due(T, undefined, 10),
        log: () => journal.log(0, 0, 10),
        trim: () => journal.trim(0, 0),
        lookup: () => index.lookup('key'),
        'load of an entity': () => entities.load('kind/a'),
        commit: () => take(store, 'key', 'kind/a'),
        add: () => index.add('list', 'm'),
        remove: () => index.remove('list', 'm'),
        page: () => index.page('list', page(0, 10)),
        count: () => index.count('list'),
        get: async () => records.get('a'),
        set: async () => records.set('a', '1'),
        delete: async () => records.delete('a'),
        swap: () => store.swap('a', undefined, '1'),
        check: () => store.check(),
      };
      for (const [use, call] of Object.entries(uses)) {
        const outcome = await call().catch((error: unknown) => error);
        assert.instance(outcome, StoreUnavailable, use);
      }
    },
  );

  law('while closing, what comes late is refused rather than waited for', async (store) => {
    const first = store.journal.append(entry('s', 0));
    const closed = store.close();
    const late = await store.journal.append(entry('s', 1)).catch((error: unknown) => error);
    assert.instance(late, StoreUnavailable);
    await closed;
    assert.equal(await first, APPENDED);
  });

  law('its name tells what it is', async ({ name: told }) => {
    assert.ok(told.length > 0);
  });

  test.run();
}

// --------------------------------------------------------------------------------------------------------- helpers

export function entry(stream: string, expected: number, more: Partial<Append> = {}): Append {
  const sequence = expected + 1;
  return {
    stream,
    expected,
    event: `event ${sequence}`,
    state: `${stream} at ${sequence}`,
    alarmAt: null,
    index: undefined,
    ...more,
  };
}

function logged(stream: string, sequence: number): LoggedEvent {
  return { stream, sequence, event: `event ${sequence}` };
}

type Entries = IndexChanges['take'];

function changes(take: Entries, release: Entries = { unique: [], members: [] }): IndexChanges {
  return { take, release };
}

/** Another entity takes a key. Resolves to whether it could. */
async function take({ entities }: Store, key: string, name: EntityName): Promise<boolean> {
  const index = changes({ unique: [key], members: [] });
  return (await entities.commit({ name, expected: 0, text: '', index })).type === 'committed';
}

/** Appends and commits promise the same, so the same laws hold for both. */
interface MoveKind {
  readonly word: 'append' | 'commit';
  readonly noun: 'stream' | 'entity';
  readonly done: { readonly type: 'appended' | 'committed' };
  nameOf(id: string): string;
  move(
    store: Store,
    name: string,
    expected: number,
    more?: Partial<Pick<Append, 'state' | 'alarmAt' | 'index'>>,
  ): Promise<AppendResult | CommitResult>;
  load(store: Store, name: string): Promise<Head>;
}

const entityName = (name: string): EntityName => `kind/${name.slice('kind/'.length)}`;

const MOVES: readonly MoveKind[] = [
  {
    word: 'append',
    noun: 'stream',
    done: APPENDED,
    nameOf: (id) => id,
    move: ({ journal }, stream, expected, more) => journal.append(entry(stream, expected, more)),
    load: ({ journal }, stream) => loaded(journal, stream),
  },
  {
    word: 'commit',
    noun: 'entity',
    done: { type: 'committed' },
    nameOf: (id) => `kind/${id}`,
    move({ entities }, name, expected, more) {
      const { state: text, index } = entry(name, expected, more);
      return entities.commit({ name: entityName(name), expected, text, index });
    },
    async load({ entities }, name) {
      const { version, text } = await entities.load(entityName(name));
      return { sequence: version, state: text };
    },
  },
];

const page = (offset: number, limit: number, more: Partial<PageQuery> = {}): PageQuery => ({
  offset,
  limit,
  ...more,
});

export const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** The same other order every time. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  const step = 7_919 % items.length || 1;
  const order = range(items.length).map((n) => ({ n, rank: ((n + 1) * step * 31) % 101 }));
  return order.sort((a, b) => a.rank - b.rank || b.n - a.n).map(({ n }) => items[n] as Item);
}

/** All events, log after log. */
export async function wholeLog(journal: Journal, limit = 500): Promise<LoggedEvent[]> {
  const all: LoggedEvent[] = [];
  for (const which of range(journal.logs)) all.push(...(await oneLog(journal, which, limit)));
  return all;
}

async function oneLog(journal: Journal, which: number, limit: number): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for (let from = 0; ; ) {
    const { events: some, next } = await journal.log(which, from, limit);
    events.push(...some);
    if (next === from) return events;
    from = next;
  }
}

export async function allDue(journal: Journal, now: number, limit = 50): Promise<DueAlarm[]> {
  const alarms: DueAlarm[] = [];
  let after: string | undefined;
  do {
    const { alarms: some, next } = await journal.due(now, after, limit);
    alarms.push(...some);
    after = next;
  } while (after !== undefined);
  return alarms;
}

/** Listing twice is harmless. */
function unique(alarms: readonly DueAlarm[]): DueAlarm[] {
  return [...new Map(alarms.map((alarm) => [`${alarm.dueAt} ${alarm.stream}`, alarm])).values()];
}

/** All that the laws of appends and commits could have touched. */
async function everything(store: Store): Promise<unknown> {
  const { journal, index } = store;
  const heads = MOVES.flatMap(({ nameOf, load }) => ['s', 'holder'].map((id) => load(store, nameOf(id))));
  return {
    heads: await Promise.all(heads),
    log: await wholeLog(journal),
    due: await allDue(journal, T + 10_000),
    holders: await Promise.all(['key', 'free'].map((key) => index.lookup(key))),
    members: await index.page('list', page(0, 100)),
    count: await index.count('list'),
  };
}

function keyv(store: Store, namespace: string): Keyv {
  return new Keyv({ store: store.records, namespace, throwOnErrors: true });
}

/** The newest head, whose number must be the same where it can be had alone. */
async function loaded(journal: Journal, stream: string): Promise<Head> {
  const head = await journal.load(stream);
  if (journal.sequenceOf !== undefined) assert.is(journal.sequenceOf(stream), head.sequence);
  return head;
}
