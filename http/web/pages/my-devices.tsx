/** A customer's own devices: listed, given back, and kept from who wants to take them over. */
import { z } from 'zod';
import { unreachable } from '../../../actors/base/unreachable.ts';
import { CUSTOMER } from '../../auth/principal.ts';
import { deviceInfoView } from '../../views/device.ts';
import { lossView } from '../../views/ownership.ts';
import { pageView } from '../../views/page.ts';
import { segment, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { confirmPage } from '../parts/confirm.tsx';
import { Description, type DeviceInfo } from '../parts/device-parts.tsx';
import { Head, Time } from '../parts/elements.tsx';
import { Pager, pageOf, Search } from '../parts/list.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';

const infosPage = pageView(deviceInfoView);
const losses = z.array(lossView);
const PAGE_SIZE = 20;

async function listReply(visit: SignedIn): Promise<PageReply> {
  const { api, user, query, locale } = visit;
  const { say } = locale;
  const search = query.get('search') ?? '';
  const wanted = toQuery({
    page: pageOf(query),
    pageSize: PAGE_SIZE,
    sortProperty: 'name',
    textSearch: search,
  });
  const [found, lost] = await Promise.all([
    api.get(`/api/customer/${user.customerId.id}/deviceInfos?${wanted}`, infosPage),
    api.get('/api/lostDevices', losses),
  ]);
  return {
    type: 'page',
    title: say('mine.title'),
    body: (
      <>
        <Head
          title={say('mine.title')}
          lead={say(search === '' ? 'mine.count' : 'mine.found', { count: found.totalElements })}
        >
          <a class="button primary" href="/claim">
            {say('claim.title')}
          </a>
        </Head>
        {lost[0] === undefined ? null : (
          <p class="note warn" role="status">
            {say('mine.lostOne', { name: lost[0].deviceName, why: lossWords(lost[0], say) })}{' '}
            <a href="/my/lost">{say('mine.lostAll')}</a>
          </p>
        )}
        <Search path="/my/devices" label={say('mine.search')} button={say('list.search')} value={search} />
        {found.data.length === 0 ? (
          <div class="card empty">
            <p>
              {found.totalElements > 0
                ? say('list.empty')
                : say(search === '' ? 'mine.none' : 'list.notFound')}
            </p>
            {search === '' ? (
              <a href="/claim">{say('claim.title')}</a>
            ) : (
              <a href="/my/devices">{say('mine.showAll')}</a>
            )}
          </div>
        ) : (
          <DeviceTable devices={found.data} visit={visit} />
        )}
        <Pager path="/my/devices" query={query} size={PAGE_SIZE} found={found} locale={locale} />
      </>
    ),
  };
}

type Lost = z.infer<typeof lossView>;

function lossWords({ by }: Lost, say: Say): string {
  switch (by) {
    case 'reset':
      return say('mine.lostByReset');
    case 'take-over':
      return say('mine.lostByTakeOver');
    default:
      return unreachable(by);
  }
}

/** N6: what was lost without being given back. */
async function lostReply({ api, locale, nowMs }: SignedIn): Promise<PageReply> {
  const { say } = locale;
  const all = await api.get('/api/lostDevices', losses);
  return {
    type: 'page',
    title: say('mine.lost'),
    body: (
      <>
        <Head title={say('mine.lost')} lead={say('mine.lostLead')} />
        {all.length === 0 ? (
          <div class="card empty">
            <p>{say('mine.lostNone')}</p>
            <a href="/my/devices">{say('mine.title')}</a>
          </div>
        ) : (
          <Table
            caption={say('mine.lost')}
            columns={[
              { title: say('mine.name'), kind: 'row', cell: ({ deviceName }) => deviceName },
              {
                title: say('mine.when'),
                cell: ({ lostTime }) => <Time at={lostTime} now={nowMs} locale={locale} />,
              },
              { title: say('mine.what'), cell: (loss) => lossWords(loss, say) },
            ]}
            rows={all}
          />
        )}
        <p>
          <a href="/my/devices">{say('mine.title')}</a>
        </p>
      </>
    ),
  };
}

/** Somebody wants the device, or might: its owner hears of it here. */
function TakeOver({ device, visit: { locale } }: { device: DeviceInfo; visit: SignedIn }) {
  const { takeOver, claimWindow } = device;
  if (takeOver === null && claimWindow === null) return null;
  const { say } = locale;
  return (
    <p class="note warn" role="status">
      {takeOver === null
        ? say('mine.windowOpen')
        : say.pieces('mine.takeOver', { when: <Time at={takeOver.completesAt} locale={locale} /> })}{' '}
      <a href={`/my/devices/${device.id.id}/object`} aria-label={say('mine.objectTo', { name: device.name })}>
        {say('mine.object')}
      </a>
    </p>
  );
}

function DeviceTable({ devices, visit }: { devices: readonly DeviceInfo[]; visit: SignedIn }) {
  const { say } = visit.locale;
  const columns: readonly Column<DeviceInfo>[] = [
    {
      title: say('mine.name'),
      kind: 'row',
      cell: (device) => (
        <>
          <a href={`/my/devices/${device.id.id}`}>{device.name}</a>
          <Description device={device} />
        </>
      ),
    },
    { title: say('mine.type'), cell: ({ type }) => <bdi>{type}</bdi> },
    { title: say('mine.since'), cell: (device) => <Since device={device} visit={visit} /> },
    {
      title: say('mine.actions'),
      kind: 'acts',
      cell: (device) => (
        <>
          <TakeOver device={device} visit={visit} />
          <div class="links">
            <DeviceLink device={device} to="history" say={say} />
            <DeviceLink device={device} to="hand-over" say={say} />
            <DeviceLink device={device} to="give-back" say={say} />
          </div>
        </>
      ),
    },
  ];
  return <Table caption={say('mine.caption')} columns={columns} rows={devices} />;
}

/** Since when it is the customer's, and whether it is on offer. */
function Since({ device: { ownedSince, offer }, visit }: { device: DeviceInfo; visit: SignedIn }) {
  const { locale, nowMs } = visit;
  return (
    <>
      {ownedSince === null ? null : <Time at={ownedSince} now={nowMs} locale={locale} />}
      {offer === null ? null : (
        <>
          {' '}
          <small>{locale.say('mine.onOffer')}</small>
        </>
      )}
    </>
  );
}

const LINKS = {
  history: ['mine.history', 'mine.historyOf'],
  'hand-over': ['mine.handOver', 'mine.handOverOf'],
  'give-back': ['mine.giveBack', 'mine.giveBackOf'],
} as const;

/** Read aloud with the name of the device. */
function DeviceLink({ device, to, say }: { device: DeviceInfo; to: keyof typeof LINKS; say: Say }) {
  const [shown, read] = LINKS[to];
  return (
    <a href={`/my/devices/${device.id.id}/${to}`} aria-label={say(read, { name: device.name })}>
      {say(shown)}
    </a>
  );
}

export const myDevicePages: readonly Page[] = [
  memberPage('/my/devices', CUSTOMER, { get: listReply }),
  memberPage('/my/lost', CUSTOMER, { get: lostReply }),

  confirmPage('/my/devices/:id/object', CUSTOMER, {
    find: ({ api, params }) => api.get(`/api/device/info/${segment(params.id ?? '')}`, deviceInfoView),
    ask: ({ name }, { locale: { say } }) => ({
      title: say('mine.keepTitle'),
      what: name,
      consequence: say('mine.keepText'),
      yes: say('mine.keepYes'),
      no: say('mine.keepNo'),
      back: '/my/devices',
    }),
    async carryOut({ api, locale: { say } }, { name }) {
      const result = await api.act('DELETE', `/api/customer/device/${segment(name)}/takeOver`);
      return result.type === 'ok'
        ? seeOther('/my/devices', say('mine.kept', { name }))
        : refusedTo('/my/devices', say('mine.notKept', { name, why: refusalWords(result, say) }));
    },
  }),

  confirmPage('/my/devices/:id/give-back', CUSTOMER, {
    find: ({ api, params }) => api.get(`/api/device/info/${segment(params.id ?? '')}`, deviceInfoView),
    ask: ({ name }, { locale: { say } }) => ({
      title: say('mine.giveBackTitle'),
      what: name,
      consequence: say('mine.giveBackText'),
      yes: say('mine.giveBackYes'),
      no: say('part.keep'),
      back: '/my/devices',
    }),
    async carryOut({ api, locale: { say } }, { name }) {
      const result = await api.act('DELETE', `/api/customer/device/${segment(name)}/claim`);
      return result.type === 'ok'
        ? seeOther('/my/devices', say('mine.gaveBack', { name }))
        : refusedTo('/my/devices', say('mine.notGivenBack', { name, why: refusalWords(result, say) }));
    },
  }),
];
