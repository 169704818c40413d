/** The system administrator's part: tenants and their administrators. */
import type { z } from 'zod';
import { SYSTEM } from '../../auth/principal.ts';
import { tenantUsageView } from '../../routes/usage.ts';
import { pageView } from '../../views/page.ts';
import { tenantView } from '../../views/tenant.ts';
import { userView } from '../../views/user.ts';
import { segment, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Back, Head } from '../parts/elements.tsx';
import type { Column } from '../parts/table.tsx';
import { type TitledView, titledPages } from '../parts/titled.tsx';
import { addUser, NewUser, UsersTable } from '../parts/users.tsx';

const ADMINS_SHOWN = 100;
const usersPage = pageView(userView);

type Usage = z.output<typeof tenantUsageView>;

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

const HEALTH: Readonly<Record<Usage['health'][number], string>> = {
  'no-administrator': 'no administrator can sign in',
  'devices-full': 'it has as many devices as it may have',
  'storage-full': 'it has stored as much as it may',
};

/** How many devices, customers and users each tenant of a list has, and what is wrong. */
async function usageColumns(
  { api, locale }: SignedIn,
  tenants: readonly TitledView[],
): Promise<readonly Column<TitledView>[]> {
  const usages = new Map<string, Usage>();
  // A tenant that was deleted just now has none.
  for (const { id } of tenants) {
    const answer = await api.send('GET', `/api/tenant/${id.id}/usage`);
    if (answer.status === 200) usages.set(id.id, tenantUsageView.parse(answer.json));
  }
  const number = (title: string, of: (usage: Usage) => number | null): Column<TitledView> => ({
    title,
    kind: 'number',
    cell({ id }) {
      const usage = usages.get(id.id);
      const count = usage === undefined ? null : of(usage);
      return count === null ? '–' : locale.number(count);
    },
  });
  return [
    number('Devices', ({ devices }) => devices),
    number('Owned', ({ owned }) => owned),
    number('Customers', ({ customers }) => customers),
    number('Users', ({ users }) => users),
    {
      title: 'Health',
      cell({ id }) {
        const health = usages.get(id.id)?.health ?? [];
        if (health.length === 0) return <span class="state owned">Well</span>;
        return <span class="state open">{health.map((name) => HEALTH[name]).join('; ')}</span>;
      },
    },
  ];
}

export const tenantPages: readonly Page[] = [
  ...titledPages({
    roles: SYSTEM,
    api: { all: '/api/tenants', one: '/api/tenant' },
    view: tenantView,
    path: '/tenants',
    columns: usageColumns,
    words: () => ({
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
  }),
  memberPage('/tenants/:id', SYSTEM, {
    get: (visit) => tenantReply(visit),
    post(visit) {
      const tenantId = { entityType: 'TENANT', id: visit.params.id };
      return addUser(visit, { authority: 'TENANT_ADMIN', tenantId }, tenantReply);
    },
  }),
];
