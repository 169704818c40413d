/** The tenant's customers with their users and devices, and the tenant's own administrators. */

import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import { customerView } from '../../views/customer.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { userView } from '../../views/user.ts';
import { segment, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Back, Head, Time } from '../parts/elements.tsx';
import { type Column, PlainTable } from '../parts/table.tsx';
import { type TitledView, titledPages } from '../parts/titled.tsx';
import { addUser, NewUser, UsersTable } from '../parts/users.tsx';

/** Users and devices that are shown of one customer. */
const SHOWN = 100;
const usersPage = pageView(userView);
const infosPage = pageView(deviceInfoView);

async function customerReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const { api, params, locale } = visit;
  const { say } = locale;
  const route = `/api/customer/${segment(params.id ?? '')}`;
  const customer = await api.get(route, customerView);
  const [users, devices] = await Promise.all([
    api.get(`${route}/users?${toQuery({ pageSize: SHOWN })}`, usersPage),
    api.get(`${route}/deviceInfos?${toQuery({ pageSize: SHOWN })}`, infosPage),
  ]);
  const path = `/customers/${customer.id.id}`;
  return {
    type: 'page',
    title: customer.title,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/customers" label={say('frame.customers')} />
        <Head title={customer.title}>
          <a class="button" href={`${path}/rename`}>
            {say('titled.rename')}
          </a>
        </Head>
        <div class="grid two">
          <OwnedDevices devices={devices} title={customer.title} visit={visit} />
          <div>
            <section class="card" aria-labelledby="users">
              <h2 id="users">{say('customers.usersCount', { count: users.totalElements })}</h2>
              <UsersTable users={users.data} locale={locale} />
            </section>
            <NewUser heading={say('customers.addUser')} path={path} visit={visit} refusal={refusal} />
            <p>
              <a href={`/audit?customer=${segment(customer.title)}`}>{say('settings.audit')}</a>
            </p>
            <p>
              <a href={`${path}/delete`}>{say('customers.delete')}</a>
            </p>
          </div>
        </div>
      </>
    ),
  };
}

interface OwnedDevicesProps {
  readonly devices: z.output<typeof infosPage>;
  readonly title: string;
  readonly visit: SignedIn;
}

function OwnedDevices({ devices: { data, totalElements }, title, visit }: OwnedDevicesProps) {
  const { locale, nowMs } = visit;
  const { say } = locale;
  const columns: readonly Column<(typeof data)[number]>[] = [
    {
      title: say('titled.name'),
      kind: 'row',
      cell: ({ id, name }) => <a href={`/devices/${id.id}`}>{name}</a>,
    },
    {
      title: say('customers.ownedSince'),
      cell: ({ ownedSince }) =>
        ownedSince === null ? null : <Time at={ownedSince} now={nowMs} locale={locale} />,
    },
  ];
  return (
    <section class="card" aria-labelledby="devices">
      <h2 id="devices">{say('customers.devicesCount', { count: totalElements })}</h2>
      {data.length === 0 ? (
        <p class="muted">{say('customers.noDevices')}</p>
      ) : (
        <>
          <PlainTable caption={say('frame.fleet')} columns={columns} rows={data} />
          <p>
            <a href={`/devices?owner=${segment(title)}`}>
              {say(totalElements > data.length ? 'customers.showAll' : 'customers.showInList')}
            </a>
          </p>
        </>
      )}
    </section>
  );
}

/** How many users and devices each customer of a list has. */
async function countColumns(
  { api, locale }: SignedIn,
  customers: readonly TitledView[],
): Promise<readonly Column<TitledView>[]> {
  const one = toQuery({ pageSize: 1 });
  const counted = await Promise.all(
    customers.map(async ({ id: { id } }) => {
      const [users, devices] = await Promise.all([
        api.get(`/api/customer/${id}/users?${one}`, usersPage),
        api.get(`/api/customer/${id}/deviceInfos?${one}`, infosPage),
      ]);
      return [id, { users: users.totalElements, devices: devices.totalElements }] as const;
    }),
  );
  const counts = new Map(counted);
  return [
    {
      title: locale.say('customers.users'),
      kind: 'number',
      cell: ({ id }) => locale.number(counts.get(id.id)?.users ?? 0),
    },
    {
      title: locale.say('frame.fleet'),
      kind: 'number',
      cell: ({ id }) => locale.number(counts.get(id.id)?.devices ?? 0),
    },
  ];
}

async function adminsReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const { api, locale } = visit;
  const { say } = locale;
  const users = await api.get(`/api/users?${toQuery({ pageSize: SHOWN })}`, usersPage);
  const admins = users.data.filter(({ authority }) => authority === 'TENANT_ADMIN');
  return {
    type: 'page',
    title: say('settings.admins'),
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/settings" label={say('frame.settings')} />
        <Head title={say('settings.admins')} />
        <div class="grid side">
          <div class="card">
            <UsersTable users={admins} locale={locale} />
          </div>
          <NewUser heading={say('people.addAdmin')} path="/admins" visit={visit} refusal={refusal} />
        </div>
      </>
    ),
  };
}

export const customerPages: readonly Page[] = [
  ...titledPages({
    roles: TENANT,
    api: { all: '/api/customers', one: '/api/customer' },
    view: customerView,
    path: '/customers',
    columns: countColumns,
    words: (say) => ({
      heading: say('frame.customers'),
      lead: say('customers.lead'),
      newHeading: say('customers.new'),
      none: say('customers.none'),
      created: say('customers.created'),
      deletion: {
        title: say('customers.deleteTitle'),
        consequence: say('customers.deleteText'),
        yes: say('customers.deleteYes'),
        done: say('customers.deleted'),
      },
    }),
  }),
  memberPage('/customers/:id', TENANT, {
    get: (visit) => customerReply(visit),
    post(visit) {
      const customerId = { entityType: 'CUSTOMER', id: visit.params.id };
      return addUser(visit, { authority: 'CUSTOMER_USER', customerId }, customerReply);
    },
  }),
  memberPage('/admins', TENANT, {
    get: (visit) => adminsReply(visit),
    post: (visit) => addUser(visit, { authority: 'TENANT_ADMIN' }, adminsReply),
  }),
];
