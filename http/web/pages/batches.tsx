/** What is done with many devices at once: the question before, how far it is, what became of each, and undoing it. */
import { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { batchRowView, batchView, type CHANGES } from '../../views/batch.ts';
import { customerView } from '../../views/customer.ts';
import { pageView } from '../../views/page.ts';
import { type Refused, segment, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { DaysField, expiresAfter } from '../parts/claim-key.tsx';
import { questionReply } from '../parts/confirm.tsx';
import { whereIn } from '../parts/device-filters.ts';
import { findCustomer } from '../parts/device-parts.tsx';
import { Back, Field, Head, Refusal, Time } from '../parts/elements.tsx';
import { count, Pager, pageOf } from '../parts/list.tsx';
import { type Column, Table } from '../parts/table.tsx';

type Batch = z.output<typeof batchView>;
type Change = (typeof CHANGES)[keyof typeof CHANGES];

const rowsPage = pageView(batchRowView);
const ROWS_SHOWN = 100;
/** Without script the page reloads itself this often. */
const REFRESH_SECONDS = 2;
/** How many devices one form names; more are described. */
export const SELECTED_MAX = 200;

interface Action {
  readonly change: Change;
  /** Of the button in the bar. */
  readonly label: string;
  readonly ask: string;
  readonly consequence: string;
  readonly yes: string;
}

/** In the order of the bar. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  assign: {
    change: 'ASSIGN',
    label: 'Assign…',
    ask: 'Assign to a customer?',
    consequence:
      'The customer owns them then; whoever owned them does not see them any more. Open claim windows close. It can be undone.',
    yes: 'Assign',
  },
  'take-back': {
    change: 'TAKE_BACK',
    label: 'Take back…',
    ask: 'Take back from their owners?',
    consequence:
      'Nobody owns them then. Labels that they were claimed with do not work again: set new keys and print them. This cannot be undone.',
    yes: 'Take back',
  },
  allow: {
    change: 'ALLOW_CLAIMING',
    label: 'Allow…',
    ask: 'Allow claiming?',
    consequence: 'Whoever has the right key can claim them. It can be undone.',
    yes: 'Allow claiming',
  },
  forbid: {
    change: 'FORBID_CLAIMING',
    label: 'Forbid…',
    ask: 'Forbid claiming?',
    consequence: 'Nobody can claim them, also not with a key that is printed. It can be undone.',
    yes: 'Forbid claiming',
  },
  label: {
    change: 'SET_LABEL',
    label: 'Describe…',
    ask: 'Give all of them this description?',
    consequence:
      'It is what lists show beside the name, and takes the place of the descriptions that they have now; what an owner has called its device stays. It can be undone.',
    yes: 'Describe',
  },
  keys: {
    change: 'SET_KEYS',
    label: 'New keys…',
    ask: 'Set new keys?',
    consequence:
      'Labels that were printed with the keys that they have now do not work any more: print new ones. This cannot be undone.',
    yes: 'Set new keys',
  },
  delete: {
    change: 'DELETE',
    label: 'Delete…',
    ask: 'Delete them?',
    consequence:
      'They cannot connect any more, and nobody owns them. Their names and access tokens are free again. This cannot be undone.',
    yes: 'Delete',
  },
};

const DONE: Readonly<Record<Change, string>> = {
  ASSIGN: 'Assigned',
  TAKE_BACK: 'Taken back',
  ALLOW_CLAIMING: 'Claiming allowed',
  FORBID_CLAIMING: 'Claiming forbidden',
  SET_LABEL: 'Described',
  SET_KEYS: 'New keys set',
  DELETE: 'Deleted',
};

const STATES: Readonly<Record<Batch['state'], string>> = {
  PREPARING: 'It was broken off before it began: nothing was done',
  RUNNING: 'Under way…',
  CANCELLING: 'Stopping…',
  DONE: 'Done',
  CANCELLED: 'Stopped: the rest was left alone',
  STOPPED: 'Stopped: who asked for it may not do it any more',
};

// -------------------------------------------------------------------------------------------------------- the question

/** What was selected on the list, as its form has it. */
function selectionOf({ form }: SignedIn) {
  const ids = form.all('id').slice(0, SELECTED_MAX);
  const all = form.text('all') === 'yes';
  const described = all ? whereIn(form.text('where')) : undefined;
  const total = Number(form.text('total'));
  return {
    /** The address of the list, without what is selected. */
    from: form.text('from'),
    ids,
    described,
    total: all ? total : ids.length,
    isEmpty: all ? described === undefined || !(total > 0) : ids.length === 0,
  };
}

type Selection = ReturnType<typeof selectionOf>;

/** The list as it was: its search, its page, and what was selected. */
function backTo(from: string, more: Pick<Selection, 'ids' | 'described'>): string {
  const query = new URLSearchParams(from.replace(/^[^?]*\?/, ''));
  for (const name of ['id', 'all', 'pick']) query.delete(name);
  if (more.described !== undefined) query.set('all', 'yes');
  else for (const id of more.ids) query.append('id', id);
  return `/devices?${query}`;
}

async function ask(
  visit: SignedIn,
  name: string,
  action: Action,
  selection: Selection,
  refused?: Refused,
): Promise<PageReply> {
  const { ids, described, total, from } = selection;
  const reply = questionReply(
    {
      title: action.ask,
      what: count(visit.locale, total, 'device'),
      consequence: action.consequence,
      fields: (
        <>
          <Refusal text={refused?.message} />
          {described === undefined ? (
            ids.map((id) => <input type="hidden" name="id" value={id} />)
          ) : (
            <>
              <input type="hidden" name="all" value="yes" />
              <input type="hidden" name="where" value={JSON.stringify(described)} />
              <input type="hidden" name="total" value={String(total)} />
            </>
          )}
          <input type="hidden" name="from" value={from} />
          <input type="hidden" name="do" value={name} />
          <input type="hidden" name="sure" value="yes" />
          {name === 'assign' ? await customerField(visit) : null}
          {name === 'label' ? (
            <Field
              name="label"
              label="Description"
              value={visit.form.text('label')}
              maxlength={255}
              hint="Empty: they have none then."
            />
          ) : null}
          {name === 'keys' ? (
            <div class="field">
              <DaysField label="Valid for days" />
            </div>
          ) : null}
        </>
      ),
      yes: `${action.yes}: ${count(visit.locale, total, 'device')}`,
      mild: ['ASSIGN', 'ALLOW_CLAIMING', 'FORBID_CLAIMING', 'SET_LABEL'].includes(action.change),
      no: 'Do nothing',
      back: backTo(from, selection),
    },
    '/devices/selected',
  );
  return refused === undefined || reply.type !== 'page' ? reply : { ...reply, status: 400 };
}

/** Customers that the field suggests. */
const SUGGESTED = 50;
const customersPage = pageView(customerView);

async function customerField({ api, form }: SignedIn) {
  const { data } = await api.get(`/api/customers?${toQuery({ pageSize: SUGGESTED })}`, customersPage);
  return (
    <>
      <Field
        name="customer"
        label="Customer"
        value={form.text('customer')}
        required
        maxlength={255}
        list="customers"
        autocomplete="off"
      />
      <datalist id="customers">
        {data.map(({ title }) => (
          <option value={title} />
        ))}
      </datalist>
    </>
  );
}

/** A page about what was selected: named, or described. */
function pageAbout(path: '/devices/labels' | '/devices/export', { ids, described }: Selection): string {
  return described === undefined
    ? `${path}?ids=${ids.map(segment).join(',')}`
    : `${path}?${toQuery({ where: JSON.stringify(described) })}`;
}

async function selectedReply(visit: SignedIn): Promise<PageReply> {
  const { api, form, nowMs } = visit;
  const selection = selectionOf(visit);
  const { ids, described, total, from } = selection;
  if (selection.isEmpty) return refusedTo(backTo(from, selection), 'Select devices first.');
  const name = form.text('do');
  if (name === 'labels' || name === 'export') return seeOther(pageAbout(`/devices/${name}`, selection));
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) return refusedTo(backTo(from, selection), 'Choose what to do with them.');
  if (form.text('sure') !== 'yes') return ask(visit, name, action, selection);
  const customer =
    name === 'assign' ? await findCustomer(api, form.text('customer').trim(), visit.locale.say) : undefined;
  if (customer?.type === 'refused') return ask(visit, name, action, selection, customer);
  const body = {
    change: action.change,
    ...(customer === undefined ? {} : { customerId: customer.value.id.id }),
    ...(name === 'label' ? { label: form.text('label').trim() } : {}),
    ...(name === 'keys' ? { keyExpirationTime: expiresAfter(nowMs, form.text('days')) } : {}),
    ...(described === undefined ? { deviceIds: ids } : { where: described, expected: total }),
  };
  const begun = await api.post('/api/deviceBatch', body, batchView);
  if (begun.type === 'refused' && name === 'label') return ask(visit, name, action, selection, begun);
  if (begun.type === 'refused') return refusedTo(backTo(from, selection), begun.message);
  return seeOther(`/devices/batches/${begun.value.id}?${toQuery({ back: backTo(from, selection) })}`);
}

// ----------------------------------------------------------------------------------------------------------- one batch

const routeOf = ({ params }: SignedIn) => `/api/deviceBatch/${segment(params.job ?? '')}`;
const isUnderWay = ({ state }: Batch) => state === 'RUNNING' || state === 'CANCELLING';
const titleOf = (batch: Batch) => `${batch.undoes === null ? '' : 'Undone: '}${DONE[batch.change]}`;

/** Only ever the list of devices, whatever the address says. */
const listFrom = ({ query }: SignedIn) => backOf(query.get('back') ?? '');
function backOf(back: string): string {
  const query = new URLSearchParams(back.replace(/^[^?]*\??/, ''));
  return query.size === 0 ? '/devices' : `/devices?${query}`;
}

async function batchReply(visit: SignedIn): Promise<PageReply> {
  const batch = await visit.api.get(routeOf(visit), batchView);
  const underWay = isUnderWay(batch);
  return {
    type: 'page',
    title: titleOf(batch),
    islands: underWay ? ['progress.js'] : [],
    ...(underWay ? { refreshSeconds: REFRESH_SECONDS } : {}),
    body: (
      <>
        <Back to={listFrom(visit)} label="Devices" />
        <Head title={titleOf(batch)} />
        {underWay ? <Progress batch={batch} visit={visit} /> : await resultOf(batch, visit)}
      </>
    ),
  };
}

function Progress({ batch, visit }: { batch: Batch; visit: SignedIn }) {
  const { number } = visit.locale;
  const { id, devices, through, state } = batch;
  return (
    <div class="card" data-progress={`/devices/batches/${id}/progress`} data-what="devices">
      <h2>{STATES[state]}</h2>
      <p>
        <progress max={Math.max(1, devices)} value={through} aria-label="Devices done" />
      </p>
      <p role="status" data-progress-text>
        {number(through)} of {number(devices)} devices
      </p>
      {state === 'RUNNING' ? (
        <form method="post" action={`/devices/batches/${id}/cancel`}>
          <input type="hidden" name="back" value={listFrom(visit)} />
          <button type="submit">Stop</button>
        </form>
      ) : null}
    </div>
  );
}

async function resultOf(batch: Batch, visit: SignedIn) {
  const { api, query, locale } = visit;
  const refusedOnly = batch.refused > 0;
  const wanted = toQuery({ page: pageOf(query), pageSize: ROWS_SHOWN, refusedOnly: String(refusedOnly) });
  const rows = await api.get(`${routeOf(visit)}/rows?${wanted}`, rowsPage);
  const path = `/devices/batches/${batch.id}`;
  return (
    <>
      <Summary batch={batch} visit={visit} />
      {refusedOnly ? (
        <>
          <Table
            caption="Left as they were"
            shown
            columns={[
              { title: 'Name', kind: 'row', cell: ({ name, deviceId }) => name ?? deviceId },
              { title: 'Why', kind: 'bare', cell: ({ message }) => message },
            ]}
            rows={rows.data}
          />
          <Pager path={path} query={query} size={ROWS_SHOWN} found={rows} locale={locale} />
        </>
      ) : null}
    </>
  );
}

interface SummaryProps {
  readonly batch: Batch;
  readonly visit: SignedIn;
}

function Summary({ batch, visit }: SummaryProps) {
  const { number } = visit.locale;
  const { id, state, devices, through, done, unchanged, refused, undoable, undoneBy } = batch;
  return (
    <div class="card">
      <h2>{undoneBy === null ? STATES[state] : 'Undone'}</h2>
      <dl>
        <dt>{titleOf(batch)}</dt>
        <dd>{number(done)}</dd>
        <dt>As wanted before</dt>
        <dd>{number(unchanged)}</dd>
        <dt>Left as they were</dt>
        <dd>{number(refused)}</dd>
        {through === devices ? null : (
          <>
            <dt>Not looked at</dt>
            <dd>{number(devices - through)}</dd>
          </>
        )}
      </dl>
      <div class="row">
        <a class="button primary" href={listFrom(visit)}>
          Back to the devices
        </a>
        {batch.change === 'SET_KEYS' && done > 0 ? (
          <a class="button" href={`/devices/labels?batch=${id}`}>
            Print their labels
          </a>
        ) : null}
        {undoable ? (
          <form method="post" action={`/devices/batches/${id}/undo`}>
            <input type="hidden" name="back" value={listFrom(visit)} />
            <button type="submit">Undo</button>
          </form>
        ) : null}
        {undoneBy === null ? null : <a href={`/devices/batches/${undoneBy}`}>What undid it</a>}
      </div>
    </div>
  );
}

// ---------------------------------------------------------------------------------------------------------- all batches

const SHORT: Readonly<Record<Batch['state'], string>> = {
  PREPARING: 'Broken off',
  RUNNING: 'Under way',
  CANCELLING: 'Stopping',
  DONE: 'Done',
  CANCELLED: 'Stopped',
  STOPPED: 'Stopped',
};

/** How far one is, or how it ended. */
function stateOf(batch: Batch, { locale: { number } }: SignedIn) {
  const { id, state, devices, through, undoneBy } = batch;
  if (!isUnderWay(batch)) return undoneBy === null ? SHORT[state] : 'Undone';
  return (
    <div data-progress={`/devices/batches/${id}/progress`} data-what="devices">
      <progress max={Math.max(1, devices)} value={through} aria-label="Devices done" />{' '}
      <small data-progress-text>
        {number(through)} of {number(devices)} devices
      </small>
    </div>
  );
}

async function batchesReply(visit: SignedIn): Promise<PageReply> {
  const { api, locale, nowMs } = visit;
  const batches = await api.get('/api/deviceBatches', z.array(batchView));
  const underWay = batches.some(isUnderWay);
  const columns: readonly Column<Batch>[] = [
    {
      title: 'Change',
      kind: 'row',
      cell: (batch) => <a href={`/devices/batches/${batch.id}`}>{titleOf(batch)}</a>,
    },
    {
      title: 'Begun',
      cell: ({ createdTime }) => <Time at={createdTime} now={nowMs} locale={locale} />,
    },
    { title: 'State', cell: (batch) => stateOf(batch, visit) },
    { title: 'Devices', kind: 'number', cell: ({ devices }) => locale.number(devices) },
    { title: 'Changed', kind: 'number', cell: ({ done }) => locale.number(done) },
    { title: 'Left as they were', kind: 'number', cell: ({ refused }) => locale.number(refused) },
  ];
  return {
    type: 'page',
    title: 'Changes to many devices',
    islands: underWay ? ['progress.js'] : [],
    ...(underWay ? { refreshSeconds: REFRESH_SECONDS } : {}),
    body: (
      <>
        <Back to="/devices" label="Devices" />
        <Head
          title="Changes to many devices"
          lead="The newest. Each goes on when this page is closed, and can be stopped or undone on its own page."
        />
        {batches.length === 0 ? (
          <div class="card empty">
            <p>Nothing was changed yet. Select devices in their list, and say what to do with them.</p>
            <a href="/devices">To the devices</a>
          </div>
        ) : (
          <Table caption="Changes to many devices" columns={columns} rows={batches} />
        )}
      </>
    ),
  };
}

/** What one button of a batch's page does. It leads to the batch that the API answers. */
function button(name: 'cancel' | 'undo'): Page {
  return memberPage(`/devices/batches/:job/${name}`, TENANT, {
    async post(visit) {
      const back = toQuery({ back: backOf(visit.form.text('back')) });
      const answer = await visit.api.post(`${routeOf(visit)}/${name}`, undefined, batchView);
      const id = answer.type === 'ok' ? answer.value.id : segment(visit.params.job ?? '');
      const to = `/devices/batches/${id}?${back}`;
      return answer.type === 'ok' ? seeOther(to) : refusedTo(to, answer.message);
    },
  });
}

export const batchPages: readonly Page[] = [
  memberPage('/devices/selected', TENANT, { post: selectedReply }),
  memberPage('/devices/batches', TENANT, { get: batchesReply }),
  memberPage('/devices/batches/:job', TENANT, { get: batchReply }),
  memberPage('/devices/batches/:job/progress', TENANT, {
    async get(visit) {
      const { state, devices: rows, through } = await visit.api.get(routeOf(visit), batchView);
      return { type: 'stream', response: Response.json({ state, rows, through }) };
    },
  }),
  button('cancel'),
  button('undo'),
];
