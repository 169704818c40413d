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
        <Back to="/customers" label="Customers" />
        <Head title={customer.title}>
          <a class="button" href={`${path}/rename`}>
            Rename
          </a>
        </Head>
        <div class="grid two">
          <OwnedDevices devices={devices} title={customer.title} visit={visit} />
          <div>
            <section class="card" aria-labelledby="users">
              <h2 id="users">Users: {locale.number(users.totalElements)}</h2>
              <UsersTable users={users.data} locale={locale} />
            </section>
            <NewUser heading="Add a user" path={path} visit={visit} refusal={refusal} />
            <p>
              <a href={`/audit?customer=${segment(customer.title)}`}>What happened there</a>
            </p>
            <p>
              <a href={`${path}/delete`}>Delete this customer</a>
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
  const columns: readonly Column<(typeof data)[number]>[] = [
    { title: 'Name', kind: 'row', cell: ({ id, name }) => <a href={`/devices/${id.id}`}>{name}</a> },
    {
      title: 'Since',
      cell: ({ ownedSince }) =>
        ownedSince === null ? null : <Time at={ownedSince} now={nowMs} locale={locale} />,
    },
  ];
  return (
    <section class="card" aria-labelledby="devices">
      <h2 id="devices">Devices: {locale.number(totalElements)}</h2>
      {data.length === 0 ? (
        <p class="muted">It owns none. Its users claim devices, or you assign one on its page.</p>
      ) : (
        <>
          <PlainTable caption="Devices" columns={columns} rows={data} />
          <p>
            <a href={`/devices?owner=${segment(title)}`}>
              {totalElements > data.length ? 'Show all of its devices' : 'Show them in the list of devices'}
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
    { title: 'Users', kind: 'number', cell: ({ id }) => locale.number(counts.get(id.id)?.users ?? 0) },
    { title: 'Devices', kind: 'number', cell: ({ id }) => locale.number(counts.get(id.id)?.devices ?? 0) },
  ];
}

async function adminsReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const { api, locale } = visit;
  const users = await api.get(`/api/users?${toQuery({ pageSize: SHOWN })}`, usersPage);
  const admins = users.data.filter(({ authority }) => authority === 'TENANT_ADMIN');
  return {
    type: 'page',
    title: 'Administrators',
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/settings" label="Settings" />
        <Head title="Administrators" />
        <div class="grid side">
          <div class="card">
            <UsersTable users={admins} locale={locale} />
          </div>
          <NewUser heading="Add an administrator" path="/admins" visit={visit} refusal={refusal} />
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
    heading: 'Customers',
    lead: 'Customers claim devices. Each has its own users.',
    newHeading: 'New customer',
    none: 'There are no customers yet. Create the first one; then add its users.',
    columns: countColumns,
    created: 'The customer is created. Now add its users.',
    deletion: {
      title: 'Delete this customer?',
      consequence:
        'Its users are deleted with it, and its devices have no owner then. This cannot be undone.',
      yes: 'Delete it with its users',
      done: 'The customer is deleted; nobody owns its devices now.',
    },
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
