/**
 * The law and who cites it: every rule (`O3`) and every fact (`facts 1.6`, `1.4 #5`) cited in code, tests and documents
 * exists in actors/device/RULES.md or test/wire/FACTS.md; what stands there is cited and played.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PROJECT, ROOMS } from '../kit/documents.ts';
import { FACTS, ROWS_IN_SECTION } from '../wire/facts.ts';

const RULES_FILE = 'actors/device/RULES.md';
const FACTS_FILE = 'test/wire/FACTS.md';

const read = (path: string) => readFileSync(join(PROJECT, path), 'utf8');

interface Rule {
  readonly number: string;
  readonly isBuilt: boolean;
}

const rules: readonly Rule[] = [...read(RULES_FILE).matchAll(/^\| ([OCRHNK]\d+) \| (.*) \|$/gm)].map(
  ([, number = '', text = '']) => ({ number, isBuilt: !/^(\*\*D\*\* )?\*\*Not built yet\.\*\*/.test(text) }),
);

/** `1.4`, and in it `1.4 #5` and `1.7 a`; `3.6 no. 14` for the entries of a numbered list. */
const facts = new Set<string>();
/** How many rows the numbered table of a section has. */
const rowsIn: Record<string, number> = {};
let section = '';
for (const line of read(FACTS_FILE).split('\n')) {
  const [, heading] = /^##+ (\d+(?:\.\d+)?) /.exec(line) ?? [];
  const [, row] = /^\| (\d+) \|/.exec(line) ?? [];
  const [, letter] = /^- \*\*([a-z])\*\* /.exec(line) ?? [];
  const [, entry] = /^(\d+)\. /.exec(line) ?? [];
  if (heading !== undefined) section = heading;
  facts.add(section);
  if (row !== undefined) rowsIn[section] = Number(row);
  if (row !== undefined) facts.add(`${section} #${row}`);
  if (letter !== undefined) facts.add(`${section} ${letter}`);
  if (entry !== undefined) facts.add(`${section} no. ${entry}`);
}

interface Citation {
  readonly number: string;
  readonly file: string;
}

const SOURCE = /\.(tsx?|md)$/;
const RULE = /\b[OCRHNK]\d+\b/g;
const FACT = /\b[Ff]acts? (\d+(?:\.\d+)?(?: no\. \d+)?(?:(?:,| and|, and) \d+(?:\.\d+)?(?: no\. \d+)?)*)/g;

const sources = ROOMS.filter((room) => !room.startsWith('.')).flatMap((room) =>
  readdirSync(join(PROJECT, room), { recursive: true, encoding: 'utf8' })
    .map((name) => join(room, name))
    .filter((path) => SOURCE.test(path) && path !== RULES_FILE && path !== FACTS_FILE),
);
/** Comments that were wrapped are one line again. */
const texts = sources.map((file) => ({ file, text: read(file).replaceAll(/\s*\n \* /g, ' ') }));

const citedRules: readonly Citation[] = texts.flatMap(({ file, text }) =>
  [...text.matchAll(RULE)].map(([number]) => ({ number, file })),
);
const citedFacts: readonly Citation[] = texts.flatMap(({ file, text }) =>
  [...text.matchAll(FACT)].flatMap(([, list = '']) =>
    list.split(/,? and |, /).map((number) => ({ number, file })),
  ),
);

test('rules: every rule that is cited exists', () => {
  const known = new Set(rules.map(({ number }) => number));
  assert.equal(
    citedRules.filter(({ number }) => !known.has(number)),
    [],
  );
});

test('rules: every rule that is built is cited, and each has a number of its own', () => {
  const numbers = rules.map(({ number }) => number);
  assert.is(new Set(numbers).size, numbers.length);
  const cited = new Set(citedRules.map(({ number }) => number));
  const built = rules.filter(({ isBuilt }) => isBuilt).map(({ number }) => number);
  assert.equal(
    built.filter((number) => !cited.has(number)),
    [],
  );
});

test('rules: all are there, in order', () => {
  const upTo = (letter: string, count: number) =>
    Array.from({ length: count }, (_, at) => `${letter}${at + 1}`);
  assert.equal(
    rules.map(({ number }) => number),
    [...upTo('O', 10), ...upTo('C', 12), ...upTo('R', 6), ...upTo('H', 5), ...upTo('N', 6), ...upTo('K', 6)],
  );
  assert.equal(
    rules.filter(({ isBuilt }) => !isBuilt).map(({ number }) => number),
    [],
  );
});

test('facts: every fact that is cited exists', () => {
  assert.ok(citedFacts.length > 20, 'the citations are found');
  assert.equal(
    citedFacts.filter(({ number }) => !facts.has(number)),
    [],
  );
});

test('facts: every row that is played exists, and every row and paragraph with a letter is played', () => {
  const played = new Set(FACTS.map(({ fact }) => fact));
  assert.equal(
    [...played].filter((fact) => !facts.has(fact)),
    [],
  );
  assert.equal(
    [...facts].filter((fact) => / (#\d+|[a-z])$/.test(fact) && !played.has(fact)),
    [],
  );
  assert.equal(rowsIn, { ...ROWS_IN_SECTION });
});

test.run();
