/** The system administrator's part: tenants and their administrators. */
import { SYSTEM } from '../../auth/principal.ts';
import { pageView } from '../../views/page.ts';
import { tenantView } from '../../views/tenant.ts';
import { userView } from '../../views/user.ts';
import { segment, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Back, Head } from '../parts/elements.tsx';
import { titledPages } from '../parts/titled.tsx';
import { addUser, NewUser, UsersTable } from '../parts/users.tsx';

const ADMINS_SHOWN = 100;
const usersPage = pageView(userView);

async function tenantReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const { api, params, locale } = visit;
  const route = `/api/tenant/${segment(params.id ?? '')}`;
  const tenant = await api.get(route, tenantView);
  const admins = await api.get(`${route}/users?${toQuery({ pageSize: ADMINS_SHOWN })}`, usersPage);
  const path = `/tenants/${tenant.id.id}`;
  return {
    type: 'page',
    title: tenant.title,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/tenants" label="Tenants" />
        <Head title={tenant.title}>
          <a class="button" href={`${path}/rename`}>
            Rename
          </a>
        </Head>
        <div class="grid side">
          <section class="card" aria-labelledby="admins">
            <h2 id="admins">Administrators</h2>
            <UsersTable users={admins.data} locale={locale} />
          </section>
          <NewUser heading="Add an administrator" path={path} visit={visit} refusal={refusal} />
        </div>
        <p>
          <a href={`${path}/delete`}>Delete this tenant</a>
        </p>
      </>
    ),
  };
}

export const tenantPages: readonly Page[] = [
  ...titledPages({
    roles: SYSTEM,
    api: { all: '/api/tenants', one: '/api/tenant' },
    view: tenantView,
    path: '/tenants',
    heading: 'Tenants',
    lead: 'Each tenant has its own devices and customers, and sees nothing of the others.',
    newHeading: 'New tenant',
    none: 'There are no tenants yet. Create the first one; then add its administrator.',
    created: 'The tenant is created. Now add its first administrator.',
    deletion: {
      title: 'Delete this tenant?',
      consequence: 'All of its devices, customers and users are deleted with it. This cannot be undone.',
      yes: 'Delete it with everything',
      done: 'The tenant is deleted.',
    },
  }),
  memberPage('/tenants/:id', SYSTEM, {
    get: (visit) => tenantReply(visit),
    post(visit) {
      const tenantId = { entityType: 'TENANT', id: visit.params.id };
      return addUser(visit, { authority: 'TENANT_ADMIN', tenantId }, tenantReply);
    },
  }),
];
