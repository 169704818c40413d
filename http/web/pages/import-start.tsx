/** Starting an import: a CSV file is read, sent to the API in batches, and tried out. */

import { z } from 'zod';
import { IMPORT_ROWS_MAX } from '../../../actors/imports/model.ts';
import { TENANT } from '../../auth/principal.ts';
import { CELL_MAX } from '../../routes/imports.ts';
import { importView } from '../../views/import.ts';
import type { Result } from '../api.ts';
import { devicesIn, guessed, type ListedDevice, type Table, tableIn } from '../csv.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, type SignedIn, seeOther } from '../page.ts';
import { Back, Head, Refusal, Time } from '../parts/elements.tsx';
import { type ImportJob, JOB_STATES } from './import-job.tsx';
import { columnNamed, packed, previewReply, quoted, unpacked } from './import-preview.tsx';

/** Each is a line on the page that asks what it is. */
const COLUMNS_MAX = 200;
/** Of one file; so many take some 100 MB while they are read. */
const CELLS_MAX = 2_500_000;
/** With a byte order mark: without it spreadsheets take UTF-8 for something else. */
const TEMPLATE =
  '\ufeffname,type,label,accessToken,mqttClientId,mqttUserName,mqttPassword,certificate,secretKey,kit\r\n';

/** The most that one request carries, well below the API's bound on bodies. */
const BATCH = { devices: 1000, characters: 200_000 };

async function startReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const jobs = await visit.api.get('/api/deviceImports', z.array(importView));
  return {
    type: 'page',
    title: 'Import devices',
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/devices" label="Devices" />
        <Head
          title="Import devices"
          lead="From a CSV file. The file is checked first: you see what would become of each row, and nothing is changed."
        />
        <div class="grid side">
          <FileForm refusal={refusal} />
          <LatestImports jobs={jobs} locale={visit.locale} />
        </div>
      </>
    ),
  };
}

function FileForm({ refusal }: { refusal: string | undefined }) {
  return (
    <div class="card">
      <Refusal text={refusal} />
      <form method="post" action="/devices/import" enctype="multipart/form-data">
        <div class="field">
          <label for="file">CSV file</label>
          <input
            id="file"
            name="file"
            type="file"
            accept=".csv,text/csv,text/plain"
            required
            aria-describedby="file-hint"
          />
          <small id="file-hint">
            The first line names the columns; you say next what each of them is. Files of ThingsBoard and The
            Things Stack are understood.{' '}
            <a href="/devices/import/template.csv">An empty file to begin with</a>
          </small>
        </div>
        <button type="submit" class="primary">
          Read the file
        </button>
      </form>
    </div>
  );
}

function LatestImports({ jobs, locale }: { jobs: readonly ImportJob[]; locale: Locale }) {
  return (
    <section class="card" aria-labelledby="latest">
      <h2 id="latest">Latest imports</h2>
      {jobs.length === 0 ? (
        <p class="muted">None yet. Choose a file to begin.</p>
      ) : (
        <ul class="feed">
          {jobs.map((job) => (
            <li>
              <a href={`/devices/import/${job.id}`}>
                <Time at={job.createdTime} locale={locale} />
              </a>
              <span>
                {locale.number(job.rows)} rows. {JOB_STATES[job.state]}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** The table of the file, or why it was not taken. */
async function read(text: string | undefined, { number }: Locale): Promise<Table | string> {
  if (text === undefined) return 'Choose a file that is not empty.';
  const limits = { records: IMPORT_ROWS_MAX + 2, columns: COLUMNS_MAX, cells: CELLS_MAX };
  const table = await tableIn(text, limits);
  if (table === 'not-utf8')
    return 'The file is not in UTF-8, so that letters would be lost. Save it as “CSV UTF-8”.';
  if ('openQuoteInLine' in table)
    return `A quotation mark in line ${number(table.openQuoteInLine)} is never closed.`;
  if ('wideLine' in table)
    return `Line ${number(table.wideLine)} of the file has more than ${COLUMNS_MAX} columns.`;
  if ('cellsMax' in table)
    return `One import takes at most ${number(table.cellsMax)} cells. Divide the file, or leave out columns and empty lines.`;
  if ('longRow' in table)
    return `Row ${number(table.longRow)} has more cells than the first line names columns. A cell with a comma in it needs quotation marks.`;
  if (table.records.length === 0) return 'The file lists no devices.';
  if (table.records.length > IMPORT_ROWS_MAX)
    return `One import takes at most ${number(IMPORT_ROWS_MAX)} devices. Divide the file.`;
  const long = table.records.findIndex((cells) => cells.some((cell) => cell.length > CELL_MAX));
  return long === -1
    ? table
    : `Row ${number(long + 1)} has a cell of more than ${number(CELL_MAX)} characters. Maybe a quotation mark is missing.`;
}

/** Reads the file, and shows it. */
async function fileReply(visit: SignedIn): Promise<PageReply> {
  const text = await visit.form.file('file');
  const table = await read(text, visit.locale);
  if (text === undefined || typeof table === 'string') return startReply(visit, `${table}`);
  return previewReply(visit, { table, columns: guessed(table.head), content: await packed(text) });
}

/** Tries the rows out, by what each column was said to be. */
async function checkReply(visit: SignedIn): Promise<PageReply> {
  const content = visit.form.text('content');
  const text = await unpacked(content);
  const table = await read(text, visit.locale);
  if (typeof table === 'string') return startReply(visit, table);
  const columns = table.head.map((_, at) => columnNamed(visit.form.text(`column${at}`)));
  const devices = devicesIn(table, columns);
  if (!Array.isArray(devices)) {
    const refusal =
      devices === 'no-name'
        ? 'Say which column has the names of the devices.'
        : `Two columns are said to be the same: look at ${quoted(devices.twice)}.`;
    return previewReply(visit, { table, columns, content, refusal });
  }
  const started = await start(visit, devices);
  return started.type === 'ok'
    ? seeOther(`/devices/import/${started.value.id}`)
    : startReply(visit, started.message);
}

/** Makes a job of the devices and has it tried out. */
async function start({ api, form }: SignedIn, devices: readonly ListedDevice[]): Promise<Result<ImportJob>> {
  const created = await api.post(
    '/api/deviceImport',
    { generateKeys: form.text('keys') === 'yes' },
    importView,
  );
  if (created.type === 'refused') return created;
  const route = `/api/deviceImport/${created.value.id}`;
  let from = 0;
  for (const rows of batchesOf(devices)) {
    const stored = await api.post(`${route}/rows`, { from, rows }, importView);
    if (stored.type === 'refused') return stored;
    from += rows.length;
  }
  return api.post(`${route}/start?dryRun=true`, undefined, importView);
}

function* batchesOf(devices: readonly ListedDevice[]): Generator<readonly ListedDevice[]> {
  let batch: ListedDevice[] = [];
  let characters = 0;
  for (const device of devices) {
    const size = Object.values(device).reduce((sum: number, cell: string) => sum + cell.length, 0);
    const full = batch.length === BATCH.devices || characters + size > BATCH.characters;
    if (full && batch.length > 0) {
      yield batch;
      batch = [];
      characters = 0;
    }
    batch.push(device);
    characters += size;
  }
  yield batch;
}

export const importStartPages: readonly Page[] = [
  memberPage('/devices/import', TENANT, {
    takesFile: true,
    get: (visit) => startReply(visit),
    post: (visit) => (visit.form.text('do') === 'check' ? checkReply(visit) : fileReply(visit)),
  }),

  memberPage('/devices/import/template.csv', TENANT, {
    get: () => ({
      type: 'stream',
      response: new Response(TEMPLATE, {
        headers: {
          'Content-Type': 'text/csv;charset=UTF-8',
          'Content-Disposition': 'attachment; filename="devices.csv"',
        },
      }),
    }),
  }),
];
