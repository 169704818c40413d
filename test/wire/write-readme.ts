/** Writes the tables in transports/README.md and http/README.md that are made from code: deviations, reasons. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { betweenMarkers } from '../../config/options/between-markers.ts';
import { deviationTable } from './deviations.ts';
import { deviceReasonsTable, peopleReasonsTable } from './reasons.ts';

function write(file: string, what: string, end: string, table: string): void {
  const readme = join(fileURLToPath(new URL('../../../', import.meta.url)), file);
  const begin = `<!-- ${what}: made by test/wire/write-readme.ts -->`;
  writeFileSync(readme, betweenMarkers(readFileSync(readme, 'utf8'), begin, `<!-- ${end} -->`, table));
}

write('transports/README.md', 'deviations', 'end of deviations', deviationTable());
write('transports/README.md', 'reasons', 'end of reasons', deviceReasonsTable());
write('http/README.md', 'reasons', 'end of reasons', peopleReasonsTable());
