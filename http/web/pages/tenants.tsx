/** The system administrator's part: tenants and their administrators. */
import { pageView } from '../../views/page.ts';
import { tenantView } from '../../views/tenant.ts';
import { userView } from '../../views/user.ts';
import { part, query } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { confirmReply } from '../parts/confirm.tsx';
import { type TitledList, titledListReply } from '../parts/titled.tsx';
import { createPerson, NewPerson, PeopleTable } from './people.tsx';

const SYSTEM = ['SYS_ADMIN'] as const;
const ADMINS_SHOWN = 100;
const usersPage = pageView(userView);

const LIST: TitledList = {
  api: '/api/tenants',
  view: pageView(tenantView),
  path: '/tenants',
  heading: 'Tenants',
  lead: 'Each tenant has devices and customers of its own, and sees nothing of the others.',
  newHeading: 'New tenant',
};

const listReply = (visit: SignedIn, failed?: string) => titledListReply(visit, LIST, failed);

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
