/** Laws of concurrent asks for one stream: within one registry, and in two registries on one journal. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createMemoryStore } from '../../actors/store/memory.ts';
import type { Fault } from '../kit/faulty-store.ts';
import { inWords, inWorld, put, settle, swap, type World } from './registry-world.ts';

/** Runs a law with two registries, as of two processes, on one store; also with two that look before they decide. */
async function inTwoWorlds(law: (here: World, there: World) => Promise<void>): Promise<void> {
  for (const looksFirst of [undefined, 'always', 'contended'] as const) {
    for (const seesAtOnce of [false, true]) {
      const options = { store: createMemoryStore(), looksFirst, seesAtOnce };
      await inWorld((here) => inWorld((there) => law(here, there), options), options);
    }
  }
}

/** Makes the appends of a world take a number of turns that changes from one to the next. */
function dawdle({ journal }: World, step: number): void {
  let n = 0;
  journal.inject({
    async append(): Promise<Fault> {
      n += step;
      await settle(n % 4);
      return 'none';
    },
  });
}

test('race: of many asks for one stream exactly one succeeds, all others are refused with the reason', () =>
  inWorld(async ({ registry, shelf }) => {
    for (let round = 0; round < 50; round++) {
      const id = `s${round}`;
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => registry.ask(id, put(`of ${n}`))),
      );
      const words = answers.map(inWords);
      assert.is(words.filter((word) => word === 'accepted').length, 1);
      assert.is(words.filter((word) => word === 'refused: full').length, 49);
      assert.is((await shelf(id))?.thing, `of ${words.indexOf('accepted')}`);
    }
  }));

test('race: two registries on one journal never both succeed, and neither loses an event', () =>
  inTwoWorlds(async (here, there) => {
    dawdle(here, 1);
    dawdle(there, 3);
    for (let round = 0; round < 300; round++) {
      const id = `s${round}`;
      const asked = [here, there, here, there].map(({ registry }, n) => registry.ask(id, put(`of ${n}`)));
      const words = (await Promise.all(asked)).map(inWords);
      assert.is(words.filter((word) => word === 'accepted').length, 1, words.join());
      assert.is(words.filter((word) => word === 'refused: full').length, 3, words.join());
      const shelf = await here.shelf(id);
      assert.equal(shelf?.history, [`of ${words.indexOf('accepted')}`]);
    }
  }));

test('race: two registries that write to the same streams lose none of each other’s writes', () =>
  inTwoWorlds(async (here, there) => {
    dawdle(here, 1);
    dawdle(there, 2);
    const done: string[] = [];
    await Promise.all(
      [here, there].flatMap(({ registry }, side) =>
        Array.from({ length: 4 }, async (_, stream) => {
          for (let n = 0; n < 60; n++) {
            const thing = `${side}-${stream}-${n}`;
            const answer = await registry.ask(`s${stream}`, swap(thing));
            assert.is(inWords(answer), 'accepted');
            done.push(thing);
          }
        }),
      ),
    );
    const kept: string[] = [];
    for (let stream = 0; stream < 4; stream++)
      kept.push(...((await here.shelf(`s${stream}`))?.history ?? []));
    assert.equal(kept.sort(), done.sort());
  }));

test('race: of two registries that load before they decide, neither has a failed append while they take turns', () => {
  const options = { store: createMemoryStore(), looksFirst: 'always' } as const;
  return inWorld(
    (here) =>
      inWorld(async (there) => {
        for (let round = 0; round < 100; round++) {
          const { registry } = round % 3 === 0 ? here : there;
          assert.is(inWords(await registry.ask('s', swap(`of ${round}`))), 'accepted');
        }
        assert.is(here.journal.calls.append + there.journal.calls.append, 100);
        assert.is((await here.shelf('s'))?.history.length, 100);
      }, options),
    options,
  );
});

test('race: where the number of a head is seen at once, it is loaded only after somebody else has written', () => {
  const options = { store: createMemoryStore(), looksFirst: 'always', seesAtOnce: true } as const;
  return inWorld(
    (here) =>
      inWorld(async (there) => {
        let turns = 0;
        let before: World | undefined;
        for (let round = 0; round < 100; round++) {
          const world = round % 3 === 0 ? here : there;
          if (world !== before) turns += 1;
          before = world;
          assert.is(inWords(await world.registry.ask('s', swap(`of ${round}`))), 'accepted');
          assert.is(here.journal.calls.load + there.journal.calls.load, turns);
        }
        assert.is(here.journal.calls.append + there.journal.calls.append, 100);
      }, options),
    options,
  );
});

test('race: of two registries that look only where others have written, conflicts are the exception', () => {
  const options = { store: createMemoryStore(), looksFirst: 'contended' } as const;
  const accepted = async ({ registry }: World, thing: string) =>
    assert.is(inWords(await registry.ask('s', swap(thing))), 'accepted');
  return inWorld(
    (here) =>
      inWorld(async (there) => {
        const calls = (which: 'append' | 'load') => here.journal.calls[which] + there.journal.calls[which];
        for (let round = 0; round < 100; round++)
          await accepted(round % 2 === 0 ? here : there, `of ${round}`);
        const inVain = calls('append') - 100;
        assert.ok(inVain <= 2, `${inVain} appends in vain while they take turns`);
        // Alone again it stops to look, after a few times.
        const before = calls('load');
        for (let round = 0; round < 100; round++) await accepted(here, `of one, ${round}`);
        const looks = calls('load') - before;
        assert.ok(looks > 0 && looks < 12, `${looks} looks`);
        assert.is(calls('append') - inVain, 200);
      }, options),
    options,
  );
});

test('race: of two registries’ streams that want one key exactly one gets it', () =>
  inTwoWorlds(async (here, there) => {
    for (let round = 0; round < 100; round++) {
      const wish = { type: 'put', thing: 'book', key: `key ${round}` } as const;
      const answers = await Promise.all([
        here.registry.ask(`a${round}`, wish),
        there.registry.ask(`b${round}`, wish),
      ]);
      assert.equal(answers.map(inWords).sort(), ['accepted', 'refused: taken']);
    }
  }));

test.run();
