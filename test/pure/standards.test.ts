/** The table of standards in SECURITY.md names tests; each of them is there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const ROW = /^\| (?<requirement>[^|]+) \| (?<does>[^|]+) \| `(?<file>[\w/-]+)`:(?<title>[^|]*) \|$/;

const table = readFileSync(join(PROJECT, '.github/SECURITY.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| **') && line.includes('`'));

test('standards: every row of the table names what is done, and a test that there is', () => {
  const rows = table.map((line) => ROW.exec(line)?.groups);
  assert.ok(rows.length > 40, `${rows.length} rows`);
  for (const [at, row] of rows.entries()) {
    assert.ok(row !== undefined, table[at]);
    const { file = '', title = '' } = row;
    const path = join(PROJECT, 'test', `${file}.test.ts`);
    assert.ok(existsSync(path), path);
    const text = readFileSync(path, 'utf8').replaceAll("\\'", "'");
    assert.ok(text.includes(title.trim()), `${file} has a test "${title.trim()}"`);
  }
});

test('standards: each of the ten risks of OWASP, and each group, is there', () => {
  const text = table.join('\n');
  for (let n = 1; n <= 10; n += 1) assert.match(text, `API${n}`);
  for (const group of ['V6.2', 'V6.3', 'V7.3', 'V7.4', 'V9.', '5.1', '5.4', '5.5', '5.11'])
    assert.match(text, group);
});

test.run();
