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
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';
import { type ImportJob, stateWords } from './import-job.tsx';
import { columnNamed, named, packed, previewReply, sentenceOf, unpacked } from './import-preview.tsx';

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
  const { say } = visit.locale;
  const jobs = await visit.api.get('/api/deviceImports', z.array(importView));
  return {
    type: 'page',
    title: say('import.title'),
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/devices" label={say('frame.fleet')} />
        <Head title={say('import.title')} lead={say('import.lead')} />
        <div class="grid side">
          <FileForm refusal={refusal} say={say} />
          <LatestImports jobs={jobs} locale={visit.locale} />
        </div>
      </>
    ),
  };
}

function FileForm({ refusal, say }: { refusal: string | undefined; say: Say }) {
  return (
    <div class="card">
      <Refusal text={refusal} />
      <form method="post" action="/devices/import" enctype="multipart/form-data">
        <div class="field">
          <label for="file">{say('import.file')}</label>
          <input
            id="file"
            name="file"
            type="file"
            accept=".csv,text/csv,text/plain"
            required
            aria-describedby="file-hint"
          />
          <small id="file-hint">
            {say('import.fileHint')} <a href="/devices/import/template.csv">{say('import.template')}</a>
          </small>
        </div>
        <button type="submit" class="primary">
          {say('import.read')}
        </button>
      </form>
    </div>
  );
}

function LatestImports({ jobs, locale }: { jobs: readonly ImportJob[]; locale: Locale }) {
  const { say } = locale;
  return (
    <section class="card" aria-labelledby="latest">
      <h2 id="latest">{say('import.latest')}</h2>
      {jobs.length === 0 ? (
        <p class="muted">{say('import.latestNone')}</p>
      ) : (
        <ul class="feed">
          {jobs.map((job) => (
            <li>
              <a href={`/devices/import/${job.id}`}>
                <Time at={job.createdTime} locale={locale} />
              </a>
              <span>{say('import.latestOne', { count: job.rows, state: stateWords(job.state, say) })}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** The table of the file, or why it was not taken. */
async function read(text: string | undefined, say: Say): Promise<Table | string> {
  if (text === undefined) return say('import.empty');
  const limits = { records: IMPORT_ROWS_MAX + 2, columns: COLUMNS_MAX, cells: CELLS_MAX };
  const table = await tableIn(text, limits);
  if (table === 'not-utf8') return say('import.notUtf8');
  if ('openQuoteInLine' in table) return say('import.openQuote', { line: table.openQuoteInLine });
  if ('wideLine' in table) return say('import.wideLine', { line: table.wideLine, max: COLUMNS_MAX });
  if ('cellsMax' in table) return say('import.manyCells', { max: table.cellsMax });
  if ('longRow' in table) return say('import.longRow', { row: table.longRow });
  if (table.records.length === 0) return say('import.noDevices');
  if (table.records.length > IMPORT_ROWS_MAX) return say('import.manyDevices', { max: IMPORT_ROWS_MAX });
  const long = table.records.findIndex((cells) => cells.some((cell) => cell.length > CELL_MAX));
  return long === -1 ? table : say('import.longCell', { row: long + 1, max: CELL_MAX });
}

/** Reads the file, and shows it. */
async function fileReply(visit: SignedIn): Promise<PageReply> {
  const text = await visit.form.file('file');
  const table = await read(text, visit.locale.say);
  if (text === undefined || typeof table === 'string') return startReply(visit, `${table}`);
  return previewReply(visit, { table, columns: guessed(table.head), content: await packed(text) });
}

/** Tries the rows out, by what each column was said to be. */
async function checkReply(visit: SignedIn): Promise<PageReply> {
  const { locale } = visit;
  const { say } = locale;
  const content = visit.form.text('content');
  const text = await unpacked(content);
  const table = await read(text, visit.locale.say);
  if (typeof table === 'string') return startReply(visit, table);
  const columns = table.head.map((_, at) => columnNamed(visit.form.text(`column${at}`)));
  const devices = devicesIn(table, columns);
  if (!Array.isArray(devices)) {
    const refusal =
      devices === 'no-name'
        ? say('import.noNames')
        : sentenceOf(say.pieces('import.twice', { names: named(devices.twice, table, locale) }));
    return previewReply(visit, { table, columns, content, refusal });
  }
  const started = await start(visit, devices);
  return started.type === 'ok'
    ? seeOther(`/devices/import/${started.value.id}`)
    : startReply(visit, refusalWords(started, say, say('import.refused')));
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
