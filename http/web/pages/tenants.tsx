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
  const { say } = locale;
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
        <Back to="/tenants" label={say('frame.tenants')} />
        <Head title={tenant.title}>
          <a class="button" href={`${path}/rename`}>
            {say('titled.rename')}
          </a>
        </Head>
        <div class="grid side">
          <section class="card" aria-labelledby="admins">
            <h2 id="admins">{say('settings.admins')}</h2>
            <UsersTable users={admins.data} locale={locale} />
          </section>
          <NewUser heading={say('people.addAdmin')} path={path} visit={visit} refusal={refusal} />
        </div>
        <p>
          <a href={`${path}/delete`}>{say('tenants.delete')}</a>
        </p>
      </>
    ),
  };
}

/** Names of branches of `tenants.unwell`. */
const HEALTH: Readonly<Record<Usage['health'][number], string>> = {
  'no-administrator': 'noAdministrator',
  'devices-full': 'devicesFull',
  'storage-full': 'storageFull',
};

/** How many devices, customers and users each tenant of a list has, and what is wrong. */
async function usageColumns(
  { api, locale }: SignedIn,
  tenants: readonly TitledView[],
): Promise<readonly Column<TitledView>[]> {
  const { say } = locale;
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
    number(say('frame.fleet'), ({ devices }) => devices),
    number(say('tenants.owned'), ({ owned }) => owned),
    number(say('frame.customers'), ({ customers }) => customers),
    number(say('customers.users'), ({ users }) => users),
    {
      title: say('tenants.health'),
      cell({ id }) {
        const health = usages.get(id.id)?.health ?? [];
        if (health.length === 0) return <span class="state owned">{say('tenants.well')}</span>;
        return (
          <span class="state open">
            {health.map((name) => say('tenants.unwell', { what: HEALTH[name] })).join(say('trail.between'))}
          </span>
        );
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
    words: (say) => ({
      heading: say('frame.tenants'),
      lead: say('tenants.lead'),
      newHeading: say('tenants.new'),
      none: say('tenants.none'),
      created: say('tenants.created'),
      deletion: {
        title: say('tenants.deleteTitle'),
        consequence: say('tenants.deleteText'),
        yes: say('tenants.deleteYes'),
        done: say('tenants.deleted'),
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
