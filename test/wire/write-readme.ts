/** Writes the table in transports/README.md of deviations. Run after a change of `deviations.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { betweenMarkers } from '../../config/options/between-markers.ts';
import { deviationTable } from './deviations.ts';

const BEGIN = '<!-- deviations: made by test/wire/write-readme.ts -->';
const END = '<!-- end of deviations -->';

const readme = join(fileURLToPath(new URL('../../../', import.meta.url)), 'transports/README.md');
writeFileSync(readme, betweenMarkers(readFileSync(readme, 'utf8'), BEGIN, END, deviationTable()));
