/** Customers and tenants alike: a searchable list of titles, a form for another one, and the page that deletes one. */
import type { z } from 'zod';
import { pageView } from '../../views/page.ts';
import { type Refused, segment, toQuery } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, type SignedIn, saidAt, seeOther } from '../page.ts';
import { refusalWords } from '../refusal-words.ts';
import type { User } from '../session.ts';
import type { Say } from '../texts/say.ts';
import { confirmPage } from './confirm.tsx';
import { Field, Head, Refusal, Time } from './elements.tsx';
import { emptyText, Pager, pageOf, Search } from './list.tsx';
import { type Column, Table } from './table.tsx';

const PAGE_SIZE = 50;

export interface TitledView {
  readonly id: { readonly id: string };
  readonly title: string;
  readonly createdTime: number;
}

interface Titled {
  readonly roles: readonly User['authority'][];
  /** The routes of the REST API for all of them, and for one. */
  readonly api: { readonly all: string; readonly one: string };
  readonly view: z.ZodType<TitledView>;
  /** The list's page; one of them is a step below. */
  readonly path: string;
  words(say: Say): Words;
  /** What the list says of each beside its name and its age. */
  readonly columns?: (
    visit: SignedIn,
    entries: readonly TitledView[],
  ) => Promise<readonly Column<TitledView>[]>;
}

/** What is said of customers, or of tenants. */
interface Words {
  readonly heading: string;
  readonly lead: string;
  readonly newHeading: string;
  /** What to do where there are none yet. */
  readonly none: string;
  readonly created: string;
  readonly deletion: {
    readonly title: string;
    readonly consequence: string;
    readonly yes: string;
    readonly done: string;
  };
}

export function titledPages(titled: Titled): readonly Page[] {
  const { roles, api: routes, view, path, words } = titled;
  return [
    memberPage(path, roles, {
      get: (visit) => listReply(visit, titled),
      async post(visit) {
        const title = visit.form.text('title').trim();
        const result = await visit.api.post(routes.one, { title }, view);
        return result.type === 'ok'
          ? seeOther(`${path}/${result.value.id.id}`, words(visit.locale.say).created)
          : listReply(visit, titled, refusalIn(result, visit));
      },
    }),
    memberPage(`${path}/:id/rename`, roles, {
      get: async (visit) => renameReply(visit, titled, await findOne(visit, titled)),
      async post(visit) {
        const there = await findOne(visit, titled);
        const title = visit.form.text('title').trim();
        const saved = await visit.api.post(routes.one, { ...there, title }, view);
        return saved.type === 'ok'
          ? seeOther(`${path}/${there.id.id}`, visit.locale.say('titled.renamed'))
          : renameReply(visit, titled, { ...there, title }, refusalIn(saved, visit));
      },
    }),
    confirmPage(`${path}/:id/delete`, roles, {
      find: (visit) => findOne(visit, titled),
      ask: ({ id, title: what }, { locale }) => ({
        ...words(locale.say).deletion,
        what,
        back: `${path}/${id.id}`,
      }),
      async carryOut({ api, locale }, { id }) {
        const result = await api.act('DELETE', `${routes.one}/${id.id}`);
        return saidAt(path, result, words(locale.say).deletion.done, locale, `${path}/${id.id}`);
      },
    }),
  ];
}

const refusalIn = (refused: Refused, { locale: { say } }: SignedIn): string =>
  refusalWords(refused, say, say('titled.refused'));

function findOne({ api, params }: SignedIn, { api: routes, view }: Titled): Promise<TitledView> {
  return api.get(`${routes.one}/${segment(params.id ?? '')}`, view);
}

function renameReply(
  { locale: { say } }: SignedIn,
  { path }: Titled,
  { id, title }: TitledView,
  refusal?: string,
): PageReply {
  return {
    type: 'page',
    title: say('titled.rename'),
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <div class="card">
        <h1>{say('titled.rename')}</h1>
        <Refusal text={refusal} />
        <form method="post" action={`${path}/${id.id}/rename`}>
          <Field name="title" label={say('titled.name')} value={title} maxlength={255} required />
          <div class="row">
            <button type="submit" class="primary">
              {say('part.save')}
            </button>
            <a class="button" href={`${path}/${id.id}`}>
              {say('new.cancel')}
            </a>
          </div>
        </form>
      </div>
    ),
  };
}

async function listReply(visit: SignedIn, titled: Titled, refusal?: string): Promise<PageReply> {
  const { api, query, locale, form } = visit;
  const { say } = locale;
  const { api: routes, view, path } = titled;
  const { heading, lead, newHeading, none } = titled.words(say);
  const search = query.get('search') ?? '';
  const wanted = toQuery({
    page: pageOf(query),
    pageSize: PAGE_SIZE,
    textSearch: search,
    sortProperty: 'title',
  });
  const found = await api.get(`${routes.all}?${wanted}`, pageView(view));
  const more = (await titled.columns?.(visit, found.data)) ?? [];
  return {
    type: 'page',
    title: heading,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Head title={heading} lead={lead} />
        <div class="grid side">
          <div>
            <Search path={path} label={say('titled.name')} button={say('list.search')} value={search} />
            {found.data.length === 0 ? (
              <div class="card empty">
                <p>{emptyText(found, search === '' ? none : say('list.notFound'), locale)}</p>
                {search === '' ? null : <a href={path}>{say('titled.showAll')}</a>}
              </div>
            ) : (
              <Table caption={heading} columns={columnsIn(locale, path, more)} rows={found.data} />
            )}
            <Pager path={path} query={query} size={PAGE_SIZE} found={found} locale={locale} />
          </div>
          <section class="card" aria-labelledby="new">
            <h2 id="new">{newHeading}</h2>
            <Refusal text={refusal} />
            <form method="post" action={path}>
              <Field
                name="title"
                label={say('titled.name')}
                value={form.text('title')}
                maxlength={255}
                required
              />
              <button type="submit" class="primary">
                {say('new.create')}
              </button>
            </form>
          </section>
        </div>
      </>
    ),
  };
}

function columnsIn(
  locale: Locale,
  path: string,
  more: readonly Column<TitledView>[],
): readonly Column<TitledView>[] {
  return [
    {
      title: locale.say('titled.name'),
      kind: 'row',
      cell: ({ id, title }) => <a href={`${path}/${id.id}`}>{title}</a>,
    },
    ...more,
    {
      title: locale.say('settings.since'),
      cell: ({ createdTime }) => <Time at={createdTime} locale={locale} />,
    },
  ];
}
