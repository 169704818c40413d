/** Importing devices from a CSV file: tried out first, then carried out; how far it is; what became of each row. */
import { z } from 'zod';
import { IMPORT_ROWS_MAX } from '../../../actors/imports/model.ts';
import { CELL_MAX, importView, rowView } from '../../routes/imports.ts';
import { pageView } from '../../views/page.ts';
import { part, query } from '../api.ts';
import { type DeviceRow, devicesIn } from '../csv.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { Note, Pager, pageOf, rangeOf, Time } from '../parts/layout.tsx';

const TENANT = ['TENANT_ADMIN'] as const;
const rowsPage = pageView(rowView);
/** Rows and characters that are sent at once: bodies of the API are bounded. */
const PART = { rows: 1000, characters: 200_000 };
const PAGE_SIZE = 100;
/** Without script the page looks again after so long. */
const REFRESH_SECONDS = 2;

function* partsOf(rows: readonly DeviceRow[]): Generator<readonly DeviceRow[]> {
  let part: DeviceRow[] = [];
  let characters = 0;
  for (const row of rows) {
    const size = Object.values(row).reduce((sum: number, text: string) => sum + text.length, 0);
    if (part.length === PART.rows || (part.length > 0 && characters + size > PART.characters)) {
      yield part;
      part = [];
      characters = 0;
    }
    part.push(row);
    characters += size;
  }
  yield part;
}

function whyUnread(why: Exclude<ReturnType<typeof devicesIn>, DeviceRow[]>): string {
  switch (why) {
    case 'no-name':
      return 'The first line has to name the columns, and one of them has to be “name”.';
    case 'not-utf8':
      return 'The file is not in UTF-8, so that letters would be lost. Save it as “CSV UTF-8”.';
    default:
      return `A quotation mark in line ${why.openQuoteInLine} is never closed.`;
  }
}

function tooLong({ locale: { number } }: SignedIn, at: number): string {
  return `Row ${number(at + 1)} has a cell of more than ${number(CELL_MAX)} characters. Maybe a quotation mark is missing.`;
}

type Job = z.output<typeof importView>;

const STATES: Readonly<Record<Job['state'], string>> = {
  RECEIVING: 'Not complete: some rows are missing',
  TRYING: 'Trying it out…',
  TRIED: 'Tried out: nothing was changed yet',
  RUNNING: 'Creating the devices…',
  DONE: 'Done',
};

async function startReply(visit: SignedIn, failed?: string): Promise<PageReply> {
  const { api, locale } = visit;
  const jobs = await api.get('/api/deviceImports', z.array(importView));
  return {
    type: 'page',
    title: 'Import devices',
    status: failed === undefined ? 200 : 400,
    body: (
      <>
        <p>
          <a href="/devices">Devices</a>
        </p>
        <div class="head">
          <div>
            <h1>Import devices</h1>
            <p class="lead">
              From a CSV file. First it is tried out, and you see what would become of each row; nothing is
              changed by that.
            </p>
          </div>
        </div>
        <div class="grid side">
          <div class="card">
            {failed === undefined ? null : <Note kind="bad">{failed}</Note>}
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
                  <code>label</code>, <code>accessToken</code> and <code>secretKey</code>.
                </small>
              </div>
              <label class="check">
                <input type="checkbox" name="keys" value="yes" checked /> Make keys for the labels of rows
                that have none
              </label>
              <button type="submit" class="primary">
                Try it out
              </button>
            </form>
          </div>
          <section class="card" aria-labelledby="latest">
            <h2 id="latest">Latest imports</h2>
            {jobs.length === 0 ? (
              <p class="muted">None yet.</p>
            ) : (
              <ul class="feed">
                {jobs.map((job) => (
                  <li>
                    <a href={`/devices/import/${job.id}`}>
                      <Time at={job.createdTime} locale={locale} />
                    </a>
                    <span>
                      {locale.number(job.rows)} rows. {STATES[job.state]}
                    </span>
                  </li>
                ))}
              </ul>
            )}
          </section>
        </div>
      </>
    ),
  };
}

function Progress({ job, visit }: { job: Job; visit: SignedIn }) {
  const { number } = visit.locale;
  return (
    <div class="card" data-progress={`/devices/import/${job.id}/progress`}>
      <h2>{STATES[job.state]}</h2>
      <p>
        <progress max={Math.max(1, job.rows)} value={job.through} aria-label="Rows done" />
      </p>
      <p role="status" data-progress-text>
        {number(job.through)} of {number(job.rows)} rows
      </p>
    </div>
  );
}

function Outcome({ job, visit }: { job: Job; visit: SignedIn }) {
  const { number } = visit.locale;
  const tried = job.state === 'TRIED';
  return (
    <div class="card">
      <h2>{STATES[job.state]}</h2>
      <dl>
        <dt>Rows</dt>
        <dd>{number(job.rows)}</dd>
        <dt>{tried ? 'Good' : 'Created'}</dt>
        <dd>{number(job.good)}</dd>
        <dt>Refused</dt>
        <dd>{number(job.refused)}</dd>
      </dl>
      <p />
      <div class="row">
        {tried && job.good > 0 ? (
          <form method="post" action={`/devices/import/${job.id}/start`}>
            <button type="submit" class="primary">
              Create {number(job.good)} device{job.good === 1 ? '' : 's'}
            </button>
          </form>
        ) : null}
        <a class="button" href={`/devices/import/${job.id}/result.csv`} download>
          Download the result
        </a>
        <a class="button" href={tried ? '/devices/import' : '/devices'}>
          {tried ? 'Choose another file' : 'To the devices'}
        </a>
      </div>
    </div>
  );
}

async function jobReply(visit: SignedIn): Promise<PageReply> {
  const { api, params, query: given, locale } = visit;
  const path = `/api/deviceImport/${part(params.job ?? '')}`;
  const job = await api.get(path, importView);
  const underWay = job.state === 'TRYING' || job.state === 'RUNNING';
  const page = pageOf(given);
  const refusedOnly = job.refused > 0;
  const rows = underWay
    ? undefined
    : await api.get(
        `${path}/rows?${query({ page, pageSize: PAGE_SIZE, refusedOnly: String(refusedOnly) })}`,
        rowsPage,
      );
  return {
    type: 'page',
    title: 'Import',
    islands: underWay ? ['progress.js'] : [],
    ...(underWay ? { refreshSeconds: REFRESH_SECONDS } : {}),
    body: (
      <>
        <p>
          <a href="/devices/import">Import devices</a>
        </p>
        <div class="head">
          <h1>Import</h1>
        </div>
        {underWay ? <Progress job={job} visit={visit} /> : <Outcome job={job} visit={visit} />}
        {rows === undefined || rows.data.length === 0 ? null : (
          <>
            <div class="card tablecard">
              <table class="cards">
                <caption>{refusedOnly ? 'Refused rows' : 'Rows'}</caption>
                <thead>
                  <tr>
                    <th scope="col" class="num">
                      Row
                    </th>
                    <th scope="col">Name</th>
                    <th scope="col">{refusedOnly ? 'Why' : 'Outcome'}</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.data.map((row) => (
                    <tr>
                      <td class="num" data-label="Row">
                        {locale.number(row.row)}
                      </td>
                      <th scope="row">{row.name}</th>
                      <td>
                        {row.message ??
                          (row.outcome === 'CREATED'
                            ? 'Created'
                            : row.outcome === 'GOOD'
                              ? 'Good'
                              : 'Waiting')}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            <Pager
              path={`/devices/import/${job.id}`}
              query={given}
              page={page}
              hasNext={rows.hasNext}
              summary={rangeOf(locale, page, PAGE_SIZE, rows.data.length, rows.totalElements)}
            />
          </>
        )}
      </>
    ),
  };
}

export const importPages: readonly Page[] = [
  memberPage('/devices/import', TENANT, {
    takesFile: true,
    get: (visit) => startReply(visit),
    async post(visit) {
      const { api, form } = visit;
      const text = await form.file('file');
      if (text === undefined) return startReply(visit, 'Choose a file that is not empty.');
      const rows = devicesIn(text, IMPORT_ROWS_MAX);
      if (!Array.isArray(rows)) return startReply(visit, whyUnread(rows));
      if (rows.length > IMPORT_ROWS_MAX)
        return startReply(
          visit,
          `One import takes at most ${visit.locale.number(IMPORT_ROWS_MAX)} devices. Divide the file.`,
        );
      if (rows.length === 0) return startReply(visit, 'The file lists no devices.');
      const huge = rows.findIndex((row) => Object.values(row).some((text) => text.length > CELL_MAX));
      if (huge >= 0) return startReply(visit, tooLong(visit, huge));
      const created = await api.post(
        '/api/deviceImport',
        { generateKeys: form.text('keys') === 'yes' },
        importView,
      );
      if (created.type === 'failed') return startReply(visit, created.message);
      const path = `/api/deviceImport/${created.value.id}`;
      let from = 0;
      for (const some of partsOf(rows)) {
        const sent = await api.post(`${path}/rows`, { from, rows: some }, importView);
        if (sent.type === 'failed') return startReply(visit, sent.message);
        from += some.length;
      }
      const started = await api.post(`${path}/start?dryRun=true`, undefined, importView);
      return started.type === 'ok'
        ? seeOther(`/devices/import/${created.value.id}`)
        : startReply(visit, started.message);
    },
  }),

  memberPage('/devices/import/:job', TENANT, { get: jobReply }),

  memberPage('/devices/import/:job/start', TENANT, {
    async post({ api, params }) {
      const job = part(params.job ?? '');
      const started = await api.post(`/api/deviceImport/${job}/start?dryRun=false`, undefined, importView);
      const to = `/devices/import/${job}`;
      return started.type === 'ok' ? seeOther(to) : refusedTo(to, started.message);
    },
  }),

  memberPage('/devices/import/:job/progress', TENANT, {
    async get({ api, params }) {
      const { state, rows, through } = await api.get(
        `/api/deviceImport/${part(params.job ?? '')}`,
        importView,
      );
      return { type: 'stream', response: Response.json({ state, rows, through }) };
    },
  }),

  memberPage('/devices/import/:job/result.csv', TENANT, {
    async get({ api, params }) {
      const response = await api.open(`/api/deviceImport/${part(params.job ?? '')}/result`);
      response.headers.set('Content-Disposition', 'attachment; filename="import-result.csv"');
      return { type: 'stream', response };
    },
  }),
];
