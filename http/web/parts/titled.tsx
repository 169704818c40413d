/** A searchable list of what has a title and was made at some time, and a form to make another: customers, tenants. */
import type { z } from 'zod';
import { query } from '../api.ts';
import type { PageReply, SignedIn } from '../page.ts';
import { Field, Note, Pager, pageOf, rangeOf, Time } from './layout.tsx';

const PAGE_SIZE = 50;

export interface TitledList {
  /** The REST route that lists them. */
  readonly api: string;
  readonly view: z.ZodType<TitledPage>;
  /** Where the list is; each of them is one step below. */
  readonly path: string;
  readonly heading: string;
  readonly lead: string;
  readonly newHeading: string;
}

interface TitledPage {
  readonly data: readonly {
    readonly id: { readonly id: string };
    readonly title: string;
    readonly createdTime: number;
  }[];
  readonly totalElements: number;
  readonly hasNext: boolean;
}

export async function titledListReply(
  visit: SignedIn,
  { api: source, view, path, heading, lead, newHeading }: TitledList,
  failed?: string,
): Promise<PageReply> {
  const { api, query: given, locale, form } = visit;
  const page = pageOf(given);
  const search = given.get('search') ?? '';
  const wanted = query({ page, pageSize: PAGE_SIZE, textSearch: search, sortProperty: 'title' });
  const found = await api.get(`${source}?${wanted}`, view);
  const { data, totalElements: total } = found;
  return {
    type: 'page',
    title: heading,
    status: failed === undefined ? 200 : 400,
    body: (
      <>
        <div class="head">
          <div>
            <h1>{heading}</h1>
            <p class="lead">{lead}</p>
          </div>
        </div>
        <div class="grid side">
          <div>
            <search>
              <form class="search" action={path}>
                <div>
                  <label for="search">Title</label>
                  <input id="search" type="search" name="search" value={search} maxlength={255} />
                </div>
                <button type="submit">Search</button>
              </form>
            </search>
            <div class="card tablecard">
              <table class="cards">
                <caption class="sr">{heading}</caption>
                <thead>
                  <tr>
                    <th scope="col">Title</th>
                    <th scope="col">Since</th>
                  </tr>
                </thead>
                <tbody>
                  {data.map(({ id, title, createdTime }) => (
                    <tr>
                      <th scope="row">
                        <a href={`${path}/${id.id}`}>{title}</a>
                      </th>
                      <td data-label="Since">
                        <Time at={createdTime} locale={locale} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            <Pager
              path={path}
              query={given}
              page={page}
              hasNext={found.hasNext}
              summary={rangeOf(locale, page, PAGE_SIZE, data.length, total)}
            />
          </div>
          <section class="card" aria-labelledby="new">
            <h2 id="new">{newHeading}</h2>
            {failed === undefined ? null : <Note kind="bad">{failed}</Note>}
            <form method="post" action={path}>
              <Field name="title" label="Title" value={form.text('title')} maxlength={255} required />
              <button type="submit" class="primary">
                Create
              </button>
            </form>
          </section>
        </div>
      </>
    ),
  };
}
