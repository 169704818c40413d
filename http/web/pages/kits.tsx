/** Kits for the tenant: made of devices by name, with the code to print; split, revoked, and what became of each device. */
import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { kitView, listedKitView } from '../../views/kit.ts';
import { pageView } from '../../views/page.ts';
import { segment, toQuery } from '../api.ts';
import { linesOf } from '../form.ts';
import {
  memberPage,
  type Page,
  type PageReply,
  refusedTo,
  resultAt,
  type SignedIn,
  seeOther,
} from '../page.ts';
import { questionReply } from '../parts/confirm.tsx';
import { Back, Field, Head, Refusal, Time } from '../parts/elements.tsx';
import { emptyText, Pager, pageOf } from '../parts/list.tsx';
import { type Column, PlainTable, Table } from '../parts/table.tsx';
import { explainOutcome, kitState } from './kit-words.ts';

const PAGE_SIZE = 50;
const DAY_MS = 86_400_000;
const REFRESH_SECONDS = 2;

type Kit = z.output<typeof kitView>;
type ListedKit = z.output<typeof listedKitView>;
const kitsPage = pageView(listedKitView);

async function listReply(visit: SignedIn): Promise<PageReply> {
  const { api, query, locale } = visit;
  const wanted = toQuery({ page: pageOf(query), pageSize: PAGE_SIZE, sortOrder: 'DESC' });
  const kits = await api.get(`/api/kits?${wanted}`, kitsPage);
  return {
    type: 'page',
    title: 'Kits',
    body: (
      <>
        <Back to="/devices" label="Devices" />
        <Head title="Kits" lead="A code on a box that claims all devices of an order.">
          <a class="button primary" href="/kits/new">
            New kit
          </a>
        </Head>
        {kits.data.length === 0 ? (
          <div class="card empty">
            {emptyText(
              kits,
              'There are no kits yet. Make one of devices that you have; an import makes kits too, where its rows have a column “kit”.',
            )}
          </div>
        ) : (
          <KitTable kits={kits.data} locale={locale} />
        )}
        <Pager path="/kits" query={query} size={PAGE_SIZE} found={kits} locale={locale} />
      </>
    ),
  };
}

function KitTable({ kits, locale }: { kits: readonly ListedKit[]; locale: SignedIn['locale'] }) {
  return (
    <Table
      caption="Kits"
      columns={[
        {
          title: 'Label',
          kind: 'row',
          cell: ({ id, label }) => <a href={`/kits/${segment(id)}`}>{label === '' ? 'No label' : label}</a>,
        },
        { title: 'State', cell: ({ state }) => kitState(state, locale.say) },
        { title: 'Devices', kind: 'number', cell: ({ total }) => locale.number(total) },
        {
          title: 'Expires',
          cell: ({ expirationTime }) => <Time at={expirationTime} locale={locale} />,
        },
      ]}
      rows={kits}
    />
  );
}

function newReply(visit: SignedIn, refusal?: string): PageReply {
  const { form } = visit;
  return {
    type: 'page',
    title: 'New kit',
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/kits" label="Kits" />
        <Head title="New kit" lead="Whoever shows its code first owns all its devices." />
        <form method="post" action="/kits/new" class="card">
          <Refusal text={refusal} />
          <Field
            name="label"
            label="Label"
            value={form.text('label')}
            maxlength={255}
            hint="For you: an order, a room."
          />
          <div class="field">
            <label for="f-devices">Devices</label>
            <textarea
              id="f-devices"
              name="devices"
              rows={8}
              required
              spellcheck={false}
              aria-describedby="f-devices-hint"
            >
              {form.text('devices')}
            </textarea>
            <small id="f-devices-hint">Their names, one on each line.</small>
          </div>
          <Field name="days" label="Days until it expires" type="number" value={form.text('days') || '365'} />
          <button type="submit" class="primary">
            Make the kit
          </button>
        </form>
      </>
    ),
  };
}

async function make(visit: SignedIn): Promise<PageReply> {
  const { api, form, nowMs } = visit;
  const days = Number(form.text('days'));
  if (!Number.isInteger(days) || days < 1) return newReply(visit, 'The days should be a whole number.');
  const body = {
    label: form.text('label').trim(),
    devices: linesOf(form.text('devices')),
    expirationTime: nowMs + days * DAY_MS,
  };
  const made = await api.post('/api/kit', body, kitView);
  return made.type === 'ok' ? seeOther(`/kits/${segment(made.value.id)}`) : newReply(visit, made.message);
}

const pathOf = ({ params }: SignedIn) => `/kits/${segment(params.kit ?? '')}`;
const routeOf = ({ params }: SignedIn) => `/api/kit/${segment(params.kit ?? '')}`;

async function kitReply(visit: SignedIn): Promise<PageReply> {
  const kit = await visit.api.get(routeOf(visit), kitView);
  const { state, label, code, devices, expirationTime } = kit;
  const isOpen = state === 'OPEN' || state === 'EXPIRED';
  return {
    type: 'page',
    title: 'Kit',
    ...(state === 'CLAIMING' ? { refreshSeconds: REFRESH_SECONDS } : {}),
    body: (
      <>
        <Back to="/kits" label="Kits" />
        <Head title={label === '' ? 'Kit' : label} lead={kitState(state, visit.locale.say)} />
        <div class="card">
          <p class="muted scanned">Code</p>
          <p class="big">{code ?? 'It cannot be read any more: the key of the server was changed.'}</p>
          <p>
            It expires on <Time at={expirationTime} locale={visit.locale} />.
          </p>
        </div>
        <form method="post" action={`${pathOf(visit)}/split`} class="card tablecard">
          <Devices devices={devices} selectable={isOpen && devices.length > 1} locale={visit.locale} />
          {isOpen && devices.length > 1 ? (
            <div class="selected">
              <button type="submit">Take the chosen out into a kit of their own</button>
            </div>
          ) : null}
        </form>
        {isOpen ? (
          <div class="card">
            <p>A revoked code opens nothing more.</p>
            <a class="button danger" href={`${pathOf(visit)}/revoke`}>
              Revoke
            </a>
          </div>
        ) : null}
        {state === 'OPEN' || state === 'CLAIMING' ? null : (
          <form method="post" action={`${pathOf(visit)}/delete`} class="card">
            <p>This kit is over. What it claimed stays claimed, and who claimed it stays in the history.</p>
            <button type="submit" class="danger">
              Delete
            </button>
          </form>
        )}
      </>
    ),
  };
}

interface DevicesProps {
  readonly devices: Kit['devices'];
  readonly selectable: boolean;
  readonly locale: SignedIn['locale'];
}

function Devices({ devices, selectable, locale }: DevicesProps) {
  const columns: readonly Column<(typeof devices)[number]>[] = [
    { title: 'Name', kind: 'row', cell: ({ name }) => name },
    { title: 'Outcome', cell: (device) => explainOutcome(device, locale.say) },
  ];
  const pick: Column<(typeof devices)[number]> = {
    title: 'Choose',
    kind: 'pick',
    cell: ({ name }) => <input type="checkbox" name="device" value={name} aria-label={name} />,
  };
  return (
    <PlainTable caption="Devices" shown columns={selectable ? [pick, ...columns] : columns} rows={devices} />
  );
}

async function split(visit: SignedIn): Promise<PageReply> {
  const devices = visit.form.all('device');
  if (devices.length === 0) return refusedTo(pathOf(visit), 'Choose some devices first.');
  const part = await visit.api.post(`${routeOf(visit)}/split`, { devices }, kitView);
  return part.type === 'ok'
    ? seeOther(`/kits/${segment(part.value.id)}`, 'This kit has a code of its own.')
    : refusedTo(pathOf(visit), part.message);
}

export const kitPages: readonly Page[] = [
  memberPage('/kits', TENANT, { get: listReply }),
  memberPage('/kits/new', TENANT, { get: (visit) => newReply(visit), post: make }),
  memberPage('/kits/:kit', TENANT, { get: kitReply }),
  memberPage('/kits/:kit/split', TENANT, { post: split }),
  memberPage('/kits/:kit/revoke', TENANT, {
    async get(visit) {
      const { label } = await visit.api.get(routeOf(visit), kitView);
      const question = {
        title: 'Revoke this kit?',
        what: label === '' ? 'No label' : label,
        consequence:
          'The code that was printed for it does not work any more, and cannot be made to work again. The devices stay as they are.',
        yes: 'Revoke it',
        back: pathOf(visit),
      };
      return questionReply(question, `${pathOf(visit)}/revoke`);
    },
    async post(visit) {
      const revoked = await visit.api.act('DELETE', routeOf(visit));
      return resultAt(pathOf(visit), revoked, 'The code opens nothing more.');
    },
  }),
  memberPage('/kits/:kit/delete', TENANT, {
    async post(visit) {
      const deleted = await visit.api.act('DELETE', `${routeOf(visit)}/record`);
      return resultAt('/kits', deleted, 'The kit is deleted.', pathOf(visit));
    },
  }),
];
