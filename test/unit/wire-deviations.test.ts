/** The README's table of deviations is the one that the data makes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deviationTable, SECTIONS } from '../wire/deviations.ts';

const README = readFileSync(join(fileURLToPath(new URL('../../../', import.meta.url)), 'README.md'), 'utf8');

test('deviations: the README has the table that the data makes (node dist/test/wire/write-readme.js)', () => {
  assert.ok(README.includes(deviationTable()));
});

test('deviations: each has a name of its own', () => {
  const ids = Object.values(SECTIONS).flatMap((section) => Object.keys(section));
  assert.is(new Set(ids).size, ids.length);
});

test.run();
