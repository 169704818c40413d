/**
 * The tenant's devices: found by one search field, chips and an order, and selected, one by one or all that fit. What is then
 * done with them is asked and carried out in `batches.tsx`.
 */
import { z } from 'zod';
import type { ClaimState as ClaimStateName } from '../../../actors/device/claim-state.ts';
import { TENANT } from '../../auth/principal.ts';
import { customerView } from '../../views/customer.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { profileNameView } from '../../views/profile.ts';
import { refusalOf, toQuery, Unanswered } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Bar, type BarAction } from '../parts/bar.tsx';
import { Chip } from '../parts/chip.tsx';
import {
  type Filters,
  filtersOf,
  isFiltered,
  type Known,
  likeIn,
  listOf,
  profileNames,
  routeOf,
  SORTS,
  type Sort,
  sortOf,
  type Where,
  whereOf,
  word,
} from '../parts/device-filters.ts';
import { ClaimDetail, ClaimState, Description, type DeviceInfo } from '../parts/device-parts.tsx';
import { Head, Time } from '../parts/elements.tsx';
import { deviceCount, emptyText, Pager, pageOf, totalOf } from '../parts/list.tsx';
import { SavedViews, savedViewPages, savedViews } from '../parts/saved-views.tsx';
import { ACTIONS } from './batches.tsx';

const infosPage = pageView(deviceInfoView);
const customersPage = pageView(customerView);
const typesView = z.array(z.object({ type: z.string() }));
const PAGE_SIZE = 50;
/** Types and customers that the search field suggests, of each. */
const SUGGESTED = 50;
/** More are not changed at once. */
const BATCH_MAX = 25_000;

const NONE: z.output<typeof infosPage> = { data: [], totalElements: 0, totalPages: 0, hasNext: false };
const STATES: Readonly<Record<ClaimStateName, string>> = {
  UNCLAIMED: 'Unclaimed',
  WINDOW_OPEN: 'Window open',
  HAS_KEY: 'Waits for its key',
  FORBIDDEN: 'Not claimable',
  OWNED: 'Claimed or assigned',
};
const CONNECTED = { true: 'Now connected', false: 'Not connected' };

interface Suggested extends Known {
  readonly customers: readonly string[];
}

async function knownTo(api: SignedIn['api']): Promise<Suggested> {
  const [types, customers, profiles] = await Promise.all([
    api.get('/api/device/types', typesView),
    api.get(`/api/customers?${toQuery({ pageSize: SUGGESTED })}`, customersPage),
    api.get('/api/deviceProfile/names', z.array(profileNameView)),
  ]);
  return {
    types: types.map(({ type }) => type),
    customers: customers.data.map(({ title }) => title),
    profiles,
  };
}

/** The devices that the filters leave; where there are none, `why` says what could be done. */
async function findDevices({ api, query, locale }: SignedIn, filters: Filters, known: Known) {
  const described = await whereOf(api, filters, known, locale.say);
  if (described.type === 'refused') return { ...NONE, why: described.message };
  const where = described.value;
  const sort = sortOf(filters, where);
  const part = { page: pageOf(query), pageSize: PAGE_SIZE, ...SORTS[sort] };
  const answer = await api.send('GET', routeOf(where, part));
  if (answer.status === 200)
    return { ...infosPage.parse(answer.json), ...totalOf(answer), where, sort, why: 'No device fits.' };
  // A search that reached its bound says so, and what to do.
  if (answer.status === 400) return { ...NONE, why: refusalOf(answer).message };
  throw new Unanswered(refusalOf(answer));
}

type Found = Awaited<ReturnType<typeof findDevices>>;

async function listReply(visit: SignedIn): Promise<PageReply> {
  const { api, query, locale } = visit;
  const filters = filtersOf(query);
  const [known, views] = await Promise.all([knownTo(api), savedViews(visit)]);
  const found = await findDevices(visit, filters, known);
  const filtered = isFiltered(filters);
  return {
    type: 'page',
    title: 'Devices',
    islands: found.data.length === 0 ? [] : ['select.js'],
    body: (
      <>
        <Head title="Devices" lead={deviceCount(locale, found, filtered)}>
          <div class="row">
            <a class="button" href="/devices/batches">
              Changes
            </a>
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
        <SearchForm filters={filters} known={known} />
        <SavedViews views={views} filters={filters} />
        <Chips filters={filters} known={known} />
        {found.data.length === 0 ? (
          <div class="card empty">
            <p>
              {emptyText(
                found,
                filtered ? found.why : 'There are no devices yet. Create one, or import a list.',
                locale,
              )}
            </p>
            {filtered ? <a href="/devices">Show all devices</a> : null}
          </div>
        ) : (
          <DeviceTable found={found} filters={filters} visit={visit} />
        )}
        <Pager
          path="/devices"
          query={withoutSelection(query)}
          size={PAGE_SIZE}
          found={found}
          locale={locale}
        />
      </>
    ),
  };
}

function withoutSelection(query: URLSearchParams): URLSearchParams {
  const kept = new URLSearchParams(query);
  for (const name of ['id', 'all', 'pick']) kept.delete(name);
  return kept;
}

function SearchForm({ filters, known }: { filters: Filters; known: Suggested }) {
  const { search, ...others } = filters;
  return (
    <search>
      <form class="search" action="/devices">
        <div>
          <label for="search">Name, description, type, customer or profile</label>
          <input
            id="search"
            type="search"
            name="search"
            value={search}
            maxlength={255}
            list="known"
            autocomplete="off"
            aria-describedby="search-hint"
          />
          <datalist id="known">
            {known.types.slice(0, SUGGESTED).map((type) => (
              <option value={word('type', type)} />
            ))}
            {known.customers.map((title) => (
              <option value={word('customer', title)} />
            ))}
            {known.profiles.slice(0, SUGGESTED).map(({ name }) => (
              <option value={word('profile', name)} />
            ))}
          </datalist>
        </div>
        {Object.entries(others).map(([name, value]) =>
          value === '' ? null : <input type="hidden" name={name} value={value} />,
        )}
        <button type="submit">Search</button>
      </form>
      <small id="search-hint">
        Also <code>type:lamp</code>, <code>customer:"Ann Lee"</code> and <code>profile:default</code>, alone
        or beside words.
      </small>
    </search>
  );
}

function Chips({ filters, known }: { filters: Filters; known: Suggested }) {
  const { search, state, active } = filters;
  const meanings = [
    ['type', likeIn(known.types, search)],
    ['customer', likeIn(known.customers, search)],
    ['profile', likeIn(profileNames(known.profiles), search)],
  ] as const;
  return (
    <nav class="chips" aria-label="Filters">
      <Chip to={listOf({ ...filters, state: '' })} chosen={state === ''}>
        All
      </Chip>
      {Object.entries(STATES).map(([value, text]) => (
        <Chip to={listOf({ ...filters, state: value })} chosen={state === value}>
          {text}
        </Chip>
      ))}
      {Object.entries(CONNECTED).map(([value, text]) => (
        <Chip to={listOf({ ...filters, active: active === value ? '' : value })} chosen={active === value}>
          {text}
        </Chip>
      ))}
      <Chip
        to={listOf({ ...filters, sort: filters.sort === '-created' ? '' : '-created' })}
        chosen={filters.sort === '-created'}
      >
        Newest first
      </Chip>
      {meanings.map(([name, value]) =>
        value === undefined ? null : (
          <Chip to={listOf({ ...filters, search: word(name, value) })} chosen={false}>
            {`Of the ${name} ${value}`}
          </Chip>
        ),
      )}
    </nav>
  );
}

interface TableProps {
  readonly found: Found;
  readonly filters: Filters;
  readonly visit: SignedIn;
}

function DeviceTable({ found, filters, visit }: TableProps) {
  const { query } = visit;
  const where = 'where' in found ? found.where : {};
  const sort = 'sort' in found ? found.sort : 'name';
  const picked = new Set(query.getAll('id'));
  const whole = query.get('pick') === 'page' || query.get('all') === 'yes';
  const heading = { filters, sort, where };
  return (
    <form method="post" action="/devices/selected" class="card fleet" data-select>
      <Selecting found={found} where={where} visit={visit} />
      <table class="cards">
        <caption class="sr">Devices</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="sr">Select</span>
            </th>
            <SortHeading {...heading} by="name" text="Name" />
            <th scope="col">Type</th>
            <th scope="col">State</th>
            <th scope="col">Owner, or until when</th>
            <SortHeading {...heading} by="created" text="Created" />
          </tr>
        </thead>
        <tbody>
          {found.data.map((device) => (
            <Row device={device} checked={whole || picked.has(device.id.id)} visit={visit} />
          ))}
        </tbody>
      </table>
      <Bar legend="With the selected devices" actions={BAR} />
    </form>
  );
}

function Row({ device, checked, visit }: { device: DeviceInfo; checked: boolean; visit: SignedIn }) {
  const { id, name, type, createdTime } = device;
  return (
    <tr>
      <td class="pick">
        <input type="checkbox" name="id" value={id.id} checked={checked} aria-label={`Select ${name}`} />
      </td>
      <th scope="row">
        <a href={`/devices/${id.id}`}>{name}</a>
        <Description device={device} />
      </th>
      <td data-label="Type">{type}</td>
      <td>
        <ClaimState device={device} visit={visit} />
      </td>
      <td>
        <ClaimDetail device={device} visit={visit} />
      </td>
      <td data-label="Created">
        <small>
          <Time at={createdTime} now={visit.nowMs} locale={visit.locale} />
        </small>
      </td>
    </tr>
  );
}

/** The other order of a column that is sorted by, else its first one. Undefined where no index answers it. */
function nextSort(by: 'name' | 'created', sort: Sort, { customerId }: Where): Sort | undefined {
  if (by === 'created' && customerId !== undefined) return undefined;
  if (by === 'created') return sort === '-created' ? 'created' : '-created';
  return sort === 'name' ? '-name' : 'name';
}

interface HeadingProps {
  readonly filters: Filters;
  readonly sort: Sort;
  readonly where: Where;
  readonly by: 'name' | 'created';
  readonly text: string;
}

function SortHeading({ filters, sort, where, by, text }: HeadingProps) {
  const next = nextSort(by, sort, where);
  if (next === undefined) return <th scope="col">{text}</th>;
  const isDescending = sort === `-${by}`;
  const order = isDescending ? 'descending' : 'ascending';
  const isSorted = sort === by || isDescending;
  return (
    <th scope="col" {...(isSorted ? { 'aria-sort': order } : {})}>
      <a href={listOf({ ...filters, sort: next })}>
        {text}
        <span aria-hidden="true">{isSorted ? (isDescending ? ' ↓' : ' ↑') : ' ↕'}</span>
      </a>
    </th>
  );
}

/** What is selected at once: the page, or all that fit. Where nobody knows how many that are, it is not offered. */
function Selecting({ found, where, visit }: { found: Found; where: Where; visit: SignedIn }) {
  const { query, locale } = visit;
  const { totalElements: total } = found;
  const atLeast = 'atLeast' in found && found.atLeast;
  const here = withoutSelection(query);
  const address = `/devices?${here}`;
  here.set('pick', 'page');
  const isOffered = !atLeast && total > found.data.length;
  return (
    <div class="selecting">
      <input type="hidden" name="from" value={address} />
      <a href={`/devices?${here}`} data-page>
        Select this page
      </a>
      {isOffered && total <= BATCH_MAX ? (
        <>
          <input type="hidden" name="where" value={JSON.stringify(where)} />
          <input type="hidden" name="total" value={String(total)} />
          <label class="check">
            <input
              type="checkbox"
              name="all"
              value="yes"
              checked={query.get('all') === 'yes'}
              data-total={String(total)}
            />
            Select all {locale.number(total)} that fit
          </label>
        </>
      ) : null}
      {atLeast || total > BATCH_MAX ? (
        <small>To select all that fit, describe fewer: at most {locale.number(BATCH_MAX)}.</small>
      ) : null}
    </div>
  );
}

/** Deleting comes last, apart from what is pressed often. */
const BAR: readonly BarAction[] = [
  ...Object.entries(ACTIONS).flatMap(([value, { label }]) => (value === 'delete' ? [] : { value, label })),
  { value: 'labels', label: 'Print labels' },
  { value: 'export', label: 'Export…' },
  { value: 'delete', label: 'Delete…', danger: true },
];

export const devicesPages: readonly Page[] = [
  memberPage('/devices', TENANT, { get: listReply }),
  ...savedViewPages,
];
