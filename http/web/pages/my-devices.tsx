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
import { count, emptyText, Pager, pageOf, Search } from '../parts/list.tsx';

const infosPage = pageView(deviceInfoView);
const losses = z.array(lossView);
const PAGE_SIZE = 20;

async function listReply(visit: SignedIn): Promise<PageReply> {
  const { api, user, query, locale } = visit;
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
    title: 'My devices',
    body: (
      <>
        <Head
          title="My devices"
          lead={`${count(locale, found.totalElements, 'device')}${search === '' ? '' : ' found'}`}
        >
          <a class="button primary" href="/claim">
            Claim a device
          </a>
        </Head>
        {lost[0] === undefined ? null : (
          <p class="note warn" role="status">
            “{lost[0].deviceName}” is no longer yours: {lossWords(lost[0])}.{' '}
            <a href="/my/lost">All devices that you lost</a>
          </p>
        )}
        <Search path="/my/devices" label="Search by name or label" value={search} />
        {found.data.length === 0 ? (
          <div class="card empty">
            <p>
              {emptyText(
                found,
                search === '' ? 'You have no devices yet. Claim your first one.' : 'Nothing has this name.',
              )}
            </p>
            {search === '' ? <a href="/claim">Claim a device</a> : <a href="/my/devices">Show all devices</a>}
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

function lossWords({ by }: Lost): string {
  switch (by) {
    case 'reset':
      return 'it was reset to its factory settings';
    case 'take-over':
      return 'somebody who has it in hand took it over';
    default:
      return unreachable(by);
  }
}

/** N6: what was lost without being given back. */
async function lostReply({ api, locale, nowMs }: SignedIn): Promise<PageReply> {
  const all = await api.get('/api/lostDevices', losses);
  return {
    type: 'page',
    title: 'Devices you lost',
    body: (
      <>
        <Head
          title="Devices you lost"
          lead="Devices that left you in the last 90 days without your giving them back. If that was not you, tell your supplier."
        />
        {all.length === 0 ? (
          <div class="card empty">You lost none.</div>
        ) : (
          <div class="card tablecard">
            <table class="cards">
              <caption class="sr">Devices you lost</caption>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">When</th>
                  <th scope="col">What happened</th>
                </tr>
              </thead>
              <tbody>
                {all.map((loss) => (
                  <tr>
                    <th scope="row">{loss.deviceName}</th>
                    <td data-label="When">
                      <Time at={loss.lostTime} now={nowMs} locale={locale} />
                    </td>
                    <td data-label="What happened">{lossWords(loss)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <p>
          <a href="/my/devices">My devices</a>
        </p>
      </>
    ),
  };
}

/** Somebody wants the device, or might: its owner hears of it here. */
function TakeOver({ device, visit: { locale } }: { device: DeviceInfo; visit: SignedIn }) {
  const { takeOver, claimWindow } = device;
  if (takeOver === null && claimWindow === null) return null;
  return (
    <p class="note warn" role="status">
      {takeOver === null ? (
        'The device has opened a claim window: whoever has it in hand may want to take it over. '
      ) : (
        <>
          Somebody wants to take it over. Unless you object, it will be theirs at{' '}
          <Time at={takeOver.completesAt} locale={locale} />.{' '}
        </>
      )}
      <a href={`/my/devices/${device.id.id}/object`}>
        Object<span class="sr"> to losing {device.name}</span>
      </a>
    </p>
  );
}

function DeviceTable({ devices, visit }: { devices: readonly DeviceInfo[]; visit: SignedIn }) {
  const { locale, nowMs } = visit;
  return (
    <div class="card tablecard">
      <table class="cards">
        <caption class="sr">Your devices</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Type</th>
            <th scope="col">Yours since</th>
            <th scope="col">
              <span class="sr">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <tr>
              <th scope="row">
                <a href={`/my/devices/${device.id.id}`}>{device.name}</a>
                <Description device={device} />
              </th>
              <td data-label="Type">{device.type}</td>
              <td data-label="Yours since">
                {device.ownedSince === null ? null : (
                  <Time at={device.ownedSince} now={nowMs} locale={locale} />
                )}
                {device.offer === null ? null : (
                  <>
                    {' '}
                    <small>on offer</small>
                  </>
                )}
              </td>
              <td>
                <TakeOver device={device} visit={visit} />
                <div class="links">
                  <a href={`/my/devices/${device.id.id}/history`}>
                    History<span class="sr"> of {device.name}</span>
                  </a>
                  <a href={`/my/devices/${device.id.id}/hand-over`}>
                    Hand over<span class="sr"> {device.name}</span>
                  </a>
                  <a href={`/my/devices/${device.id.id}/give-back`}>
                    Give back<span class="sr"> {device.name}</span>
                  </a>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export const myDevicePages: readonly Page[] = [
  memberPage('/my/devices', CUSTOMER, { get: listReply }),
  memberPage('/my/lost', CUSTOMER, { get: lostReply }),

  confirmPage('/my/devices/:id/object', CUSTOMER, {
    find: ({ api, params }) => api.get(`/api/device/info/${segment(params.id ?? '')}`, deviceInfoView),
    ask: ({ name }) => ({
      title: 'Keep it?',
      what: name,
      consequence:
        'Nobody takes it over now. Whoever has the device in hand can ask again: if that is not you, tell your supplier.',
      yes: 'I object: it is mine',
      no: 'Not now',
      back: '/my/devices',
    }),
    async carryOut({ api }, { name }) {
      const result = await api.act('DELETE', `/api/customer/device/${segment(name)}/takeOver`);
      return result.type === 'ok'
        ? seeOther('/my/devices', `“${name}” stays yours.`)
        : refusedTo('/my/devices', `“${name}”: ${result.message}`);
    },
  }),

  confirmPage('/my/devices/:id/give-back', CUSTOMER, {
    find: ({ api, params }) => api.get(`/api/device/info/${segment(params.id ?? '')}`, deviceInfoView),
    ask: ({ name }) => ({
      title: 'Give it back?',
      what: name,
      consequence:
        'It will not be yours any more, and whoever has it in hand can claim it. Your own name for it is removed here; what is stored on the device itself stays there until you reset it. A key that its supplier had printed has been used up: to have it again, the device has to open its claim window, or its supplier sets a new key.',
      yes: 'Give it back',
      back: '/my/devices',
    }),
    async carryOut({ api }, { name }) {
      const result = await api.act('DELETE', `/api/customer/device/${segment(name)}/claim`);
      return result.type === 'ok'
        ? seeOther('/my/devices', `You gave “${name}” back.`)
        : refusedTo('/my/devices', `“${name}” was not given back: ${result.message}`);
    },
  }),
];
