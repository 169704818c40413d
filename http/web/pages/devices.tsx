/**
 * The tenant's devices: found by one search field, chips and an order, and selected, one by one or all that fit. What is then
 * done with them is asked and carried out in `batches.tsx`.
 */
import { z } from 'zod';
import { CLAIM_STATES } from '../../../actors/device/claim-state.ts';
import { TENANT } from '../../auth/principal.ts';
import { customerView } from '../../views/customer.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { profileNameView } from '../../views/profile.ts';
import { refusalOf, segment, toQuery, Unanswered } from '../api.ts';
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
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';
import { ACTION_NAMES } from './batches.tsx';
import type { SelectScriptWords } from './select-words.ts';

const infosPage = pageView(deviceInfoView);
const customersPage = pageView(customerView);
const typesView = z.array(z.object({ type: z.string() }));
const PAGE_SIZE = 50;
/** Types and customers that the search field suggests, of each. */
const SUGGESTED = 50;
/** More are not changed at once. */
const BATCH_MAX = 25_000;

const NONE: z.output<typeof infosPage> = { data: [], totalElements: 0, totalPages: 0, hasNext: false };
const CONNECTED = [
  ['true', 'fleet.connected'],
  ['false', 'fleet.notConnected'],
] as const;

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
  const { say } = locale;
  const described = await whereOf(api, filters, known, say);
  if (described.type === 'refused') return { ...NONE, why: described.message };
  const where = described.value;
  const sort = sortOf(filters, where);
  const part = { page: pageOf(query), pageSize: PAGE_SIZE, ...SORTS[sort] };
  // In parts: a search that takes too long goes on where it was.
  const place = where.textSearch === undefined ? `&after=${segment(query.get('after') ?? '')}` : '';
  const answer = await api.send('GET', `${routeOf(where, part)}${place}`);
  if (answer.status === 200)
    return { ...infosPage.parse(answer.json), ...totalOf(answer), where, sort, why: say('fleet.noneFits') };
  // A search that reached its bound says so, and what to do.
  if (answer.status === 400)
    return { ...NONE, why: refusalWords(refusalOf(answer), say, say('fleet.cannotSearch')) };
  throw new Unanswered(refusalOf(answer));
}

type Found = Awaited<ReturnType<typeof findDevices>>;

async function listReply(visit: SignedIn): Promise<PageReply> {
  const { api, query, locale } = visit;
  const { say } = locale;
  const filters = filtersOf(query);
  const [known, views] = await Promise.all([knownTo(api), savedViews(visit)]);
  const found = await findDevices(visit, filters, known);
  const filtered = isFiltered(filters);
  return {
    type: 'page',
    title: say('frame.fleet'),
    islands: found.data.length === 0 ? [] : ['select.js'],
    body: (
      <>
        <Head title={say('frame.fleet')} lead={deviceCount(locale, found, filtered)}>
          <div class="row">
            <a class="button" href="/devices/batches">
              {say('fleet.changes')}
            </a>
            <a class="button" href="/kits">
              {say('kits.title')}
            </a>
            <a class="button" href="/devices/import">
              {say('settings.import')}
            </a>
            <a class="button primary" href="/devices/new">
              {say('new.title')}
            </a>
          </div>
        </Head>
        <SearchForm filters={filters} known={known} say={say} />
        <SavedViews views={views} filters={filters} say={say} />
        <Chips filters={filters} known={known} say={say} />
        {found.data.length === 0 ? (
          <div class="card empty">
            <p>{emptyText(found, whyNone(found, filtered, say), locale)}</p>
            {filtered ? <a href="/devices">{say('mine.showAll')}</a> : null}
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

function whyNone(found: Found, isFiltered: boolean, say: Say): string {
  if ('next' in found && found.next !== undefined) return say('fleet.noneYet');
  return isFiltered ? found.why : say('fleet.none');
}

function withoutSelection(query: URLSearchParams): URLSearchParams {
  const kept = new URLSearchParams(query);
  for (const name of ['id', 'all', 'pick']) kept.delete(name);
  return kept;
}

interface FilterProps {
  readonly filters: Filters;
  readonly known: Suggested;
  readonly say: Say;
}

function SearchForm({ filters, known, say }: FilterProps) {
  const { search, ...others } = filters;
  return (
    <search>
      <form class="search" action="/devices">
        <div>
          <label for="search">{say('fleet.searchLabel')}</label>
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
        <button type="submit">{say('list.search')}</button>
      </form>
      <small id="search-hint">
        {say.pieces('fleet.searchHint', {
          type: <code>type:lamp</code>,
          customer: <code>customer:"Ann Lee"</code>,
          profile: <code>profile:default</code>,
        })}
      </small>
    </search>
  );
}

function Chips({ filters, known, say }: FilterProps) {
  const { search, state, active } = filters;
  const meanings = [
    ['type', 'fleet.ofType', likeIn(known.types, search)],
    ['customer', 'fleet.ofCustomer', likeIn(known.customers, search)],
    ['profile', 'fleet.ofProfile', likeIn(profileNames(known.profiles), search)],
  ] as const;
  return (
    <nav class="chips" aria-label={say('fleet.filters')}>
      <Chip to={listOf({ ...filters, state: '' })} chosen={state === ''}>
        {say('fleet.all')}
      </Chip>
      {CLAIM_STATES.map((value) => (
        <Chip to={listOf({ ...filters, state: value })} chosen={state === value}>
          {say(`state.${value}`)}
        </Chip>
      ))}
      {CONNECTED.map(([value, text]) => (
        <Chip to={listOf({ ...filters, active: active === value ? '' : value })} chosen={active === value}>
          {say(text)}
        </Chip>
      ))}
      <Chip
        to={listOf({ ...filters, sort: filters.sort === '-created' ? '' : '-created' })}
        chosen={filters.sort === '-created'}
      >
        {say('fleet.newest')}
      </Chip>
      {meanings.map(([name, text, value]) =>
        value === undefined ? null : (
          <Chip to={listOf({ ...filters, search: word(name, value) })} chosen={false}>
            {say(text, { value })}
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
  const { say } = visit.locale;
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
        <caption class="sr">{say('frame.fleet')}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="sr">{say('fleet.select')}</span>
            </th>
            <SortHeading {...heading} by="name" text={say('mine.name')} />
            <th scope="col">{say('mine.type')}</th>
            <th scope="col">{say('kits.state')}</th>
            <th scope="col">{say('fleet.owner')}</th>
            <SortHeading {...heading} by="created" text={say('fleet.created')} />
          </tr>
        </thead>
        <tbody>
          {found.data.map((device) => (
            <Row device={device} checked={whole || picked.has(device.id.id)} visit={visit} />
          ))}
        </tbody>
      </table>
      <Bar legend={say('fleet.with')} actions={barIn(say)} />
    </form>
  );
}

function Row({ device, checked, visit }: { device: DeviceInfo; checked: boolean; visit: SignedIn }) {
  const { id, name, type, createdTime } = device;
  const { say } = visit.locale;
  return (
    <tr>
      <td class="pick">
        <input
          type="checkbox"
          name="id"
          value={id.id}
          checked={checked}
          aria-label={say('fleet.selectOf', { name })}
        />
      </td>
      <th scope="row">
        <a href={`/devices/${id.id}`}>
          <bdi>{name}</bdi>
        </a>
        <Description device={device} />
      </th>
      <td data-label={say('mine.type')}>
        <bdi>{type}</bdi>
      </td>
      <td>
        <ClaimState device={device} visit={visit} />
      </td>
      <td>
        <ClaimDetail device={device} visit={visit} />
      </td>
      <td data-label={say('fleet.created')}>
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
  const { say } = locale;
  const { totalElements: total } = found;
  const atLeast = 'atLeast' in found && found.atLeast;
  const here = withoutSelection(query);
  const address = `/devices?${here}`;
  here.set('pick', 'page');
  const isOffered = !atLeast && total > found.data.length;
  return (
    <div class="selecting" data-words={JSON.stringify(scriptWords(say))}>
      <input type="hidden" name="from" value={address} />
      <a href={`/devices?${here}`} data-page>
        {say('fleet.selectPage')}
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
            {say('fleet.selectAll', { count: total })}
          </label>
        </>
      ) : null}
      {atLeast || total > BATCH_MAX ? <small>{say('fleet.fewer', { max: BATCH_MAX })}</small> : null}
    </div>
  );
}

/** For the browser's part, which fills in what stands for itself here. */
const scriptWords = (say: Say): SelectScriptWords => ({
  selected: say('fleet.selected', { count: '{count}' }),
  page: say('fleet.selectPage'),
  none: say('fleet.selectNone'),
});

/** Deleting comes last, apart from what is pressed often. */
const barIn = (say: Say): readonly BarAction[] => [
  ...ACTION_NAMES.flatMap((name) =>
    name === 'delete' ? [] : { value: name, label: say(`batch.${name}.label`) },
  ),
  { value: 'labels', label: say('fleet.printLabels') },
  { value: 'export', label: say('fleet.export') },
  { value: 'delete', label: say('batch.delete.label'), danger: true },
];

export const devicesPages: readonly Page[] = [
  memberPage('/devices', TENANT, { get: listReply }),
  ...savedViewPages,
];
