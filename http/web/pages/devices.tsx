/** The tenant's devices: found, created, and several at once allowed, forbidden, given keys, printed on labels. */

import { customerView } from '../../views/customer.ts';
import { deviceInfoView, deviceView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { CLAIM_STATES, type ClaimState as ClaimStateName } from '../../wire/schemas.ts';
import { failedOf, part, query, Unanswered } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { claimingData, daysOf } from '../parts/claim-key.ts';
import { ClaimDetail, ClaimState, type DeviceInfo } from '../parts/claim-state.tsx';
import { Field, Note, Pager, pageOf, rangeOf } from '../parts/layout.tsx';

const infosPage = pageView(deviceInfoView);
const PAGE_SIZE = 50;
const NOTHING = { data: [], totalElements: 0, totalPages: 0, hasNext: false };
const TENANT = ['TENANT_ADMIN'] as const;
const STATES: Readonly<Record<ClaimStateName, string>> = {
  UNCLAIMED: 'Unclaimed',
  WINDOW_OPEN: 'Window open',
  OWNED: 'Claimed or assigned',
};
/** Devices that one form can be about. */
export const SELECTED_MAX = 200;

function DeviceTable({ devices, visit }: { devices: readonly DeviceInfo[]; visit: SignedIn }) {
  const { locale, nowMs } = visit;
  return (
    <form method="post" action="/devices/selected" class="card tablecard">
      <table class="cards">
        <caption class="sr">Devices</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="sr">Select</span>
            </th>
            <th scope="col">Name</th>
            <th scope="col">Type</th>
            <th scope="col">State</th>
            <th scope="col">Whose, or until when</th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <tr>
              <td class="pick">
                <input type="checkbox" name="id" value={device.id.id} aria-label={`Select ${device.name}`} />
              </td>
              <th scope="row">
                <a href={`/devices/${device.id.id}`}>{device.name}</a>
                {device.label === null ? null : (
                  <>
                    {' '}
                    <small>{device.label}</small>
                  </>
                )}
              </th>
              <td data-label="Type">{device.type}</td>
              <td>
                <ClaimState device={device} locale={locale} nowMs={nowMs} />
              </td>
              <td>
                <ClaimDetail device={device} locale={locale} nowMs={nowMs} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <fieldset class="selected">
        <legend>With the selected devices</legend>
        <div class="row">
          <button type="submit" name="do" value="labels">
            Print labels
          </button>
          <button type="submit" name="do" value="keys">
            Set new keys
          </button>
          <button type="submit" name="do" value="allow">
            Allow claiming
          </button>
          <button type="submit" name="do" value="forbid">
            Forbid claiming
          </button>
        </div>
      </fieldset>
    </form>
  );
}

/** Those that the filters leave; where there are none, `why` says what could be done. */
async function findDevices({ api }: SignedIn, owner: string, wanted: string) {
  let path = '/api/tenant/deviceInfos';
  if (owner !== '') {
    const sent = await api.send('GET', `/api/tenant/customers?${query({ customerTitle: owner })}`);
    if (sent.status !== 200) return { ...NOTHING, why: `There is no customer “${owner}”.` };
    path = `/api/customer/${customerView.parse(sent.json).id.id}/deviceInfos`;
  }
  const sent = await api.send('GET', `${path}?${wanted}`);
  if (sent.status === 200) return { ...infosPage.parse(sent.json), why: 'No device fits.' };
  // A search that came to an end of its patience says so, and what to do.
  if (sent.status === 400) return { ...NOTHING, why: failedOf(sent).message };
  throw new Unanswered(failedOf(sent));
}

function NewDevicePage({ visit, failed }: { visit: SignedIn; failed?: string }) {
  const { form } = visit;
  return (
    <div class="card">
      <h1>New device</h1>
      {failed === undefined ? null : <Note kind="bad">{failed}</Note>}
      <form method="post" action="/devices/new">
        <Field
          name="name"
          label="Name"
          value={form.text('name')}
          maxlength={255}
          required
          verbatim
          hint="Unique among your devices; it is printed on the label."
        />
        <Field
          name="type"
          label="Type"
          value={form.text('type')}
          maxlength={255}
          hint="For example “thermostat”. Empty: default."
        />
        <Field name="label" label="Description" value={form.text('label')} maxlength={255} />
        <Field
          name="accessToken"
          label="Access token"
          value={form.text('accessToken')}
          maxlength={255}
          verbatim
          hint="With it the device connects. Empty: one is made."
        />
        <label class="check">
          <input type="checkbox" name="key" value="yes" /> Set a key for its label, so that it can be claimed
          without opening a window
        </label>
        <div class="row">
          <button type="submit" class="primary">
            Create
          </button>
          <a class="button" href="/devices">
            Cancel
          </a>
        </div>
      </form>
    </div>
  );
}

const newReply = (visit: SignedIn, failed?: string): PageReply => ({
  type: 'page',
  title: 'New device',
  narrow: true,
  status: failed === undefined ? 200 : 400,
  body: <NewDevicePage visit={visit} {...(failed === undefined ? {} : { failed })} />,
});

export const devicePages: readonly Page[] = [
  memberPage('/devices', TENANT, {
    async get(visit) {
      const { query: given, locale } = visit;
      const page = pageOf(given);
      const [search = '', type = '', active = '', owner = '', state = ''] = [
        'search',
        'type',
        'active',
        'owner',
        'state',
      ].map((name) => (given.get(name) ?? '').trim());
      const filtered = [search, type, active, owner, state].some((value) => value !== '');
      // Of one type they are listed in the order of creation, which costs nothing however many there are.
      const sortProperty = type !== '' && search === '' ? 'createdTime' : 'name';
      const claimState = CLAIM_STATES.find((known) => known === state);
      const filters = { textSearch: search, type, active, claimState };
      const wanted = query({ page, pageSize: PAGE_SIZE, sortProperty, ...filters });
      const found = await findDevices(visit, owner, wanted);
      const { why } = found;
      const { data, totalElements: total } = found;
      return {
        type: 'page',
        title: 'Devices',
        body: (
          <>
            <div class="head">
              <div>
                <h1>Devices</h1>
                <p class="lead">
                  {total === 1 ? '1 device' : `${locale.number(total)} devices`}
                  {filtered ? ' found' : ''}
                </p>
              </div>
              <div class="row">
                <a class="button" href="/devices/import">
                  Import
                </a>
                <a class="button primary" href="/devices/new">
                  New device
                </a>
              </div>
            </div>
            <search>
              <form class="search" action="/devices">
                <div>
                  <label for="search">Name or description</label>
                  <input id="search" type="search" name="search" value={search} maxlength={255} />
                </div>
                <div class="small">
                  <label for="type">Type</label>
                  <input id="type" name="type" value={type} maxlength={255} />
                </div>
                <div class="small">
                  <label for="owner">Customer</label>
                  <input id="owner" name="owner" value={owner} maxlength={255} />
                </div>
                <div class="small">
                  <label for="state">State</label>
                  <select id="state" name="state">
                    <option value="">All</option>
                    {CLAIM_STATES.map((known) => (
                      <option value={known} selected={known === state}>
                        {STATES[known]}
                      </option>
                    ))}
                  </select>
                </div>
                <div class="small">
                  <label for="active">Connected</label>
                  <select id="active" name="active">
                    <option value="">All</option>
                    <option value="true" selected={active === 'true'}>
                      Now connected
                    </option>
                    <option value="false" selected={active === 'false'}>
                      Not connected
                    </option>
                  </select>
                </div>
                <button type="submit">Search</button>
              </form>
            </search>
            {data.length === 0 ? (
              <div class="card empty">
                {filtered ? why : 'There are no devices yet. Create one, or import a list.'}
              </div>
            ) : (
              <DeviceTable devices={data} visit={visit} />
            )}
            <Pager
              path="/devices"
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

  memberPage('/devices/new', TENANT, {
    get: (visit) => newReply(visit),
    async post(visit) {
      const { api, form, nowMs } = visit;
      const body = {
        name: form.text('name').trim(),
        type: form.text('type').trim(),
        label: form.text('label').trim(),
      };
      const token = query({ accessToken: form.text('accessToken').trim() });
      const created = await api.post(`/api/device?${token}`, body, deviceView);
      if (created.type === 'failed') return newReply(visit, created.message);
      const { id } = created.value.id;
      if (form.text('key') === 'yes') {
        const data = { claimingData: claimingData(nowMs, daysOf('')) };
        const keyed = await api.act('POST', `/api/plugins/telemetry/${id}/SERVER_SCOPE`, data);
        if (keyed.type === 'failed')
          return refusedTo(`/devices/${id}`, `It was created, but has no key: ${keyed.message}`);
      }
      return seeOther(`/devices/${id}`, `“${body.name}” was created.`);
    },
  }),

  memberPage('/devices/selected', TENANT, {
    async post({ api, form, nowMs }) {
      const ids = form.all('id').slice(0, SELECTED_MAX);
      if (ids.length === 0) return refusedTo('/devices', 'Select devices first.');
      const what = form.text('do');
      if (what === 'labels') return seeOther(`/devices/labels?ids=${ids.map(part).join(',')}`);
      const values = () =>
        what === 'keys'
          ? { claimingData: claimingData(nowMs, daysOf(form.text('days'))) }
          : { claimingAllowed: what === 'allow' };
      const done = await Promise.all(
        ids.map((id) => api.act('POST', `/api/plugins/telemetry/${part(id)}/SERVER_SCOPE`, values())),
      );
      const failed = done.filter((result) => result.type === 'failed');
      const to =
        what === 'keys' && form.text('then') === 'labels'
          ? `/devices/labels?ids=${ids.map(part).join(',')}`
          : '/devices';
      return failed.length === 0
        ? seeOther(to, `Done for ${ids.length} device${ids.length === 1 ? '' : 's'}.`)
        : refusedTo(to, `It failed for ${failed.length} of ${ids.length}: ${failed[0]?.message}`);
    },
  }),
];
