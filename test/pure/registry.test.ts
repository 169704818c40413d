/** Laws of the actors in the registry: when they answer, what they answer on, and what a fault leaves behind. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createGate, type Fault } from '../kit/faulty-store.ts';
import { clear, inWords, inWorld, look, put, type ShelfAnswer, settle, swap } from './registry-world.ts';

/** A promise, watched: undefined until it is answered. */
function watch(asked: Promise<ShelfAnswer>): { answer: ShelfAnswer | undefined } {
  const watched: { answer: ShelfAnswer | undefined } = { answer: undefined };
  void asked.then((answer) => {
    watched.answer = answer;
  });
  return watched;
}

test('actors: an answer comes only after the event is durable', () =>
  inWorld(async ({ registry, journal, shelf, heard }) => {
    const gate = createGate();
    journal.inject({ append: () => gate.opened.then(() => 'none') });
    const asked = registry.ask('s', put('book'));
    const watched = watch(asked);
    await settle();
    assert.is(watched.answer, undefined);
    assert.equal(heard, []);
    gate.open();
    assert.is(inWords(await asked), 'accepted');
    assert.is((await shelf('s'))?.thing, 'book');
    assert.equal(heard, ['s book']);
  }));

test('actors: the answer carries the state after the command, and its instant', () =>
  inWorld(async ({ registry, clock }) => {
    const answer = await registry.ask('s', put('book'));
    const state = { thing: 'book', history: ['book'] };
    assert.equal(answer, { type: 'accepted', state, at: clock.now() });
    assert.equal(await registry.ask('s', look), { type: 'accepted', state, at: clock.now() });
  }));

test('actors: a refusal writes nothing, and the next command is decided on the same state', () =>
  inWorld(async ({ registry, journal }) => {
    await registry.ask('s', put('book'));
    const { append } = journal.calls;
    assert.is(inWords(await registry.ask('s', put('cup'))), 'refused: full');
    assert.is(journal.calls.append, append);
    assert.is(inWords(await registry.ask('s', clear)), 'accepted');
    assert.is(inWords(await registry.ask('s', put('cup'))), 'accepted');
  }));

test('actors: commands of one stream are decided one after another, in the order they came', () =>
  inWorld(async ({ registry, shelf }) => {
    const things = Array.from({ length: 200 }, (_, n) => `thing ${n}`);
    const answers = await Promise.all(things.map((thing) => registry.ask('s', swap(thing))));
    assert.ok(answers.every(({ type }) => type === 'accepted'));
    assert.equal((await shelf('s'))?.history, things);
  }));

test('actors: a slow write of one stream holds up no other', () =>
  inWorld(async ({ registry, journal }) => {
    const gate = createGate();
    journal.inject({ append: ({ stream }) => (stream === 'slow' ? gate.opened.then(() => 'none') : 'none') });
    const slow = watch(registry.ask('slow', put('book')));
    for (let n = 0; n < 50; n++) assert.is(inWords(await registry.ask(`s${n}`, put('book'))), 'accepted');
    assert.is(slow.answer, undefined);
    gate.open();
    await settle();
    assert.is(slow.answer?.type, 'accepted');
  }));

// ------------------------------------------------------------------------------------------------------- conflicts

test('conflict: decided anew on the fresh state, and what waited keeps its order', () =>
  inWorld(async ({ registry, journal, shelf, putFromElsewhere }) => {
    await registry.ask('s', swap('first'));
    let others = 1;
    journal.inject({
      async append(): Promise<Fault> {
        if (others-- > 0) await putFromElsewhere('s', 'other');
        return 'none';
      },
    });
    const things = ['a', 'b', 'c', 'd'];
    const answers = await Promise.all(things.map((thing) => registry.ask('s', swap(thing))));
    assert.equal(answers.map(inWords), ['accepted', 'accepted', 'accepted', 'accepted']);
    assert.equal((await shelf('s'))?.history, ['first', 'other', ...things]);
  }));

test('conflict: what another process did first turns an acceptance into a refusal', () =>
  inWorld(async ({ registry, journal, shelf, putFromElsewhere, heard }) => {
    await registry.ask('s', look);
    let others = 1;
    journal.inject({
      async append(): Promise<Fault> {
        if (others-- > 0) await putFromElsewhere('s', 'other');
        return 'none';
      },
    });
    assert.is(inWords(await registry.ask('s', put('mine'))), 'refused: full');
    assert.is((await shelf('s'))?.thing, 'other');
    assert.equal(heard, [], 'nobody hears of an event that did not happen');
  }));

test('conflict: a refusal is not given on a state that another process has overtaken', () =>
  inWorld(async ({ registry, putFromElsewhere }) => {
    await registry.ask('s', put('book'));
    await putFromElsewhere('s', null);
    assert.is(inWords(await registry.ask('s', put('cup'))), 'accepted');
    await putFromElsewhere('s', 'theirs');
    const seen = await registry.ask('s', look);
    assert.is(seen.type === 'accepted' && seen.state.thing, 'theirs');
  }));

test('conflict: one that never ends is given up, and the actor works again afterwards', () =>
  inWorld(async ({ registry, journal, putFromElsewhere }) => {
    let count = 0;
    journal.inject({
      async append(): Promise<Fault> {
        await putFromElsewhere('s', `other ${count++}`);
        return 'none';
      },
    });
    const answers = await Promise.all([registry.ask('s', swap('a')), registry.ask('s', swap('b'))]);
    assert.equal(answers.map(inWords), ['unavailable: store', 'unavailable: store']);
    assert.ok(count > 3 && count < 100, `${count} attempts`);
    journal.heal();
    assert.is(inWords(await registry.ask('s', swap('c'))), 'accepted');
    assert.is(registry.inFlight, 0);
  }));

// ---------------------------------------------------------------------------------------------------------- faults

test('fault: a failed append is answered unavailable, and so is what waited behind it', () =>
  inWorld(async ({ registry, journal, complaints, shelf }) => {
    await registry.ask('s', swap('first'));
    journal.inject({ append: () => 'fail' });
    const answers = await Promise.all(['a', 'b', 'c'].map((thing) => registry.ask('s', swap(thing))));
    assert.equal(new Set(answers.map(inWords)), new Set(['unavailable: store']));
    assert.is(complaints.length, 1);
    assert.is(registry.inFlight, 0);
    journal.heal();
    assert.is(inWords(await registry.ask('s', swap('d'))), 'accepted');
    assert.equal((await shelf('s'))?.history, ['first', 'd']);
  }));

test('fault: an append that succeeded although it was reported as failed is not forgotten, nor done again', () =>
  inWorld(async ({ registry, journal, shelf }) => {
    journal.inject({ append: () => 'lie' });
    assert.is(inWords(await registry.ask('s', put('book'))), 'unavailable: store');
    journal.heal();
    assert.is(inWords(await registry.ask('s', put('cup'))), 'refused: full');
    assert.is(inWords(await registry.ask('s', swap('cup'))), 'accepted');
    assert.equal((await shelf('s'))?.history, ['book', 'cup']);
  }));

test('fault: a failed recovery is answered unavailable, and the next ask tries anew', () =>
  inWorld(async ({ registry, journal }) => {
    journal.inject({ load: () => 'fail' });
    const answers = await Promise.all([registry.ask('s', put('a')), registry.ask('s', put('b'))]);
    assert.equal(answers.map(inWords), ['unavailable: store', 'unavailable: store']);
    assert.is(inWords(await registry.ask('s', look)), 'unavailable: store');
    assert.is(registry.residents, 0);
    journal.heal();
    assert.is(inWords(await registry.ask('s', put('c'))), 'accepted');
  }));

test('fault: a refusal that cannot be checked against the journal is not given', () =>
  inWorld(async ({ registry, journal }) => {
    await registry.ask('s', put('book'));
    journal.inject({ load: () => 'fail' });
    assert.is(inWords(await registry.ask('s', put('cup'))), 'unavailable: store');
    journal.heal();
    assert.is(inWords(await registry.ask('s', put('cup'))), 'refused: full');
  }));

test('fault: a state that cannot be read is unavailable, not empty', () =>
  inWorld(async ({ registry, journal, complaints }) => {
    const wish = { stream: 's', expected: 0, event: '{}', alarmAt: null, index: undefined };
    await journal.append({ ...wish, state: 'this is no JSON' });
    assert.is(inWords(await registry.ask('s', put('book'))), 'unavailable: store');
    assert.is(complaints.length, 1);
    assert.is(inWords(await registry.ask('t', put('book'))), 'accepted');
  }));

test('fault: a bug in the decider ends the command, not the process, and not the stream', () =>
  inWorld(async ({ registry, complaints }) => {
    await registry.ask('s', put('book'));
    assert.is(inWords(await registry.ask('s', { type: 'break' })), 'unavailable: store');
    assert.is(complaints.length, 1);
    assert.is(inWords(await registry.ask('s', put('cup'))), 'refused: full');
  }));

test('fault: with a store that fails now and then, every answer is true and no actor is lost', () =>
  inWorld(async ({ registry, journal, shelf }) => {
    let calls = 0;
    const nowAndThen = (): Fault => {
      calls += 1;
      return calls % 7 === 0 ? 'fail' : calls % 11 === 0 ? 'lie' : 'none';
    };
    journal.inject({ append: nowAndThen, load: nowAndThen });
    const accepted = new Map<string, string[]>();
    await Promise.all(
      Array.from({ length: 600 }, async (_, n) => {
        const id = `s${n % 20}`;
        for (let attempt = 0; attempt < n % 3; attempt++) await settle(1);
        const answer = await registry.ask(id, swap(`thing ${n}`));
        if (answer.type === 'accepted') accepted.set(id, [...(accepted.get(id) ?? []), `thing ${n}`]);
        else assert.is(inWords(answer), 'unavailable: store');
      }),
    );
    journal.heal();
    assert.is(registry.inFlight, 0);
    for (const [id, things] of accepted) {
      const history = (await shelf(id))?.history ?? [];
      assert.equal(
        history.filter((thing) => things.includes(thing)),
        things,
        'each of them once, in order',
      );
      assert.is(inWords(await registry.ask(id, swap('last'))), 'accepted');
    }
  }));

test('fault: a listener that throws harms nothing', () =>
  inWorld(
    async ({ registry, complaints, shelf }) => {
      assert.is(inWords(await registry.ask('s', put('book'))), 'accepted');
      assert.is(inWords(await registry.ask('s', swap('cup'))), 'accepted');
      assert.equal((await shelf('s'))?.history, ['book', 'cup']);
      assert.is(complaints.length, 2);
    },
    {
      listener: () => {
        throw new Error('a listener’s own trouble');
      },
    },
  ));

// ----------------------------------------------------------------------------------------------------- unique keys

test('taken: a taken key is a refusal, and the actor goes on with what waited, in order', () =>
  inWorld(async ({ registry, shelf, complaints }) => {
    assert.is(inWords(await registry.ask('a', { type: 'put', thing: 'book', key: 'red' })), 'accepted');
    const answers = await Promise.all([
      registry.ask('b', swap('cup')),
      registry.ask('b', { type: 'swap', thing: 'hat', key: 'red' }),
      registry.ask('b', swap('pen')),
      registry.ask('b', swap('ink')),
    ]);
    assert.equal(answers.map(inWords), ['accepted', 'refused: taken', 'accepted', 'accepted']);
    assert.equal((await shelf('b'))?.history, ['cup', 'pen', 'ink']);
    assert.equal(complaints, [], 'it is nobody’s fault');
    assert.is(inWords(await registry.ask('b', { type: 'swap', thing: 'hat', key: 'blue' })), 'accepted');
  }));

test('taken: the same key again and again does not end in unavailable', () =>
  inWorld(async ({ registry }) => {
    await registry.ask('a', { type: 'put', thing: 'book', key: 'red' });
    const wishes = Array.from({ length: 100 }, () =>
      registry.ask('b', { type: 'swap', thing: 'hat', key: 'red' }),
    );
    assert.equal(new Set((await Promise.all(wishes)).map(inWords)), new Set(['refused: taken']));
    assert.is(inWords(await registry.ask('b', swap('hat'))), 'accepted');
  }));

test.run();
