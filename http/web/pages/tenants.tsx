/** The system administrator's part: tenants and their administrators. */
import { pageView, tenantView, userView } from '../../views.ts';
import { part, query } from '../api.ts';
import { Field, Note, Pager, pageOf, rangeOf, Time } from '../layout.tsx';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { confirmReply } from './confirm.tsx';
import { createPerson, NewPerson, PeopleTable } from './people.tsx';

const SYSTEM = ['SYS_ADMIN'] as const;
const PAGE_SIZE = 50;
const ADMINS_SHOWN = 100;
const tenantsPage = pageView(tenantView);
const usersPage = pageView(userView);

async function listReply(visit: SignedIn, failed?: string): Promise<PageReply> {
  const { api, query: given, locale, form } = visit;
  const page = pageOf(given);
  const search = given.get('search') ?? '';
  const found = await api.get(
    `/api/tenants?${query({ page, pageSize: PAGE_SIZE, textSearch: search, sortProperty: 'title' })}`,
    tenantsPage,
  );
  const { data, totalElements: total } = found;
  return {
    type: 'page',
    title: 'Tenants',
    status: failed === undefined ? 200 : 400,
    body: (
      <>
        <div class="head">
          <div>
            <h1>Tenants</h1>
            <p class="lead">
              Each tenant has devices and customers of its own, and sees nothing of the others.
            </p>
          </div>
        </div>
        <div class="grid side">
          <div>
            <search>
              <form class="search" action="/tenants">
                <div>
                  <label for="search">Title</label>
                  <input id="search" type="search" name="search" value={search} maxlength={255} />
                </div>
                <button type="submit">Search</button>
              </form>
            </search>
            <div class="card tablecard">
              <table class="cards">
                <caption class="sr">Tenants</caption>
                <thead>
                  <tr>
                    <th scope="col">Title</th>
                    <th scope="col">Since</th>
                  </tr>
                </thead>
                <tbody>
                  {data.map((tenant) => (
                    <tr>
                      <th scope="row">
                        <a href={`/tenants/${tenant.id.id}`}>{tenant.title}</a>
                      </th>
                      <td data-label="Since">
                        <Time at={tenant.createdTime} locale={locale} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            <Pager
              path="/tenants"
              query={given}
              page={page}
              hasNext={found.hasNext}
              summary={rangeOf(locale, page, PAGE_SIZE, data.length, total)}
            />
          </div>
          <section class="card" aria-labelledby="new">
            <h2 id="new">New tenant</h2>
            {failed === undefined ? null : <Note kind="bad">{failed}</Note>}
            <form method="post" action="/tenants">
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

async function tenantReply(visit: SignedIn, failed?: string): Promise<PageReply> {
  const { api, params, locale } = visit;
  const path = `/api/tenant/${part(params.id ?? '')}`;
  const tenant = await api.get(path, tenantView);
  const admins = await api.get(`${path}/users?${query({ pageSize: ADMINS_SHOWN })}`, usersPage);
  return {
    type: 'page',
    title: tenant.title,
    status: failed === undefined ? 200 : 400,
    body: (
      <>
        <p>
          <a href="/tenants">Tenants</a>
        </p>
        <div class="head">
          <h1>{tenant.title}</h1>
        </div>
        <div class="grid side">
          <section class="card" aria-labelledby="admins">
            <h2 id="admins">Administrators</h2>
            <PeopleTable users={admins.data} locale={locale} />
          </section>
          <section class="card" aria-labelledby="add">
            <h2 id="add">Add an administrator</h2>
            <NewPerson
              action={`/tenants/${tenant.id.id}`}
              visit={visit}
              {...(failed === undefined ? {} : { failed })}
            />
          </section>
        </div>
        <p>
          <a href={`/tenants/${tenant.id.id}/delete`}>Delete this tenant</a>
        </p>
      </>
    ),
  };
}

export const tenantPages: readonly Page[] = [
  memberPage('/tenants', SYSTEM, {
    get: (visit) => listReply(visit),
    async post(visit) {
      const created = await visit.api.post(
        '/api/tenant',
        { title: visit.form.text('title').trim() },
        tenantView,
      );
      return created.type === 'ok'
        ? seeOther(
            `/tenants/${created.value.id.id}`,
            'The tenant is created. Now add its first administrator.',
          )
        : listReply(visit, created.message);
    },
  }),
  memberPage('/tenants/:id', SYSTEM, {
    get: (visit) => tenantReply(visit),
    async post(visit) {
      const tenantId = { entityType: 'TENANT', id: visit.params.id };
      const created = await createPerson(visit, { authority: 'TENANT_ADMIN', tenantId });
      return created.type === 'ok'
        ? seeOther(
            `/users/${created.value.id.id}`,
            'The administrator is created. Hand over the activation link.',
          )
        : tenantReply(visit, created.message);
    },
  }),
  memberPage('/tenants/:id/delete', SYSTEM, {
    async get({ api, params }) {
      const tenant = await api.get(`/api/tenant/${part(params.id ?? '')}`, tenantView);
      const path = `/tenants/${tenant.id.id}`;
      return confirmReply({
        title: 'Delete this tenant?',
        what: tenant.title,
        consequence: 'All of its devices, customers and users go with it. There is no way back.',
        action: `${path}/delete`,
        yes: 'Delete it with everything',
        back: path,
      });
    },
    async post({ api, params }) {
      const path = part(params.id ?? '');
      const done = await api.act('DELETE', `/api/tenant/${path}`);
      return done.type === 'ok'
        ? seeOther('/tenants', 'The tenant is deleted.')
        : refusedTo(`/tenants/${path}`, done.message);
    },
  }),
];
