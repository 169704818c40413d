/** A customer's own devices: found, and given back. */
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { part, query } from '../api.ts';
import { memberPage, type Page, refusedTo, seeOther } from '../page.ts';
import { confirmReply } from '../parts/confirm.tsx';
import { Pager, pageOf, rangeOf, Time } from '../parts/layout.tsx';

const infosPage = pageView(deviceInfoView);
const PAGE_SIZE = 20;

export const myDevicePages: readonly Page[] = [
  memberPage('/my/devices', ['CUSTOMER_USER'], {
    async get({ api, user, query: given, locale, nowMs }) {
      const page = pageOf(given);
      const search = given.get('search') ?? '';
      const wanted = query({ page, pageSize: PAGE_SIZE, sortProperty: 'name', textSearch: search });
      const found = await api.get(`/api/customer/${user.customerId.id}/deviceInfos?${wanted}`, infosPage);
      const { data, totalElements: total } = found;
      return {
        type: 'page',
        title: 'My devices',
        body: (
          <>
            <div class="head">
              <div>
                <h1>My devices</h1>
                <p class="lead">
                  {total === 1 ? '1 device' : `${locale.number(total)} devices`}
                  {search === '' ? '' : ' found'}
                </p>
              </div>
              <a class="button primary" href="/claim">
                Claim a device
              </a>
            </div>
            <search>
              <form class="search" action="/my/devices">
                <div>
                  <label for="search">Search by name or label</label>
                  <input id="search" type="search" name="search" value={search} maxlength={255} />
                </div>
                <button type="submit">Search</button>
              </form>
            </search>
            {data.length === 0 ? (
              <div class="card empty">
                {search === ''
                  ? 'You have no devices yet. Claim your first one.'
                  : 'Nothing is called like that.'}
              </div>
            ) : (
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
                    {data.map((device) => (
                      <tr>
                        <th scope="row">
                          {device.name}
                          {device.label === null ? null : (
                            <>
                              {' '}
                              <small>{device.label}</small>
                            </>
                          )}
                        </th>
                        <td data-label="Type">{device.type}</td>
                        <td data-label="Yours since">
                          {device.ownedSince === null ? null : (
                            <Time at={device.ownedSince} now={nowMs} locale={locale} />
                          )}
                        </td>
                        <td>
                          <a href={`/my/devices/${device.id.id}/give-back`}>
                            Give back<span class="sr"> {device.name}</span>
                          </a>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            <Pager
              path="/my/devices"
              query={given}
              page={page}
              hasNext={found.hasNext}
              summary={rangeOf(locale, page, PAGE_SIZE, data.length, total)}
            />
          </>
        ),
      };
    },
  }),

  memberPage('/my/devices/:id/give-back', ['CUSTOMER_USER'], {
    async get({ api, params }) {
      const device = await api.get(`/api/device/info/${part(params.id ?? '')}`, deviceInfoView);
      return confirmReply({
        title: 'Give it back?',
        what: device.name,
        consequence:
          'It will not be yours any more, and somebody else can claim it. To have it again you need its label, and the device has to open its claim window.',
        action: `/my/devices/${device.id.id}/give-back`,
        yes: 'Give it back',
        back: '/my/devices',
      });
    },
    async post({ api, params }) {
      const device = await api.get(`/api/device/info/${part(params.id ?? '')}`, deviceInfoView);
      const given = await api.act('DELETE', `/api/customer/device/${part(device.name)}/claim`);
      return given.type === 'ok'
        ? seeOther('/my/devices', `You gave “${device.name}” back.`)
        : refusedTo('/my/devices', `“${device.name}” was not given back: ${given.message}`);
    },
  }),
];
