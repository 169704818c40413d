/** What is done with many devices at once: the question before, how far it is, what became of each, and undoing it. */
import { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { batchRowView, batchView, type CHANGES } from '../../views/batch.ts';
import { customerView } from '../../views/customer.ts';
import { pageView } from '../../views/page.ts';
import { segment, toQuery } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { DaysField, expiresAfter } from '../parts/claim-key.tsx';
import { questionReply } from '../parts/confirm.tsx';
import { whereIn } from '../parts/device-filters.ts';
import { findCustomer } from '../parts/device-parts.tsx';
import { Back, Field, Head, Refusal, Time } from '../parts/elements.tsx';
import { Pager, pageOf } from '../parts/list.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';
import { rowWords } from './batch-words.ts';

type Batch = z.output<typeof batchView>;
type Change = (typeof CHANGES)[keyof typeof CHANGES];

const rowsPage = pageView(batchRowView);
const ROWS_SHOWN = 100;
/** Without script the page reloads itself this often. */
const REFRESH_SECONDS = 2;
/** How many devices one form names; more are described. */
export const SELECTED_MAX = 200;

/** What the bar offers, in its order. */
const ACTIONS = {
  assign: 'ASSIGN',
  'take-back': 'TAKE_BACK',
  allow: 'ALLOW_CLAIMING',
  forbid: 'FORBID_CLAIMING',
  label: 'SET_LABEL',
  keys: 'SET_KEYS',
  delete: 'DELETE',
} as const satisfies Readonly<Record<string, Change>>;
type Action = keyof typeof ACTIONS;
export const ACTION_NAMES: readonly Action[] = Object.keys(ACTIONS).filter(isAction);

function isAction(name: string): name is Action {
  return Object.hasOwn(ACTIONS, name);
}

/** It can be undone, or does no harm. */
const MILD: readonly Action[] = ['assign', 'allow', 'forbid', 'label'];

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

/** Of one device as of one, of several as of several. */
function questionOf(name: Action, count: number, say: Say): string {
  return name === 'allow' || name === 'forbid'
    ? say(`batch.${name}.ask`)
    : say(`batch.${name}.ask`, { count });
}

async function ask(
  visit: SignedIn,
  name: Action,
  selection: Selection,
  refused?: string,
): Promise<PageReply> {
  const { ids, described, total, from } = selection;
  const { say } = visit.locale;
  const reply = questionReply(
    {
      title: questionOf(name, total, say),
      what: say('mine.count', { count: total }),
      consequence: say(`batch.${name}.text`, { count: total }),
      fields: (
        <>
          <Refusal text={refused} />
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
              label={say('new.label')}
              value={visit.form.text('label')}
              maxlength={255}
              hint={say('batch.descriptionHint')}
            />
          ) : null}
          {name === 'keys' ? (
            <div class="field">
              <DaysField label={say('fleet.validDays')} />
            </div>
          ) : null}
        </>
      ),
      yes: say(`batch.${name}.yes`, { count: total }),
      mild: MILD.includes(name),
      no: say('batch.doNothing'),
      back: backTo(from, selection),
    },
    '/devices/selected',
  );
  return refused === undefined || reply.type !== 'page' ? reply : { ...reply, status: 400 };
}

/** Customers that the field suggests. */
const SUGGESTED = 50;
const customersPage = pageView(customerView);

async function customerField({ api, form, locale }: SignedIn) {
  const { data } = await api.get(`/api/customers?${toQuery({ pageSize: SUGGESTED })}`, customersPage);
  return (
    <>
      <Field
        name="customer"
        label={locale.say('batch.customer')}
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
  const { api, form, nowMs, locale } = visit;
  const { say } = locale;
  const selection = selectionOf(visit);
  const { ids, described, total, from } = selection;
  if (selection.isEmpty) return refusedTo(backTo(from, selection), say('fleet.selectFirst'));
  const name = form.text('do');
  if (name === 'labels' || name === 'export') return seeOther(pageAbout(`/devices/${name}`, selection));
  if (!isAction(name)) return refusedTo(backTo(from, selection), say('batch.chooseWhat'));
  if (form.text('sure') !== 'yes') return ask(visit, name, selection);
  const customer = name === 'assign' ? await findCustomer(api, form.text('customer').trim(), say) : undefined;
  if (customer?.type === 'refused') return ask(visit, name, selection, customer.message);
  const body = {
    change: ACTIONS[name],
    ...(customer === undefined ? {} : { customerId: customer.value.id.id }),
    ...(name === 'label' ? { label: form.text('label').trim() } : {}),
    ...(name === 'keys' ? { keyExpirationTime: expiresAfter(nowMs, form.text('days')) } : {}),
    ...(described === undefined ? { deviceIds: ids } : { where: described, expected: total }),
  };
  const begun = await api.post('/api/deviceBatch', body, batchView);
  if (begun.type === 'refused') {
    const why = refusalWords(begun, say, say('batch.refused'));
    return name === 'label' ? ask(visit, name, selection, why) : refusedTo(backTo(from, selection), why);
  }
  return seeOther(`/devices/batches/${begun.value.id}?${toQuery({ back: backTo(from, selection) })}`);
}

// ----------------------------------------------------------------------------------------------------------- one batch

const routeOf = ({ params }: SignedIn) => `/api/deviceBatch/${segment(params.job ?? '')}`;
const isUnderWay = ({ state }: Batch) => state === 'RUNNING' || state === 'CANCELLING';
function titleOf(batch: Batch, say: Say): string {
  const what = say(`batch.done.${batch.change}`);
  return batch.undoes === null ? what : say('batch.undoing', { what });
}

/** Only ever the list of devices, whatever the address says. */
const listFrom = ({ query }: SignedIn) => backOf(query.get('back') ?? '');
function backOf(back: string): string {
  const query = new URLSearchParams(back.replace(/^[^?]*\??/, ''));
  return query.size === 0 ? '/devices' : `/devices?${query}`;
}

async function batchReply(visit: SignedIn): Promise<PageReply> {
  const batch = await visit.api.get(routeOf(visit), batchView);
  const underWay = isUnderWay(batch);
  const { say } = visit.locale;
  return {
    type: 'page',
    title: titleOf(batch, say),
    islands: underWay ? ['progress.js'] : [],
    ...(underWay ? { refreshSeconds: REFRESH_SECONDS } : {}),
    body: (
      <>
        <Back to={listFrom(visit)} label={say('frame.fleet')} />
        <Head title={titleOf(batch, say)} />
        {underWay ? <Progress batch={batch} visit={visit} /> : await resultOf(batch, visit)}
      </>
    ),
  };
}

/** For the browser's part, which fills in what stands for itself here. */
const progressWords = (say: Say) => say('progress.devices', { through: '{through}', rows: '{rows}' });

const progressText = ({ through, devices }: Batch, { say, number }: Locale) =>
  say('progress.devices', { through: number(through), rows: number(devices) });

function Progress({ batch, visit }: { batch: Batch; visit: SignedIn }) {
  const { say } = visit.locale;
  const { id, devices, through, state } = batch;
  return (
    <div class="card" data-progress={`/devices/batches/${id}/progress`} data-words={progressWords(say)}>
      <h2>{say(`batch.state.${state}`)}</h2>
      <p>
        <progress max={Math.max(1, devices)} value={through} aria-label={say('batch.progress')} />
      </p>
      <p role="status" data-progress-text>
        {progressText(batch, visit.locale)}
      </p>
      {state === 'RUNNING' ? (
        <form method="post" action={`/devices/batches/${id}/cancel`}>
          <input type="hidden" name="back" value={listFrom(visit)} />
          <button type="submit">{say('batch.stop')}</button>
        </form>
      ) : null}
    </div>
  );
}

async function resultOf(batch: Batch, visit: SignedIn) {
  const { api, query, locale } = visit;
  const { say } = locale;
  const refusedOnly = batch.refused > 0;
  const wanted = toQuery({
    page: pageOf(query),
    pageSize: ROWS_SHOWN,
    refusedOnly: String(refusedOnly),
    reasons: 'true',
  });
  const rows = await api.get(`${routeOf(visit)}/rows?${wanted}`, rowsPage);
  const path = `/devices/batches/${batch.id}`;
  return (
    <>
      <Summary batch={batch} visit={visit} />
      {refusedOnly ? (
        <>
          <Table
            caption={say('batch.left')}
            shown
            columns={[
              { title: say('mine.name'), kind: 'row', cell: ({ name, deviceId }) => name ?? deviceId },
              { title: say('batch.why'), kind: 'bare', cell: (row) => rowWords(row, say) },
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
  const { number, say } = visit.locale;
  const { id, state, devices, through, done, unchanged, refused, undoable, undoneBy } = batch;
  return (
    <div class="card">
      <h2>{say(undoneBy === null ? `batch.state.${state}` : 'batch.undone')}</h2>
      <dl>
        <dt>{titleOf(batch, say)}</dt>
        <dd>{number(done)}</dd>
        <dt>{say('batch.unchanged')}</dt>
        <dd>{number(unchanged)}</dd>
        <dt>{say('batch.left')}</dt>
        <dd>{number(refused)}</dd>
        {through === devices ? null : (
          <>
            <dt>{say('batch.notLooked')}</dt>
            <dd>{number(devices - through)}</dd>
          </>
        )}
      </dl>
      <div class="row">
        <a class="button primary" href={listFrom(visit)}>
          {say('fleet.back')}
        </a>
        {batch.change === 'SET_KEYS' && done > 0 ? (
          <a class="button" href={`/devices/labels?batch=${id}`}>
            {say('batch.print')}
          </a>
        ) : null}
        {undoable ? (
          <form method="post" action={`/devices/batches/${id}/undo`}>
            <input type="hidden" name="back" value={listFrom(visit)} />
            <button type="submit">{say('batch.undo')}</button>
          </form>
        ) : null}
        {undoneBy === null ? null : <a href={`/devices/batches/${undoneBy}`}>{say('batch.undoneBy')}</a>}
      </div>
    </div>
  );
}

// ---------------------------------------------------------------------------------------------------------- all batches

/** How far one is, or how it ended. */
function stateOf(batch: Batch, { locale }: SignedIn) {
  const { say } = locale;
  const { id, state, devices, through, undoneBy } = batch;
  if (!isUnderWay(batch)) return say(undoneBy === null ? `batch.short.${state}` : 'batch.undone');
  return (
    <div data-progress={`/devices/batches/${id}/progress`} data-words={progressWords(say)}>
      <progress max={Math.max(1, devices)} value={through} aria-label={say('batch.progress')} />{' '}
      <small data-progress-text>{progressText(batch, locale)}</small>
    </div>
  );
}

async function batchesReply(visit: SignedIn): Promise<PageReply> {
  const { api, locale, nowMs } = visit;
  const { say } = locale;
  const batches = await api.get('/api/deviceBatches', z.array(batchView));
  const underWay = batches.some(isUnderWay);
  const columns: readonly Column<Batch>[] = [
    {
      title: say('batch.change'),
      kind: 'row',
      cell: (batch) => <a href={`/devices/batches/${batch.id}`}>{titleOf(batch, say)}</a>,
    },
    {
      title: say('batch.begun'),
      cell: ({ createdTime }) => <Time at={createdTime} now={nowMs} locale={locale} />,
    },
    { title: say('kits.state'), cell: (batch) => stateOf(batch, visit) },
    { title: say('frame.fleet'), kind: 'number', cell: ({ devices }) => locale.number(devices) },
    { title: say('batch.changed'), kind: 'number', cell: ({ done }) => locale.number(done) },
    { title: say('batch.left'), kind: 'number', cell: ({ refused }) => locale.number(refused) },
  ];
  return {
    type: 'page',
    title: say('batch.title'),
    islands: underWay ? ['progress.js'] : [],
    ...(underWay ? { refreshSeconds: REFRESH_SECONDS } : {}),
    body: (
      <>
        <Back to="/devices" label={say('frame.fleet')} />
        <Head title={say('batch.title')} lead={say('batch.lead')} />
        {batches.length === 0 ? (
          <div class="card empty">
            <p>{say('batch.none')}</p>
            <a href="/devices">{say('batch.toDevices')}</a>
          </div>
        ) : (
          <Table caption={say('batch.title')} columns={columns} rows={batches} />
        )}
      </>
    ),
  };
}

/** What one button of a batch's page does. It leads to the batch that the API answers. */
function button(name: 'cancel' | 'undo'): Page {
  return memberPage(`/devices/batches/:job/${name}`, TENANT, {
    async post(visit) {
      const { say } = visit.locale;
      const back = toQuery({ back: backOf(visit.form.text('back')) });
      const answer = await visit.api.post(`${routeOf(visit)}/${name}`, undefined, batchView);
      const id = answer.type === 'ok' ? answer.value.id : segment(visit.params.job ?? '');
      const to = `/devices/batches/${id}?${back}`;
      return answer.type === 'ok'
        ? seeOther(to)
        : refusedTo(to, refusalWords(answer, say, say('batch.tooLate')));
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
