/** Starting an import: a CSV file is read, sent to the API in batches, and tried out. */

import { z } from 'zod';
import { unreachable } from '../../../actors/base/unreachable.ts';
import { IMPORT_ROWS_MAX } from '../../../actors/imports/model.ts';
import { TENANT } from '../../auth/principal.ts';
import { CELL_MAX } from '../../routes/imports.ts';
import { importView } from '../../views/import.ts';
import type { Result } from '../api.ts';
import { devicesIn, type ListedDevice } from '../csv.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, type SignedIn, seeOther } from '../page.ts';
import { Back, Head, Refusal, Time } from '../parts/elements.tsx';
import { type ImportJob, JOB_STATES } from './import-job.tsx';

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
            The first line names the columns: <code>name</code>, and if you like <code>type</code>,{' '}
            <code>label</code>, <code>accessToken</code>, <code>secretKey</code> and <code>kit</code>: rows of
            one kit are claimed together, by one code.
          </small>
        </div>
        <label class="check">
          <input type="checkbox" name="keys" value="yes" checked /> Make keys for the labels of rows that have
          none
        </label>
        <label class="check">
          <input type="checkbox" name="leaveOut" value="yes" /> Leave out columns that have other names
        </label>
        <button type="submit" class="primary">
          Check the file
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

/** The devices of the file, or why it was not taken. */
function read(
  text: string | undefined,
  { number }: Locale,
  leaveOut: boolean,
): readonly ListedDevice[] | string {
  if (text === undefined) return 'Choose a file that is not empty.';
  const devices = devicesIn(text, IMPORT_ROWS_MAX, leaveOut);
  if (!Array.isArray(devices)) return explainUnread(devices);
  if (devices.length === 0) return 'The file lists no devices.';
  if (devices.length > IMPORT_ROWS_MAX) {
    return `One import takes at most ${number(IMPORT_ROWS_MAX)} devices. Divide the file.`;
  }
  const long = devices.findIndex((device) => Object.values(device).some((cell) => cell.length > CELL_MAX));
  return long === -1
    ? devices
    : `Row ${number(long + 1)} has a cell of more than ${number(CELL_MAX)} characters. Maybe a quotation mark is missing.`;
}

function explainUnread(why: Exclude<ReturnType<typeof devicesIn>, ListedDevice[]>): string {
  if (typeof why === 'object') {
    return 'openQuoteInLine' in why
      ? `A quotation mark in line ${why.openQuoteInLine} is never closed.`
      : explainLoss(why);
  }
  switch (why) {
    case 'no-name':
      return 'The first line has to name the columns, and one of them has to be “name”.';
    case 'not-utf8':
      return 'The file is not in UTF-8, so that letters would be lost. Save it as “CSV UTF-8”.';
    default:
      return unreachable(why);
  }
}

type Loss = Extract<ReturnType<typeof devicesIn>, { readonly unknown: readonly string[] }>;

/** What would have been lost, and how not to lose it. */
function explainLoss({ unknown, twice, longRow }: Loss): string {
  const list = (names: readonly string[]) => names.map((name) => `“${name}”`).join(', ');
  if (longRow !== undefined) {
    return `Row ${longRow} has more cells than the first line names columns. A cell with a comma in it needs quotation marks.`;
  }
  if (twice.length > 0)
    return `The columns ${list(twice)} mean the same as one before them. Keep one of them.`;
  return `Nobody reads the columns ${list(unknown)}. Rename them, or say below that they may be left out.`;
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
    async post(visit) {
      const leaveOut = visit.form.text('leaveOut') === 'yes';
      const devices = read(await visit.form.file('file'), visit.locale, leaveOut);
      if (typeof devices === 'string') return startReply(visit, devices);
      const started = await start(visit, devices);
      return started.type === 'ok'
        ? seeOther(`/devices/import/${started.value.id}`)
        : startReply(visit, started.message);
    },
  }),
];
