/** The tables of facts are whole, and the table of deviations in transports/README.md is the one that the data makes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deviationTable, SECTIONS } from '../wire/deviations.ts';
import { FACTS, ROWS_IN_SECTION } from '../wire/facts.ts';
import { type Answer, claimdSays, deviationOf, type Row, thingsBoardSays } from '../wire/model.ts';
import { deviceReasonsTable, peopleReasonsTable } from '../wire/reasons.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const README = readFileSync(join(PROJECT, 'transports/README.md'), 'utf8');

test('deviations: transports/README.md has the table that the data makes (node dist/test/wire/write-readme.js)', () => {
  assert.ok(README.includes(deviationTable()));
});

test('reasons: the documents have the tables that the catalogue makes (node dist/test/wire/write-readme.js)', () => {
  assert.ok(README.includes(deviceReasonsTable()));
  assert.ok(readFileSync(join(PROJECT, 'http/README.md'), 'utf8').includes(peopleReasonsTable()));
});

test('deviations: each has a name of its own', () => {
  const ids = Object.values(SECTIONS).flatMap((section) => Object.keys(section));
  assert.is(new Set(ids).size, ids.length);
});

test('facts: every row of every section is there', () => {
  for (const [section, count] of Object.entries(ROWS_IN_SECTION)) {
    for (let place = 1; place <= count; place += 1) {
      const fact = `${section} #${place}`;
      assert.ok(
        FACTS.some((row) => row.fact === fact),
        fact,
      );
    }
  }
});

function answersOf(row: Row): readonly Answer[] {
  switch (row.type) {
    case 'rest':
      return [row.answer];
    case 'absent':
      return [];
    default:
      return Object.values(row.answers);
  }
}

test('facts: an answer that is not ThingsBoard’s is one, and names the deviation that says why', () => {
  for (const row of FACTS) {
    for (const answer of answersOf(row)) {
      const differs = typeof answer === 'object' && 'thingsBoard' in answer;
      assert.is(claimdSays(answer) !== thingsBoardSays(answer), differs, `${row.fact}: ${row.what}`);
      assert.is(deviationOf(answer) === undefined, typeof answer === 'string');
    }
  }
});

test('facts: no two rows say the same of one fact', () => {
  const titles = FACTS.map(({ fact, what }) => `${fact} ${what}`);
  assert.equal(
    titles.filter((title, at) => titles.indexOf(title) !== at),
    [],
  );
});

test.run();
