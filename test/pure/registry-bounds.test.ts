/** Laws of the registry's bounds: overload is answered, time limits hold, actors come and go and nothing is lost. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createGate, type Fault } from '../kit/faulty-store.ts';
import { inWords, inWorld, look, put, type ShelfAnswer, settle, swap } from './registry-world.ts';

const LONG = 60_000;
const times = <Result>(count: number, work: (n: number) => Result): Result[] =>
  Array.from({ length: count }, (_, n) => work(n));

function tally(answers: readonly ShelfAnswer[]): { [words: string]: number } {
  const counts: { [words: string]: number } = {};
  for (const answer of answers) counts[inWords(answer)] = (counts[inWords(answer)] ?? 0) + 1;
  return counts;
}

// -------------------------------------------------------------------------------------------------------- overload

test('bounds: more than one actor’s mailbox holds is overloaded, others are not, and it passes', () =>
  inWorld(
    async ({ registry, journal, shelf }) => {
      const gate = createGate();
      journal.inject({ append: () => gate.opened.then(() => 'none') });
      const asked = times(8, (n) => registry.ask('s', swap(`thing ${n}`)));
      const beside = registry.ask('t', swap('book'));
      await settle();
      assert.is(registry.inFlight, 6);
      gate.open();
      assert.equal((await Promise.all(asked)).map(inWords), [
        ...times(5, () => 'accepted'),
        ...times(3, () => 'unavailable: overloaded'),
      ]);
      assert.is(inWords(await beside), 'accepted');
      assert.is((await shelf('s'))?.history.length, 5);
      assert.is(inWords(await registry.ask('s', look)), 'accepted');
    },
    { settings: { mailboxMax: 5 } },
  ));

test('bounds: more commands under way than allowed are overloaded, and it passes', () =>
  inWorld(
    async ({ registry, journal }) => {
      const gate = createGate();
      journal.inject({ append: () => gate.opened.then(() => 'none') });
      const asked = times(15, (n) => registry.ask(`s${n}`, put('book')));
      assert.is(registry.inFlight, 10);
      gate.open();
      assert.equal(tally(await Promise.all(asked)), { accepted: 10, 'unavailable: overloaded': 5 });
      assert.is(registry.inFlight, 0);
      assert.is(inWords(await registry.ask('s14', put('book'))), 'accepted');
    },
    { settings: { inFlightMax: 10 } },
  ));

test('bounds: no more actors live than allowed; when all are busy, a new one is overloaded', () =>
  inWorld(
    async ({ registry, journal }) => {
      const gate = createGate();
      journal.inject({ append: () => gate.opened.then(() => 'none') });
      const asked = times(6, (n) => registry.ask(`s${n}`, put('book')));
      assert.is(registry.residents, 4);
      gate.open();
      assert.equal(tally(await Promise.all(asked)), { accepted: 4, 'unavailable: overloaded': 2 });
      assert.is(inWords(await registry.ask('s5', put('book'))), 'accepted');
      assert.is(registry.residents, 4);
    },
    { settings: { residentsMax: 4 } },
  ));

test('bounds: the longest unused is stopped, and has the same state when it comes back', () =>
  inWorld(
    async ({ registry, journal }) => {
      for (const n of [0, 1, 2]) await registry.ask(`s${n}`, put(`thing ${n}`));
      await registry.ask('s0', look); // s1 is now the longest unused
      await registry.ask('s3', put('thing 3'));
      const { load } = journal.calls;
      await registry.ask('s0', swap('again'));
      assert.is(journal.calls.load, load, 's0 was not let go');
      const back = await registry.ask('s1', look);
      assert.is(back.type === 'accepted' && back.state.thing, 'thing 1');
    },
    { settings: { residentsMax: 3 } },
  ));

// ------------------------------------------------------------------------------------------------------ time limit

test('time limit: an ask that takes too long is answered, and counts until it ends', () =>
  inWorld(
    async ({ registry, journal, clock, shelf }) => {
      const gate = createGate();
      journal.inject({ append: () => gate.opened.then(() => 'none') });
      const asked = registry.ask('s', put('book'));
      await settle();
      clock.advance(1_000);
      assert.is(inWords(await asked), 'unavailable: timeout');
      assert.is(registry.inFlight, 1, 'it is still being done');

      gate.open();
      await settle();
      assert.is(registry.inFlight, 0);
      assert.is((await shelf('s'))?.thing, 'book', 'it may have happened: it did');
      clock.advance(LONG);
      assert.is(registry.residents, 0, 'and the actor can be let go');
    },
    { settings: { askTimeoutMs: 500, idleMs: 1_000 } },
  ));

test('time limit: what waited too long is never done afterwards', () =>
  inWorld(
    async ({ registry, journal, clock, shelf }) => {
      const gate = createGate();
      journal.inject({ append: () => gate.opened.then(() => 'none') });
      const asked = ['a', 'b', 'c'].map((thing) => registry.ask('s', swap(thing)));
      await settle();
      clock.advance(1_000);
      assert.equal(tally(await Promise.all(asked)), { 'unavailable: timeout': 3 });
      gate.open();
      await settle();
      assert.equal((await shelf('s'))?.history, ['a'], 'only what was begun');
      assert.is(registry.inFlight, 0);
      assert.is(inWords(await registry.ask('s', swap('d'))), 'accepted');
    },
    { settings: { askTimeoutMs: 500 } },
  ));

test('time limit: it counts from each ask, and an ask that was answered in time has no timeout', () =>
  inWorld(
    async ({ registry, journal, clock }) => {
      const gate = createGate();
      journal.inject({
        append: ({ stream }) => (stream === 'slow' ? gate.opened.then(() => 'none') : 'none'),
      });
      const first = registry.ask('slow', put('book'));
      clock.advance(400);
      const second = registry.ask('slow', put('cup'));
      assert.is(inWords(await registry.ask('s', put('book'))), 'accepted');
      clock.advance(350);
      assert.is(inWords(await first), 'unavailable: timeout');
      let answered = false;
      void second.then(() => {
        answered = true;
      });
      await settle();
      assert.not.ok(answered, 'the second one’s time is not over');
      gate.open();
      assert.is(inWords(await second), 'refused: full');
    },
    { settings: { askTimeoutMs: 500 } },
  ));

test('time limit: asks that time out in a conflict or a fault are counted off once', () =>
  inWorld(
    async ({ registry, journal, clock, putFromElsewhere }) => {
      for (const end of ['conflict', 'fail'] as const) {
        const gate = createGate();
        journal.inject({
          async append(): Promise<Fault> {
            await gate.opened;
            if (end === 'fail') return 'fail';
            await putFromElsewhere('s', 'other');
            journal.heal();
            return 'none';
          },
        });
        const asked = times(5, (n) => registry.ask('s', swap(`thing ${n}`)));
        await settle();
        clock.advance(1_000);
        assert.equal(tally(await Promise.all(asked)), { 'unavailable: timeout': 5 });
        gate.open();
        await settle(60);
        assert.is(registry.inFlight, 0, end);
        journal.heal();
        assert.is(inWords(await registry.ask('s', look)), 'accepted', end);
      }
    },
    { settings: { askTimeoutMs: 500 } },
  ));

// ------------------------------------------------------------------------------------------------------ come and go

test('passivation: an idle actor is stopped, and comes back with the same state', () =>
  inWorld(
    async ({ registry, clock }) => {
      await registry.ask('s', put('book'));
      assert.is(registry.residents, 1);
      clock.advance(900);
      await registry.ask('s', look);
      clock.advance(900);
      assert.is(registry.residents, 1, 'it was used meanwhile');
      clock.advance(1_300);
      assert.is(registry.residents, 0);
      assert.is(inWords(await registry.ask('s', put('cup'))), 'refused: full');
    },
    { settings: { idleMs: 1_000 } },
  ));

test('passivation: a busy actor is not stopped, however long it takes', () =>
  inWorld(
    async ({ registry, journal, clock }) => {
      const gate = createGate();
      journal.inject({ append: () => gate.opened.then(() => 'none') });
      const asked = registry.ask('s', put('book'));
      await settle();
      clock.advance(4_000);
      assert.is(registry.residents, 1);
      gate.open();
      assert.is(inWords(await asked), 'accepted');
      clock.advance(2_000);
      assert.is(registry.residents, 0);
    },
    { settings: { idleMs: 1_000 } },
  ));

test('passivation: many idle actors are stopped in portions, so that nobody waits long', () =>
  inWorld(
    async ({ registry, clock }) => {
      await Promise.all(times(5_000, (n) => registry.ask(`s${n}`, look)));
      clock.advance(2_000);
      const left = [registry.residents];
      for (let sweep = 0; sweep < 8; sweep++) {
        clock.advance(250);
        left.push(registry.residents);
      }
      assert.is(left.at(-1), 0);
      for (const [n, residents] of left.slice(1).entries()) {
        assert.ok((left[n] ?? 0) - residents <= 2_000, `${left.join()}`);
      }
    },
    { settings: { idleMs: 2_000, residentsMax: 10_000 } },
  ));

test('rest: where nothing is due nobody is woken', () =>
  inWorld(
    async ({ registry, clock }) => {
      assert.is(clock.timers, 0, 'no actor');
      await registry.ask('s', put('book'));
      clock.advance(600);
      const idleAt = clock.next() ?? 0;
      assert.is(idleAt - clock.now(), 59_400, 'an idle actor: not before it is let go');
      await registry.ask('t', put('cup'));
      clock.advance(59_400);
      assert.is(registry.residents, 1);
      clock.advance(600);
      assert.is(registry.residents, 0);
      assert.is(clock.timers, 0, 'none again');
    },
    { settings: { askTimeoutMs: 500, idleMs: 60_000 } },
  ));

test('passivation: under traffic no message is lost and none is done twice', () =>
  inWorld(
    async ({ registry, clock, shelf, journal }) => {
      let slow = 0;
      journal.inject({
        async append(): Promise<Fault> {
          if (slow++ % 3 === 0) await settle(slow % 5);
          return 'none';
        },
      });
      const accepted = new Map<string, string[]>();
      let overloaded = 0;
      let running = 40;
      const sweeping = (async () => {
        while (running > 0) {
          clock.advance(250); // every actor not in use just now is let go
          await settle(1);
        }
      })();
      await Promise.all(
        times(40, async (caller) => {
          for (let n = 0; n < 250; n++) {
            const id = `s${(caller * 7 + n * 3) % 30}`;
            const thing = `${caller}-${n}`;
            const answer = await registry.ask(id, swap(thing));
            if (answer.type === 'accepted') accepted.set(id, [...(accepted.get(id) ?? []), thing]);
            else if (inWords(answer) === 'unavailable: overloaded') overloaded += 1;
            else assert.unreachable(inWords(answer));
            if (n % 4 === 0) await settle(n % 7);
          }
          running -= 1;
        }),
      );
      await sweeping;
      let total = 0;
      for (const [id, things] of accepted) {
        total += things.length;
        assert.equal([...((await shelf(id))?.history ?? [])].sort(), things.sort());
      }
      assert.is(total + overloaded, 10_000);
      assert.ok(total > 5_000, `${total} accepted, ${overloaded} overloaded`);
      assert.is(registry.inFlight, 0);
      assert.ok(registry.residents <= 20);
    },
    { settings: { residentsMax: 20, idleMs: 0, askTimeoutMs: 10 * LONG } },
  ));

// ------------------------------------------------------------------------------------------------------------ stop

test('stop: asks under way are answered as usual, new ones with stopping', () =>
  inWorld(async ({ registry, journal, shelf }) => {
    const gate = createGate();
    journal.inject({ append: () => gate.opened.then(() => 'none') });
    const asked = times(3, (n) => registry.ask('s', swap(`thing ${n}`)));
    await settle();
    const stopped = registry.stop(LONG);
    assert.is(inWords(await registry.ask('s', put('late'))), 'unavailable: stopping');
    gate.open();
    assert.equal(tally(await Promise.all(asked)), { accepted: 3 });
    await stopped;
    assert.is((await shelf('s'))?.history.length, 3);
    assert.is(inWords(await registry.ask('s', put('later'))), 'unavailable: stopping');
  }));

test('stop: a conflict while stopping is still decided anew', () =>
  inWorld(async ({ registry, journal, putFromElsewhere, shelf }) => {
    const gate = createGate();
    journal.inject({
      async append(): Promise<Fault> {
        await gate.opened;
        journal.heal();
        await putFromElsewhere('s', 'other');
        return 'none';
      },
    });
    const asked = registry.ask('s', swap('mine'));
    await settle();
    const stopped = registry.stop(LONG);
    gate.open();
    assert.is(inWords(await asked), 'accepted');
    await stopped;
    assert.equal((await shelf('s'))?.history, ['other', 'mine']);
  }));

test('stop: an ask that does not end in time is answered with stopping; its late end harms nothing', () =>
  inWorld(async ({ registry, journal, clock, shelf }) => {
    const gate = createGate();
    journal.inject({ append: () => gate.opened.then(() => 'none') });
    const asked = times(3, (n) => registry.ask('s', swap(`thing ${n}`)));
    await settle();
    const stopped = registry.stop(1_000);
    clock.advance(1_000);
    await stopped;
    assert.equal(tally(await Promise.all(asked)), { 'unavailable: stopping': 3 });
    gate.open();
    await settle();
    assert.equal((await shelf('s'))?.history, ['thing 0'], 'only what was begun');
  }));

test('stop: idle, it ends at once and leaves no timer; stopping again is harmless', () =>
  inWorld(async ({ registry, clock }) => {
    await registry.ask('s', put('book'));
    await registry.stop(LONG);
    await registry.stop(LONG);
    assert.is(registry.residents, 0);
    assert.is(clock.timers, 0);
  }));

test('stop: after draining no timer is left either', () =>
  inWorld(async ({ registry, journal, clock }) => {
    const gate = createGate();
    journal.inject({ append: () => gate.opened.then(() => 'none') });
    const asked = registry.ask('s', put('book'));
    await settle();
    const stopped = registry.stop(LONG);
    gate.open();
    await asked;
    await stopped;
    assert.is(clock.timers, 0);
  }));

test.run();
