/** Writes the example file and the operator's table from the schema. Run it after changing options. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { betweenMarkers } from './between-markers.ts';
import { exampleFile, optionTable } from './docs.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const BEGIN = '<!-- options: made by config/options/write-docs.ts -->';
const END = '<!-- end of options -->';

writeFileSync(join(PROJECT, 'config/claimd.example.yml'), exampleFile());

const readme = join(PROJECT, 'config/README.md');
writeFileSync(readme, betweenMarkers(readFileSync(readme, 'utf8'), BEGIN, END, optionTable()));
