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
  type SignedIn,
  saidAt,
  seeOther,
} from '../page.ts';
import { questionReply } from '../parts/confirm.tsx';
import { Back, Field, Head, Lines, Refusal, Time } from '../parts/elements.tsx';
import { Pager, pageOf } from '../parts/list.tsx';
import { type Column, PlainTable, Table } from '../parts/table.tsx';
import { refusalWords } from '../refusal-words.ts';
import { explainOutcome, kitState } from './kit-words.ts';

const PAGE_SIZE = 50;
const DAY_MS = 86_400_000;
const REFRESH_SECONDS = 2;

type Kit = z.output<typeof kitView>;
type ListedKit = z.output<typeof listedKitView>;
const kitsPage = pageView(listedKitView);

async function listReply(visit: SignedIn): Promise<PageReply> {
  const { api, query, locale } = visit;
  const { say } = locale;
  const wanted = toQuery({ page: pageOf(query), pageSize: PAGE_SIZE, sortOrder: 'DESC' });
  const kits = await api.get(`/api/kits?${wanted}`, kitsPage);
  return {
    type: 'page',
    title: say('kits.title'),
    body: (
      <>
        <Back to="/devices" label={say('frame.fleet')} />
        <Head title={say('kits.title')} lead={say('kits.lead')}>
          <a class="button primary" href="/kits/new">
            {say('kits.new')}
          </a>
        </Head>
        {kits.data.length === 0 ? (
          <div class="card empty">{say(kits.totalElements > 0 ? 'list.empty' : 'kits.none')}</div>
        ) : (
          <KitTable kits={kits.data} locale={locale} />
        )}
        <Pager path="/kits" query={query} size={PAGE_SIZE} found={kits} locale={locale} />
      </>
    ),
  };
}

function KitTable({ kits, locale }: { kits: readonly ListedKit[]; locale: SignedIn['locale'] }) {
  const { say } = locale;
  return (
    <Table
      caption={say('kits.title')}
      columns={[
        {
          title: say('kits.label'),
          kind: 'row',
          cell: ({ id, label }) => (
            <a href={`/kits/${segment(id)}`}>{label === '' ? say('kits.nameless') : label}</a>
          ),
        },
        { title: say('kits.state'), cell: ({ state }) => kitState(state, locale.say) },
        { title: say('frame.fleet'), kind: 'number', cell: ({ total }) => locale.number(total) },
        {
          title: say('kits.expires'),
          cell: ({ expirationTime }) => <Time at={expirationTime} locale={locale} />,
        },
      ]}
      rows={kits}
    />
  );
}

function newReply(visit: SignedIn, refusal?: string): PageReply {
  const { form, locale } = visit;
  const { say } = locale;
  return {
    type: 'page',
    title: say('kits.new'),
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/kits" label={say('kits.title')} />
        <Head title={say('kits.new')} lead={say('kits.newLead')} />
        <form method="post" action="/kits/new" class="card">
          <Refusal text={refusal} />
          <Field
            name="label"
            label={say('kits.label')}
            value={form.text('label')}
            maxlength={255}
            hint={say('kits.labelHint')}
          />
          <Lines
            name="devices"
            label={say('frame.fleet')}
            value={form.text('devices')}
            rows={8}
            required
            hint={say('kits.devicesHint')}
          />
          <Field name="days" label={say('kits.days')} type="number" value={form.text('days') || '365'} />
          <button type="submit" class="primary">
            {say('kits.make')}
          </button>
        </form>
      </>
    ),
  };
}

async function make(visit: SignedIn): Promise<PageReply> {
  const { api, form, nowMs, locale } = visit;
  const { say } = locale;
  const days = Number(form.text('days'));
  if (!Number.isInteger(days) || days < 1) return newReply(visit, say('kits.daysWrong'));
  const body = {
    label: form.text('label').trim(),
    devices: linesOf(form.text('devices')),
    expirationTime: nowMs + days * DAY_MS,
  };
  const made = await api.post('/api/kit', body, kitView);
  return made.type === 'ok'
    ? seeOther(`/kits/${segment(made.value.id)}`)
    : newReply(visit, refusalWords(made, say, say('kits.refused')));
}

const pathOf = ({ params }: SignedIn) => `/kits/${segment(params.kit ?? '')}`;
const routeOf = ({ params }: SignedIn) => `/api/kit/${segment(params.kit ?? '')}`;

async function kitReply(visit: SignedIn): Promise<PageReply> {
  const kit = await visit.api.get(routeOf(visit), kitView);
  const { state, label, code, devices, expirationTime } = kit;
  const { say } = visit.locale;
  const isOpen = state === 'OPEN' || state === 'EXPIRED';
  return {
    type: 'page',
    title: say('kits.one'),
    ...(state === 'CLAIMING' ? { refreshSeconds: REFRESH_SECONDS } : {}),
    body: (
      <>
        <Back to="/kits" label={say('kits.title')} />
        <Head title={label === '' ? say('kits.one') : label} lead={kitState(state, say)} />
        <div class="card">
          <p class="muted scanned">{say('kit.code')}</p>
          <p class="big">{code ?? say('kits.unreadable')}</p>
          <p>{say.pieces('kits.expiresOn', { when: <Time at={expirationTime} locale={visit.locale} /> })}</p>
        </div>
        <form method="post" action={`${pathOf(visit)}/split`} class="card tablecard">
          <Devices devices={devices} selectable={isOpen && devices.length > 1} locale={visit.locale} />
          {isOpen && devices.length > 1 ? (
            <div class="selected">
              <button type="submit">{say('kits.split')}</button>
            </div>
          ) : null}
        </form>
        {isOpen ? (
          <div class="card">
            <p>{say('kits.revokedMeans')}</p>
            <a class="button danger" href={`${pathOf(visit)}/revoke`}>
              {say('kits.revoke')}
            </a>
          </div>
        ) : null}
        {state === 'OPEN' || state === 'CLAIMING' ? null : (
          <form method="post" action={`${pathOf(visit)}/delete`} class="card">
            <p>{say('kits.over')}</p>
            <button type="submit" class="danger">
              {say('kits.delete')}
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
  const { say } = locale;
  const columns: readonly Column<(typeof devices)[number]>[] = [
    { title: say('kits.device'), kind: 'row', cell: ({ name }) => name },
    { title: say('kits.outcome'), cell: (device) => explainOutcome(device, locale.say) },
  ];
  const pick: Column<(typeof devices)[number]> = {
    title: say('kits.choose'),
    kind: 'pick',
    cell: ({ name }) => <input type="checkbox" name="device" value={name} aria-label={name} />,
  };
  return (
    <PlainTable
      caption={say('frame.fleet')}
      shown
      columns={selectable ? [pick, ...columns] : columns}
      rows={devices}
    />
  );
}

async function split(visit: SignedIn): Promise<PageReply> {
  const { say } = visit.locale;
  const devices = visit.form.all('device');
  if (devices.length === 0) return refusedTo(pathOf(visit), say('kits.splitNone'));
  const part = await visit.api.post(`${routeOf(visit)}/split`, { devices }, kitView);
  return part.type === 'ok'
    ? seeOther(`/kits/${segment(part.value.id)}`, say('kits.splitDone'))
    : refusedTo(pathOf(visit), refusalWords(part, say));
}

export const kitPages: readonly Page[] = [
  memberPage('/kits', TENANT, { get: listReply }),
  memberPage('/kits/new', TENANT, { get: (visit) => newReply(visit), post: make }),
  memberPage('/kits/:kit', TENANT, { get: kitReply }),
  memberPage('/kits/:kit/split', TENANT, { post: split }),
  memberPage('/kits/:kit/revoke', TENANT, {
    async get(visit) {
      const { say } = visit.locale;
      const { label } = await visit.api.get(routeOf(visit), kitView);
      const question = {
        title: say('kits.revokeTitle'),
        what: label === '' ? say('kits.nameless') : label,
        consequence: say('kits.revokeText'),
        yes: say('kits.revokeYes'),
        no: say('part.keep'),
        back: pathOf(visit),
      };
      return questionReply(question, `${pathOf(visit)}/revoke`);
    },
    async post(visit) {
      const revoked = await visit.api.act('DELETE', routeOf(visit));
      return saidAt(pathOf(visit), revoked, visit.locale.say('kits.revoked'), visit.locale);
    },
  }),
  memberPage('/kits/:kit/delete', TENANT, {
    async post(visit) {
      const deleted = await visit.api.act('DELETE', `${routeOf(visit)}/record`);
      const { say } = visit.locale;
      return deleted.type === 'ok'
        ? seeOther('/kits', say('kits.deleted'))
        : refusedTo(pathOf(visit), refusalWords(deleted, say));
    },
  }),
];
