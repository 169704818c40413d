/** The tenant's audit trail: filtered by kind, text, person, customer and time, and as a file of all that fits. */

import type { z } from 'zod';
import { ACTIONS as ALL_ACTIONS } from '../../../actors/audit/entry.ts';
import { TENANT } from '../../auth/principal.ts';
import { auditView } from '../../views/audit.ts';
import { pageView } from '../../views/page.ts';
import { userView } from '../../views/user.ts';
import { type Refused, type Result, refusalOf, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn } from '../page.ts';
import { DAY_MS, dayStart } from '../parts/days.ts';
import { findCustomer } from '../parts/device-parts.tsx';
import { Back, Field, Head, Note, Refusal } from '../parts/elements.tsx';
import { emptyText, Pager, pageOf } from '../parts/list.tsx';
import { actionWords, Trail } from '../parts/trail.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';

const PATH = '/audit';
const PAGE_SIZE = 50;
const auditPage = pageView(auditView);
const usersPage = pageView(userView);

/** What the form asks for, as it was typed. */
const FILTERS = ['search', 'action', 'who', 'customer', 'from', 'to', 'until'] as const;
type Filters = Readonly<Record<(typeof FILTERS)[number], string>>;

function filtersOf({ query }: SignedIn): Filters {
  const text = (name: string) => (query.get(name) ?? '').trim();
  const [search, action, who, customer, from, to, until] = FILTERS.map(text);
  return {
    search: search ?? '',
    action: action ?? '',
    who: who ?? '',
    customer: customer ?? '',
    from: from ?? '',
    to: to ?? '',
    until: until ?? '',
  };
}

/** What the API is asked for; ids in the place of names. */
interface Wanted {
  readonly userId: string | undefined;
  readonly customerId: string | undefined;
  readonly query: Readonly<Record<string, string | number | undefined>>;
}

async function wantedBy(visit: SignedIn, filters: Filters): Promise<Result<Wanted>> {
  const { api, locale } = visit;
  const { search, action, who, customer, from, to, until } = filters;
  const [begins, ends] = [dayStart(from, locale), dayStart(to, locale)];
  if ((from !== '' && begins === undefined) || (to !== '' && ends === undefined))
    return refused(locale.say('audit.dayWrong'));
  const user = who === '' ? undefined : await findUser(visit, who);
  if (user?.type === 'refused') return user;
  const owner = customer === '' ? undefined : await findCustomer(api, customer, locale.say);
  if (owner?.type === 'refused') return owner;
  const endOfDay = ends === undefined ? undefined : ends + DAY_MS - 1;
  return {
    type: 'ok',
    value: {
      userId: user?.value,
      customerId: owner?.value.id.id,
      query: {
        textSearch: search,
        actionTypes: action,
        startTime: begins,
        endTime: /^\d{1,15}$/.test(until) ? until : endOfDay,
      },
    },
  };
}

const refused = (message: string): Refused => ({
  type: 'refused',
  status: 400,
  message,
  retryAfterSeconds: undefined,
  reason: undefined,
});

async function findUser({ api, locale: { say } }: SignedIn, email: string): Promise<Result<string>> {
  const { data } = await api.get(`/api/users?${toQuery({ pageSize: 100, textSearch: email })}`, usersPage);
  const exact = data.find((user) => user.email.toLowerCase() === email.toLowerCase());
  const found = exact ?? (data.length === 1 ? data[0] : undefined);
  if (found !== undefined) return { type: 'ok', value: found.id.id };
  return refused(say(data.length === 0 ? 'audit.nobody' : 'audit.several', { email }));
}

type Found =
  | { readonly type: 'page'; readonly page: z.output<typeof auditPage> }
  /** Nothing yet; there is more before this instant. */
  | { readonly type: 'more'; readonly until: string }
  | { readonly type: 'refused'; readonly message: string };

/** Where a search that gave up says that it can go on. */
const GO_ON = /endTime=(\d+)/;

async function findEntries(visit: SignedIn, filters: Filters): Promise<Found> {
  const { api, query, locale } = visit;
  const { say } = locale;
  // The API finds entries of a user, or of a customer.
  if (filters.who !== '' && filters.customer !== '') return { type: 'refused', message: say('audit.both') };
  const wanted = await wantedBy(visit, filters);
  if (wanted.type === 'refused') return wanted;
  const { userId, customerId, query: asked } = wanted.value;
  const about = userId === undefined ? '' : `/user/${userId}`;
  const path = customerId === undefined ? about : `/customer/${customerId}`;
  const place = { ...asked, page: pageOf(query), pageSize: PAGE_SIZE };
  const answer = await api.send('GET', `/api/audit/logs${path}?${toQuery(place)}`);
  if (answer.status === 200) return { type: 'page', page: auditPage.parse(answer.json) };
  const refusal = refusalOf(answer);
  const until = GO_ON.exec(refusal.message)?.[1];
  return until === undefined
    ? { type: 'refused', message: refusalWords(refusal, say) }
    : { type: 'more', until };
}

async function auditReply(visit: SignedIn): Promise<PageReply> {
  const { say } = visit.locale;
  const filters = filtersOf(visit);
  const found = await findEntries(visit, filters);
  return {
    type: 'page',
    title: say('settings.audit'),
    status: found.type === 'refused' ? 400 : 200,
    body: (
      <>
        <Back to="/settings" label={say('frame.settings')} />
        <Head title={say('settings.audit')} lead={say('audit.lead')}>
          <a class="button" href={`${PATH}/export?${toQuery(filters)}`}>
            {say('audit.export')}
          </a>
        </Head>
        <FilterForm filters={filters} say={visit.locale.say} />
        <Shown found={found} filters={filters} visit={visit} />
      </>
    ),
  };
}

function Shown({ found, filters, visit }: { found: Found; filters: Filters; visit: SignedIn }) {
  const { locale, query } = visit;
  const { say } = locale;
  const isFiltered = FILTERS.some((name) => filters[name] !== '');
  if (found.type === 'refused') return <Refusal text={found.message} />;
  if (found.type === 'more')
    return (
      <>
        <Note kind="plain">{say('audit.more')}</Note>
        <a class="button" href={`${PATH}?${toQuery({ ...filters, until: found.until })}`}>
          {say('audit.older')}
        </a>
      </>
    );
  const { page } = found;
  return (
    <>
      {page.data.length === 0 ? (
        <div class="card empty">
          <p>{emptyText(page, say(isFiltered ? 'audit.nothing' : 'audit.none'), locale)}</p>
          {isFiltered ? <a href={PATH}>{say('audit.showAll')}</a> : null}
        </div>
      ) : (
        <Trail entries={page.data} locale={locale} />
      )}
      <Pager path={PATH} query={query} size={PAGE_SIZE} found={page} locale={locale} />
    </>
  );
}

function FilterForm({ filters, say }: { filters: Filters; say: Say }) {
  const { search, action, who, customer, from, to } = filters;
  return (
    <search>
      <form class="card filters" action={PATH}>
        <Field name="search" label={say('audit.search')} type="search" value={search} maxlength={255} />
        <div class="field">
          <label for="f-action">{say('audit.what')}</label>
          <select id="f-action" name="action">
            <option value="">{say('audit.anything')}</option>
            {ALL_ACTIONS.map((one) => (
              <option value={one} selected={one === action}>
                {actionWords(one, say)}
              </option>
            ))}
          </select>
        </div>
        <Field name="who" label={say('audit.who')} type="search" value={who} maxlength={254} verbatim />
        <Field
          name="customer"
          label={say('account.customer')}
          type="search"
          value={customer}
          maxlength={255}
        />
        <Field name="from" label={say('audit.from')} type="date" value={from} />
        <Field name="to" label={say('audit.to')} type="date" value={to} />
        <div class="row">
          <button type="submit" class="primary">
            {say('audit.show')}
          </button>
          <a class="button" href={PATH}>
            {say('audit.showAll')}
          </a>
        </div>
      </form>
    </search>
  );
}

/** The API answers with a file; its name is of the day. */
async function exportReply(visit: SignedIn): Promise<PageReply> {
  const filters = filtersOf(visit);
  const wanted = await wantedBy(visit, filters);
  if (wanted.type === 'refused') return refusedTo(PATH, wanted.message);
  const { userId, customerId, query } = wanted.value;
  const response = await visit.api.open(
    `/api/audit/logs/export?${toQuery({ ...query, userId, customerId })}`,
  );
  const headers = new Headers(response.headers);
  const day = new Date(visit.nowMs).toISOString().slice(0, 10);
  headers.set('Content-Disposition', `attachment; filename="audit-${day}.csv"`);
  return { type: 'stream', response: new Response(response.body, { headers }) };
}

export const auditPages: readonly Page[] = [
  memberPage(PATH, TENANT, { get: auditReply }),
  memberPage(`${PATH}/export`, TENANT, { get: exportReply }),
];
