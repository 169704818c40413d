/** Wrong secrets for one device over all customers (rule C6): the bound, its waits, and what a window is worth to a guesser. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CustomerId } from '../../actors/base/ids.ts';
import { silentBus } from '../../actors/cluster/bus.ts';
import {
  createWindowGuesses,
  guessesWithin,
  type Waits,
  waitOf,
} from '../../actors/cluster/window-guesses.ts';
import { defaultApiSettings } from '../../http/settings.ts';
import { createParties } from '../kit/bus.ts';
import { idOf } from '../kit/given.ts';

const RULES = fileURLToPath(new URL('../../../actors/device/RULES.md', import.meta.url));
const SETTINGS = defaultApiSettings.limits.wrongSecretsPerWindow;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function guessing(keysMax?: number) {
  const clock = { at: 5_000 };
  const guesses = createWindowGuesses(SETTINGS, silentBus, () => clock.at, keysMax);
  const waits: Waits[] = [];
  guesses.onWait((one) => waits.push(one));
  return { clock, guesses, waits };
}

const customer = (n: number) => idOf<CustomerId>(n);

test('window guesses: after twenty the device waits, twice as long each time', async () => {
  const { clock, guesses, waits } = guessing();
  for (const minutes of [1, 2, 4, 8]) {
    for (let n = 0; n < 20; n += 1) {
      assert.ok((await guesses.crowd.get('d')).count < 20);
      await guesses.crowd.add('d');
    }
    assert.equal(await guesses.crowd.get('d'), { count: 20, resetsInMs: minutes * MINUTE_MS });
    clock.at += minutes * MINUTE_MS - 1;
    assert.equal(await guesses.crowd.get('d'), { count: 20, resetsInMs: 1 });
    clock.at += 1;
    assert.is((await guesses.crowd.get('d')).count, 0);
  }
  assert.equal(
    waits.map(({ waitMs }) => waitMs),
    [1, 2, 4, 8].map((minutes) => minutes * MINUTE_MS),
  );
  assert.is((await guesses.crowd.get('other')).count, 0);
});

test('window guesses: a day without a wait takes one doubling back, and then the device is forgotten', async () => {
  const { clock, guesses, waits } = guessing();
  const fail = async () => {
    for (let n = 0; n < 20; n += 1) await guesses.crowd.add('d');
    clock.at += waits.at(-1)?.waitMs ?? 0;
  };
  for (let n = 0; n < 3; n += 1) await fail();
  clock.at += DAY_MS - 1;
  await fail();
  clock.at += 2 * DAY_MS;
  await fail();
  const minutes = () => waits.map(({ waitMs }) => waitMs / MINUTE_MS);
  assert.equal(minutes(), [1, 2, 4, 8, 4]);
  clock.at += 3 * DAY_MS;
  await fail();
  assert.equal(minutes(), [1, 2, 4, 8, 4, 1]);
});

test('window guesses: whoever mistypes has three tries apart from the others, and three days later three more', async () => {
  const { clock, guesses } = guessing();
  for (let n = 0; n < 20; n += 1) await guesses.crowd.add('d');
  const isNew = () => !guesses.isOfCrowd('d', customer(1));
  for (const round of [1, 2, 3]) {
    for (let n = 0; n < 3; n += 1) {
      assert.ok(isNew(), `round ${round}, try ${n}`);
      assert.is(guesses.hasFailed('d', customer(1)), n > 0);
      guesses.noteFailure('d', customer(1));
    }
    clock.at += 3 * DAY_MS - 1;
    assert.not(isNew());
    // The others keep the device waiting all the time.
    for (let n = 0; n < 20; n += 1) await guesses.crowd.add('d');
    clock.at += 1;
  }
  assert.ok(isNew());
});

test('window guesses: a device is not forgotten while a customer is remembered who guessed at it', async () => {
  const { clock, guesses } = guessing();
  guesses.noteFailure('d', customer(2));
  clock.at += DAY_MS - 1;
  for (let n = 0; n < 3; n += 1) guesses.noteFailure('d', customer(1));
  clock.at += 1;
  assert.ok(guesses.isOfCrowd('d', customer(1)));
});

test('window guesses: what one process counts, all know, and one of them tells', async () => {
  const nodes = createParties(3).map(({ bus }) => createWindowGuesses(SETTINGS, bus));
  const waits = nodes.map((node) => {
    const heard: Waits[] = [];
    node.onWait((one) => heard.push(one));
    return heard;
  });
  for (let n = 0; n < 20; n += 1) {
    const node = nodes[n % 3];
    node?.noteFailure('d', customer(n % 3));
    await node?.crowd.add('d');
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  }
  for (const [at, node] of nodes.entries()) {
    assert.is((await node.crowd.get('d')).count, 20);
    assert.ok(node.isOfCrowd('d', customer(0)));
    assert.equal(
      waits[at]?.map(({ isOurs, waitMs }) => [isOurs, waitMs]),
      [[at === 19 % 3, MINUTE_MS]],
    );
  }
});

test('window guesses: memory is bounded; the device that failed longest ago is forgotten', () => {
  const { guesses } = guessing(6);
  for (const key of ['a', 'b', 'c', 'a', 'd']) {
    for (let n = 0; n < 3; n += 1) guesses.noteFailure(key, customer(1));
  }
  assert.equal(
    ['a', 'b', 'c', 'd'].filter((key) => guesses.isOfCrowd(key, customer(1))),
    ['c', 'a', 'd'].sort(),
  );
});

test('window guesses: many customers gain nothing by taking turns: where a thousand have failed, nobody is new', () => {
  const { guesses } = guessing();
  for (let n = 1; n <= 1_000; n += 1) {
    for (let own = 0; own < 3; own += 1) {
      assert.not(guesses.isOfCrowd('d', customer(n)));
      guesses.noteFailure('d', customer(n));
    }
  }
  assert.ok(guesses.isOfCrowd('d', customer(1)), 'the first is not forgotten');
  assert.ok(guesses.isOfCrowd('d', customer(1_001)));
});

test('window guesses: no more can be tried than is computed', async () => {
  const customers = 50;
  const { clock, guesses } = guessing();
  let tried = 0;
  const end = clock.at + DAY_MS;
  tried += customers; // the first of each counts for itself
  for (let n = 0; n < 2 * customers; n += 1) {
    for (
      let left = await guesses.newcomers.get('d');
      left.count >= 20;
      left = await guesses.newcomers.get('d')
    ) {
      clock.at += left.resetsInMs;
    }
    tried += 1;
    await guesses.newcomers.add('d');
  }
  for (;;) {
    const { count, resetsInMs } = await guesses.crowd.get('d');
    if (count >= 20) clock.at += resetsInMs;
    if (clock.at >= end) break;
    if (count >= 20) continue;
    tried += 1;
    await guesses.crowd.add('d');
  }
  assert.ok(tried <= guessesWithin(DAY_MS, customers, SETTINGS), String(tried));
  assert.ok(tried > 200, String(tried));
  assert.is(waitOf(3, 1_000), 4_000);
});

// -------------------------------------------------------------------------------------------------- the table in RULES

const SECRETS = [
  ['4 digits', 10 ** 4],
  ['6 digits', 10 ** 6],
  ['8 digits', 10 ** 8],
  ['6 letters and digits (36)', 36 ** 6],
  ['8 letters and digits (36)', 36 ** 8],
  ['16 of claimd (32)', 32 ** 16],
] as const;
const SPANS = [
  ['1 hour', HOUR_MS],
  ['24 hours', DAY_MS],
  ['30 days', 30 * DAY_MS],
] as const;
const CUSTOMERS = [1, 100] as const;

/** What a chance is called: in per cent where that is short. */
function chance(guesses: number, secrets: number): string {
  const exact = Math.min(1, guesses / secrets);
  return exact >= 0.0001
    ? `${Number((exact * 100).toPrecision(2))} %`
    : exact.toExponential(0).replace('e-', 'e−');
}

function table(): string {
  const columns = SPANS.flatMap(([span, ms]) =>
    CUSTOMERS.map((count) => ({ head: `${span}, ${count}`, guesses: guessesWithin(ms, count, SETTINGS) })),
  );
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(['secret', ...columns.map(({ head }) => head)]),
    line(['---', ...columns.map(() => '---')]),
    line(['guesses', ...columns.map(({ guesses }) => String(guesses))]),
    ...SECRETS.map(([name, secrets]) =>
      line([name, ...columns.map(({ guesses }) => chance(guesses, secrets))]),
    ),
  ].join('\n');
}

test('window guesses: RULES.md says what a window is worth to a guesser, as computed from the settings', () => {
  const found = readFileSync(RULES, 'utf8').includes(table());
  assert.ok(found, `RULES.md should have this table:\n${table()}`);
});

test.run();
