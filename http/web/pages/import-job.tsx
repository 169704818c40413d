/** One import: how far it is, what became of each row, and creating the devices after it was tried out. */

import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { importView, rowView } from '../../views/import.ts';
import { pageView } from '../../views/page.ts';
import { segment, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { Back, Head } from '../parts/elements.tsx';
import { Pager, pageOf } from '../parts/list.tsx';
import { Table } from '../parts/table.tsx';

const rowsPage = pageView(rowView);
const PAGE_SIZE = 100;
/** Without script the page reloads itself this often. */
const REFRESH_SECONDS = 2;

export type ImportJob = z.output<typeof importView>;
type Rows = z.output<typeof rowsPage>;

export const JOB_STATES: Readonly<Record<ImportJob['state'], string>> = {
  RECEIVING: 'Not complete: some rows are missing',
  TRYING: 'Checking the file…',
  TRIED: 'Checked: nothing was changed yet',
  RUNNING: 'Creating the devices…',
  CANCELLING: 'Being cancelled…',
  DONE: 'Done',
  CANCELLED: 'Cancelled',
  STOPPED: 'Stopped: who started it may not do it any more. Devices that were created stay',
};

const ROW_STATES: Readonly<Record<Rows['data'][number]['outcome'], string>> = {
  CREATED: 'Created',
  GOOD: 'Good',
  REFUSED: 'Refused',
  WAITING: 'Waiting',
};

const hasEnded = ({ state }: ImportJob) => state === 'DONE' || state === 'CANCELLED' || state === 'STOPPED';

const routeOf = ({ params }: SignedIn) => `/api/deviceImport/${segment(params.job ?? '')}`;

async function jobReply(visit: SignedIn): Promise<PageReply> {
  const job = await visit.api.get(routeOf(visit), importView);
  const underWay = job.state === 'TRYING' || job.state === 'RUNNING' || job.state === 'CANCELLING';
  return {
    type: 'page',
    title: 'Import',
    islands: underWay ? ['progress.js'] : [],
    ...(underWay ? { refreshSeconds: REFRESH_SECONDS } : {}),
    body: (
      <>
        <Back to="/devices/import" label="Import devices" />
        <Head title="Import" />
        {underWay ? <Progress job={job} visit={visit} /> : await resultOf(job, visit)}
      </>
    ),
  };
}

function Progress({ job, visit }: { job: ImportJob; visit: SignedIn }) {
  const { number, say } = visit.locale;
  const words = say('progress.rows', { through: '{through}', rows: '{rows}' });
  return (
    <div class="card" data-progress={`/devices/import/${job.id}/progress`} data-words={words}>
      <h2>{JOB_STATES[job.state]}</h2>
      <p>
        <progress max={Math.max(1, job.rows)} value={job.through} aria-label="Rows done" />
      </p>
      <p role="status" data-progress-text>
        {say('progress.rows', { through: number(job.through), rows: number(job.rows) })}
      </p>
      {job.state === 'CANCELLING' ? null : (
        <form method="post" action={`/devices/import/${job.id}/cancel`}>
          <button type="submit">Cancel</button>
          {job.state === 'RUNNING' ? <small> Devices that were created stay.</small> : null}
        </form>
      )}
    </div>
  );
}

/** The figures of a job, and its rows: only the refused ones where there are any. */
async function resultOf(job: ImportJob, visit: SignedIn) {
  const { api, query, locale } = visit;
  const refusedOnly = job.refused > 0;
  const wanted = toQuery({
    page: pageOf(query),
    pageSize: PAGE_SIZE,
    refusedOnly: String(refusedOnly),
  });
  const rows = await api.get(`${routeOf(visit)}/rows?${wanted}`, rowsPage);
  const path = `/devices/import/${job.id}`;
  return (
    <>
      <Summary job={job} visit={visit} />
      {rows.data.length === 0 ? null : (
        <>
          <RowTable rows={rows} refusedOnly={refusedOnly} visit={visit} />
          <Pager path={path} query={query} size={PAGE_SIZE} found={rows} locale={locale} />
        </>
      )}
    </>
  );
}

function Summary({ job, visit }: { job: ImportJob; visit: SignedIn }) {
  const { number } = visit.locale;
  const tried = job.state === 'TRIED';
  return (
    <div class="card">
      <h2>{JOB_STATES[job.state]}</h2>
      <dl>
        <dt>Rows</dt>
        <dd>{number(job.rows)}</dd>
        <dt>{tried ? 'Good' : 'Created'}</dt>
        <dd>{number(job.good)}</dd>
        <dt>Refused</dt>
        <dd>{number(job.refused)}</dd>
      </dl>
      <div class="row">
        {tried && job.good > 0 ? (
          <form method="post" action={`/devices/import/${job.id}/start`}>
            <button type="submit" class="primary">
              Create {number(job.good)} device{job.good === 1 ? '' : 's'}
            </button>
          </form>
        ) : null}
        {hasEnded(job) && job.good > 0 ? (
          <a class="button primary" href={`/devices/labels?import=${job.id}`}>
            Print the labels
          </a>
        ) : null}
        <a class="button" href={`/devices/import/${job.id}/result.csv`} download>
          Download the result
        </a>
        <a class="button" href={`/devices/import/${job.id}/result.csv?for=programs`} download>
          The result for programs
        </a>
        <a class="button" href={tried ? '/devices/import' : '/devices'}>
          {tried ? 'Choose another file' : 'To the devices'}
        </a>
      </div>
    </div>
  );
}

interface RowTableProps {
  readonly rows: Rows;
  readonly refusedOnly: boolean;
  readonly visit: SignedIn;
}

function RowTable({ rows, refusedOnly, visit: { locale } }: RowTableProps) {
  return (
    <Table
      caption={refusedOnly ? 'Refused rows' : 'Rows'}
      shown
      columns={[
        { title: 'Row', kind: 'number', cell: ({ row }) => locale.number(row) },
        { title: 'Name', kind: 'row', cell: ({ name }) => shortened(name) },
        {
          title: refusedOnly ? 'Why' : 'Outcome',
          kind: 'bare',
          cell: ({ message, outcome }) => message ?? ROW_STATES[outcome],
        },
      ]}
      rows={rows.data}
    />
  );
}

const NAME_SHOWN = 100;

/** A name that is refused may be as long as a cell. The result to download has it whole. */
function shortened(name: string): string {
  const letters = Array.from(name);
  return letters.length > NAME_SHOWN ? `${letters.slice(0, NAME_SHOWN).join('')}…` : name;
}

export const importJobPages: readonly Page[] = [
  memberPage('/devices/import/:job', TENANT, { get: jobReply }),

  memberPage('/devices/import/:job/start', TENANT, {
    async post(visit) {
      const started = await visit.api.post(`${routeOf(visit)}/start?dryRun=false`, undefined, importView);
      const to = `/devices/import/${segment(visit.params.job ?? '')}`;
      return started.type === 'ok' ? seeOther(to) : refusedTo(to, started.message);
    },
  }),

  memberPage('/devices/import/:job/cancel', TENANT, {
    async post(visit) {
      const cancelled = await visit.api.post(`${routeOf(visit)}/cancel`, undefined, importView);
      const to = `/devices/import/${segment(visit.params.job ?? '')}`;
      return cancelled.type === 'ok' ? seeOther(to) : refusedTo(to, cancelled.message);
    },
  }),

  memberPage('/devices/import/:job/progress', TENANT, {
    async get(visit) {
      const { state, rows, through } = await visit.api.get(routeOf(visit), importView);
      return { type: 'stream', response: Response.json({ state, rows, through }) };
    },
  }),

  memberPage('/devices/import/:job/result.csv', TENANT, {
    async get(visit) {
      const form = visit.query.get('for') === 'programs' ? 'raw=true' : 'bom=true';
      const response = await visit.api.open(`${routeOf(visit)}/result?${form}`);
      response.headers.set('Content-Disposition', 'attachment; filename="import-result.csv"');
      return { type: 'stream', response };
    },
  }),
];
