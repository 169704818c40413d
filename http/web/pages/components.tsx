/** What all pages are made of, in both themes beside each other: for who changes it. Only where there is the demo. */
import { auditView } from '../../views/audit.ts';
import type { Locale } from '../locale.ts';
import type { Page, Visit } from '../page.ts';
import { Bar } from '../parts/bar.tsx';
import { Chip } from '../parts/chip.tsx';
import { QuestionCard } from '../parts/confirm.tsx';
import { Field, Head, Note, Refusal, Time } from '../parts/elements.tsx';
import { Pager } from '../parts/list.tsx';
import { Plot } from '../parts/plot.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { Story } from '../parts/trail.tsx';
import { ProblemPage } from './problem.tsx';

const HOUR_MS = 3_600_000;
/** Of what is shown: the same whenever one looks. */
const AT = Date.UTC(2026, 0, 1, 12);

interface Sample {
  readonly name: string;
  readonly state: readonly [kind: 'free' | 'open' | 'owned', text: string];
  readonly claims: number;
}

const SAMPLES: readonly Sample[] = [
  { name: 'Thermostat T1', state: ['free', 'Unclaimed'], claims: 0 },
  { name: 'Pump in the cellar 12', state: ['open', 'Window open'], claims: 3 },
  { name: 'مضخة التدفئة رقم 7', state: ['owned', 'Claimed'], claims: 12_345 },
  { name: `Unit-${'with-a-very-long-name-'.repeat(5)}x`, state: ['owned', 'Assigned'], claims: 1 },
];

const ID = '00000000-0000-7000-8000-000000000000';

/** What a device went through, as the API tells it. */
function entries() {
  const common = {
    id: { id: ID },
    tenantId: { entityType: 'TENANT', id: ID },
    entityId: { entityType: 'DEVICE', id: ID },
    entityName: 'Thermostat T1',
    actionFailureDetails: null,
    actionStatus: 'SUCCESS',
  };
  const nobody = { customerId: { entityType: 'CUSTOMER', id: '13814000-1dd2-11b2-8080-808080808080' } };
  const nothing = { ...common, ...nobody, userId: { entityType: 'USER', id: ID }, userName: null };
  return auditView.array().parse([
    { ...nothing, actionType: 'CLAIM_WINDOW_EXPIRED', createdTime: AT, actionData: {} },
    {
      ...nothing,
      actionType: 'CLAIM_REFUSED',
      actionStatus: 'FAILURE',
      actionFailureDetails: 'wrong-secret',
      createdTime: AT - HOUR_MS,
      userName: 'ann@example.org',
      actionData: {},
    },
    {
      ...nothing,
      actionType: 'ADDED',
      createdTime: AT - 2 * HOUR_MS,
      userName: 'admin@example.org',
      actionData: {},
    },
  ]);
}

function Lists({ theme, locale }: { theme: string; locale: Locale }) {
  const columns: readonly Column<Sample>[] = [
    {
      title: 'Choose',
      kind: 'pick',
      cell: ({ name }) => (
        <input type="checkbox" name="id" checked={name.startsWith('T')} aria-label={`Choose ${name}`} />
      ),
    },
    { title: 'Name', kind: 'row', cell: ({ name }) => name },
    { title: 'State', cell: ({ state: [kind, text] }) => <span class={`state ${kind}`}>{text}</span> },
    { title: 'Claims', kind: 'number', cell: ({ claims }) => locale.number(claims) },
    { title: 'Since', cell: () => <Time at={AT} locale={locale} /> },
  ];
  return (
    <>
      <nav class="chips" aria-label={`Filters, ${theme}`}>
        <Chip to="/ui" chosen>
          All
        </Chip>
        <Chip to="/ui" chosen={false}>
          Window open
        </Chip>
      </nav>
      <form class="fleet">
        <Table caption={`A table, ${theme}`} shown columns={columns} rows={SAMPLES} />
        <Bar
          legend={`With what is chosen, ${theme}`}
          actions={[
            { value: 'assign', label: 'Assign…' },
            { value: 'delete', label: 'Delete…', danger: true },
          ]}
        />
      </form>
      <div class="card empty">
        <p>There are no devices yet. Create one, or import a list.</p>
        <a href="/ui">What to do next</a>
      </div>
    </>
  );
}

function Forms({ theme }: { theme: string }) {
  return (
    <>
      <Note kind="good">It is done.</Note>
      <Note kind="warn">It is done, but look at this.</Note>
      <Note kind="plain">There is nothing to do.</Note>
      <form class="card">
        <Refusal text="It is not done, because the name is taken." />
        <Field name={`${theme}-name`} label="Name" value="Thermostat T1" hint="It is printed on the label." />
        <Field name={`${theme}-key`} label="Key" value="ABCD-EFGH" secret />
        <Field name={`${theme}-wrong`} label="Wrong" value="x" invalid />
        <label class="check">
          <input type="checkbox" checked /> Chosen
        </label>
        <div class="row">
          <button type="button" class="primary">
            The main thing
          </button>
          <button type="button">Another</button>
          <button type="button" disabled>
            Not now
          </button>
          <button type="button" class="danger">
            Delete
          </button>
        </div>
      </form>
      <QuestionCard
        question={{
          title: 'Delete it?',
          what: 'Thermostat T1',
          consequence: 'It cannot connect any more, and nobody owns it.',
          yes: 'Delete',
          no: 'Keep it as it is',
          back: '/ui',
        }}
        action="/ui"
      />
    </>
  );
}

function Figures({ theme, locale }: { theme: string; locale: Locale }) {
  const values = Array.from({ length: 24 }, (_, hour) => [AT + hour * HOUR_MS, (hour * 7) % 13] as const);
  return (
    <>
      <div class="card">
        <h2>Claims by the hour</h2>
        <Plot title={`Claims, ${theme}`} values={values} locale={locale} />
      </div>
      <div class="card">
        <h2>What it went through</h2>
        <Story entries={entries()} locale={locale} />
        <progress max={100} value={62} aria-label={`How far it is, ${theme}`} />
      </div>
    </>
  );
}

function componentsReply({ locale, settings }: Visit) {
  if (settings.demoAccounts.length === 0)
    return {
      type: 'page',
      status: 404,
      title: locale.say('problem.404'),
      narrow: true,
      body: <ProblemPage status={404} message={undefined} home="/" again={false} locale={locale} />,
    } as const;
  return {
    type: 'page',
    title: 'Components',
    body: (
      <>
        <Head
          title="Components"
          lead="What all pages are made of, in both themes. Nothing here does anything."
        />
        {['light', 'dark'].map((theme) => (
          <section class={`in-${theme}`} aria-label={theme}>
            <Lists theme={theme} locale={locale} />
            <Forms theme={theme} />
            <Figures theme={theme} locale={locale} />
          </section>
        ))}
        {/* Once: two of the same name cannot be told apart by who hears the page. */}
        <Pager
          path="/ui"
          query={new URLSearchParams({ page: '1' })}
          size={4}
          found={{ data: SAMPLES, hasNext: true, totalElements: 4_321 }}
          locale={locale}
        />
      </>
    ),
  } as const;
}

export const componentPages: readonly Page[] = [{ path: '/ui', roles: ['PUBLIC'], get: componentsReply }];
