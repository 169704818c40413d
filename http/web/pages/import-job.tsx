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
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';
import { rowWords } from './import-row-words.ts';

const rowsPage = pageView(rowView);
const PAGE_SIZE = 100;
/** Without script the page reloads itself this often. */
const REFRESH_SECONDS = 2;

export type ImportJob = z.output<typeof importView>;
type Rows = z.output<typeof rowsPage>;

const JOB_STATES = {
  RECEIVING: 'import.receiving',
  TRYING: 'import.trying',
  TRIED: 'import.tried',
  RUNNING: 'import.running',
  CANCELLING: 'import.cancelling',
  DONE: 'import.done',
  CANCELLED: 'import.cancelled',
  STOPPED: 'import.stopped',
} as const satisfies Readonly<Record<ImportJob['state'], string>>;

export const stateWords = (state: ImportJob['state'], say: Say): string => say(JOB_STATES[state]);

const ROW_STATES = {
  CREATED: 'import.created',
  GOOD: 'import.good',
  REFUSED: 'import.rowRefused',
  WAITING: 'kit.waiting',
} as const satisfies Readonly<Record<Rows['data'][number]['outcome'], string>>;

const hasEnded = ({ state }: ImportJob) => state === 'DONE' || state === 'CANCELLED' || state === 'STOPPED';

const routeOf = ({ params }: SignedIn) => `/api/deviceImport/${segment(params.job ?? '')}`;

async function jobReply(visit: SignedIn): Promise<PageReply> {
  const { say } = visit.locale;
  const job = await visit.api.get(routeOf(visit), importView);
  const underWay = job.state === 'TRYING' || job.state === 'RUNNING' || job.state === 'CANCELLING';
  return {
    type: 'page',
    title: say('settings.import'),
    islands: underWay ? ['progress.js'] : [],
    ...(underWay ? { refreshSeconds: REFRESH_SECONDS } : {}),
    body: (
      <>
        <Back to="/devices/import" label={say('import.title')} />
        <Head title={say('settings.import')} />
        {underWay ? <Progress job={job} visit={visit} /> : await resultOf(job, visit)}
      </>
    ),
  };
}

function Progress({ job, visit }: { job: ImportJob; visit: SignedIn }) {
  const { say, number } = visit.locale;
  const progress = (through: string, rows: string) => say('progress.rows', { through, rows });
  return (
    <div
      class="card"
      data-progress={`/devices/import/${job.id}/progress`}
      data-words={progress('{through}', '{rows}')}
    >
      <h2>{stateWords(job.state, say)}</h2>
      <p>
        <progress max={Math.max(1, job.rows)} value={job.through} aria-label={say('import.rowsDone')} />
      </p>
      <p role="status" data-progress-text>
        {progress(number(job.through), number(job.rows))}
      </p>
      {job.state === 'CANCELLING' ? null : (
        <form method="post" action={`/devices/import/${job.id}/cancel`}>
          <button type="submit">{say('import.cancel')}</button>
          {job.state === 'RUNNING' ? <small> {say('import.cancelHint')}</small> : null}
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
    reasons: 'true',
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
  const { say, number } = visit.locale;
  const tried = job.state === 'TRIED';
  return (
    <div class="card">
      <h2>{stateWords(job.state, say)}</h2>
      <dl>
        <dt>{say('import.rows')}</dt>
        <dd>{number(job.rows)}</dd>
        <dt>{say(tried ? 'import.good' : 'import.created')}</dt>
        <dd>{number(job.good)}</dd>
        <dt>{say('import.rowRefused')}</dt>
        <dd>{number(job.refused)}</dd>
      </dl>
      <div class="row">
        {tried && job.good > 0 ? (
          <form method="post" action={`/devices/import/${job.id}/start`}>
            <button type="submit" class="primary">
              {say('import.create', { count: job.good })}
            </button>
          </form>
        ) : null}
        {hasEnded(job) && job.good > 0 ? (
          <a class="button primary" href={`/devices/labels?import=${job.id}`}>
            {say('import.print')}
          </a>
        ) : null}
        <a class="button" href={`/devices/import/${job.id}/result.csv`} download>
          {say('import.download')}
        </a>
        <a class="button" href={`/devices/import/${job.id}/result.csv?for=programs`} download>
          {say('import.forPrograms')}
        </a>
        <a class="button" href={tried ? '/devices/import' : '/devices'}>
          {say(tried ? 'import.another' : 'import.toDevices')}
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
  const { say } = locale;
  return (
    <Table
      caption={say(refusedOnly ? 'import.refusedRows' : 'import.rows')}
      shown
      columns={[
        { title: say('import.row'), kind: 'number', cell: ({ row }) => locale.number(row) },
        { title: say('titled.name'), kind: 'row', cell: ({ name }) => shortened(name) },
        {
          title: say(refusedOnly ? 'import.why' : 'kits.outcome'),
          kind: 'bare',
          cell: ({ reason, outcome }) => (reason ? rowWords(reason, say) : say(ROW_STATES[outcome])),
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
      const { say } = visit.locale;
      return started.type === 'ok'
        ? seeOther(to)
        : refusedTo(to, refusalWords(started, say, say('import.refused')));
    },
  }),

  memberPage('/devices/import/:job/cancel', TENANT, {
    async post(visit) {
      const cancelled = await visit.api.post(`${routeOf(visit)}/cancel`, undefined, importView);
      const to = `/devices/import/${segment(visit.params.job ?? '')}`;
      const { say } = visit.locale;
      return cancelled.type === 'ok'
        ? seeOther(to)
        : refusedTo(to, refusalWords(cancelled, say, say('import.refused')));
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
