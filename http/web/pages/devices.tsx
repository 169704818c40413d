/** The tenant's devices: listed, and done with several at once: allow or forbid claiming, set keys, print labels. */

import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { CLAIM_STATES, type ClaimState as ClaimStateName } from '../../wire/schemas.ts';
import { refusalOf, segment, toQuery, Unanswered } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { DaysField, newClaimingData } from '../parts/claim-key.tsx';
import { questionReply } from '../parts/confirm.tsx';
import {
  ClaimDetail,
  ClaimState,
  Description,
  type DeviceInfo,
  findCustomer,
} from '../parts/device-parts.tsx';
import { Head } from '../parts/elements.tsx';
import { deviceCount, emptyText, Pager, pageOf, totalOf } from '../parts/list.tsx';

const infosPage = pageView(deviceInfoView);
const PAGE_SIZE = 50;
const NONE: z.output<typeof infosPage> = { data: [], totalElements: 0, totalPages: 0, hasNext: false };
const STATES: Readonly<Record<ClaimStateName, string>> = {
  UNCLAIMED: 'Unclaimed',
  WINDOW_OPEN: 'Window open',
  OWNED: 'Claimed or assigned',
};
const CONNECTED = { true: 'Now connected', false: 'Not connected' };
/** How many devices one form can be about. */
export const SELECTED_MAX = 200;

interface Filters {
  readonly search: string;
  readonly type: string;
  readonly owner: string;
  readonly state: string;
  readonly active: string;
}

function filtersOf(query: URLSearchParams): Filters {
  const text = (name: string) => (query.get(name) ?? '').trim();
  return {
    search: text('search'),
    type: text('type'),
    owner: text('owner'),
    state: text('state'),
    active: text('active'),
  };
}

/** The devices that the filters leave; where there are none, `why` says what could be done. */
async function findDevices({ api, query }: SignedIn, { search, type, owner, state, active }: Filters) {
  let route = '/api/tenant/deviceInfos';
  if (owner !== '') {
    const customer = await findCustomer(api, owner);
    if (customer.type === 'refused') return { ...NONE, why: customer.message };
    route = `/api/customer/${customer.value.id.id}/deviceInfos`;
  }
  const wanted = toQuery({
    page: pageOf(query),
    pageSize: PAGE_SIZE,
    // Devices of one type are stored in the order of creation: listing them so costs nothing, however many there are.
    sortProperty: type !== '' && search === '' ? 'createdTime' : 'name',
    textSearch: search,
    type,
    active,
    claimState: CLAIM_STATES.find((name) => name === state),
  });
  const answer = await api.send('GET', `${route}?${wanted}`);
  if (answer.status === 200)
    return { ...infosPage.parse(answer.json), ...totalOf(answer), why: 'No device fits.' };
  // A search that reached its bound says so, and what to do.
  if (answer.status === 400) return { ...NONE, why: refusalOf(answer).message };
  throw new Unanswered(refusalOf(answer));
}

async function listReply(visit: SignedIn): Promise<PageReply> {
  const { query, locale } = visit;
  const filters = filtersOf(query);
  const found = await findDevices(visit, filters);
  const filtered = Object.values(filters).some((value) => value !== '');
  return {
    type: 'page',
    title: 'Devices',
    body: (
      <>
        <Head title="Devices" lead={deviceCount(locale, found, filtered)}>
          <div class="row">
            <a class="button" href="/kits">
              Kits
            </a>
            <a class="button" href="/devices/import">
              Import
            </a>
            <a class="button primary" href="/devices/new">
              New device
            </a>
          </div>
        </Head>
        <FilterForm filters={filters} />
        {found.data.length === 0 ? (
          <div class="card empty">
            <p>
              {emptyText(
                found,
                filtered ? found.why : 'There are no devices yet. Create one, or import a list.',
              )}
            </p>
            {filtered ? <a href="/devices">Show all devices</a> : null}
          </div>
        ) : (
          <DeviceTable devices={found.data} visit={visit} />
        )}
        <Pager path="/devices" query={query} size={PAGE_SIZE} found={found} locale={locale} />
      </>
    ),
  };
}

function FilterForm({ filters: { search, type, owner, state, active } }: { filters: Filters }) {
  return (
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
        <Choice name="state" label="State" options={STATES} chosen={state} />
        <Choice name="active" label="Connected" options={CONNECTED} chosen={active} />
        <button type="submit">Search</button>
      </form>
    </search>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly options: Readonly<Record<string, string>>;
  readonly chosen: string;
}

function Choice({ name, label, options, chosen }: ChoiceProps) {
  return (
    <div class="small">
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        <option value="">All</option>
        {Object.entries(options).map(([value, text]) => (
          <option value={value} selected={value === chosen}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

function DeviceTable({ devices, visit }: { devices: readonly DeviceInfo[]; visit: SignedIn }) {
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
            <th scope="col">Owner, or until when</th>
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
                <Description device={device} />
              </th>
              <td data-label="Type">{device.type}</td>
              <td>
                <ClaimState device={device} visit={visit} />
              </td>
              <td>
                <ClaimDetail device={device} visit={visit} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <SelectedActions />
    </form>
  );
}

const ACTIONS = [
  ['labels', 'Print labels'],
  ['keys', 'Set new keys'],
  ['allow', 'Allow claiming'],
  ['forbid', 'Forbid claiming'],
] as const;

function SelectedActions() {
  return (
    <fieldset class="selected">
      <legend>With the selected devices</legend>
      <div class="row">
        {ACTIONS.map(([value, text]) => (
          <button type="submit" name="do" value={value}>
            {text}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

/** Labels that were printed do not work any more, so it is asked before. */
const newKeysReply = (ids: readonly string[]): PageReply =>
  questionReply(
    {
      title: 'Set new keys?',
      what: ids.length === 1 ? 'For one device' : `For ${ids.length} devices`,
      consequence:
        'Labels that were printed with the keys that they have now do not work any more: print new ones.',
      fields: (
        <>
          {ids.map((id) => (
            <input type="hidden" name="id" value={id} />
          ))}
          <input type="hidden" name="do" value="keys" />
          <input type="hidden" name="sure" value="yes" />
          <div class="field">
            <DaysField label="Valid for days" />
          </div>
        </>
      ),
      yes: 'Set new keys',
      no: 'Keep the keys as they are',
      back: '/devices',
    },
    '/devices/selected',
  );

async function changeSelected({ api, form, nowMs }: SignedIn): Promise<PageReply> {
  const ids = form.all('id').slice(0, SELECTED_MAX);
  if (ids.length === 0) return refusedTo('/devices', 'Select devices first.');
  const labels = `/devices/labels?ids=${ids.map(segment).join(',')}`;
  const action = form.text('do');
  if (action === 'labels') return seeOther(labels);
  if (action === 'keys' && form.text('sure') !== 'yes') return newKeysReply(ids);
  // Each device gets a key of its own.
  const attributes = () =>
    action === 'keys' ? newClaimingData(nowMs, form.text('days')) : { claimingAllowed: action === 'allow' };
  const results = await Promise.all(
    ids.map((id) => api.act('POST', `/api/plugins/telemetry/${segment(id)}/SERVER_SCOPE`, attributes())),
  );
  const refusals = results.flatMap((result) => (result.type === 'refused' ? result.message : []));
  const to = action === 'keys' && form.text('then') === 'labels' ? labels : '/devices';
  return refusals.length === 0
    ? seeOther(to, `Done for ${ids.length} device${ids.length === 1 ? '' : 's'}.`)
    : refusedTo(to, `It failed for ${refusals.length} of ${ids.length}: ${refusals[0]}`);
}

export const devicesPages: readonly Page[] = [
  memberPage('/devices', TENANT, { get: listReply }),
  memberPage('/devices/selected', TENANT, { post: changeSelected }),
];
