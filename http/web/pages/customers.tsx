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
import { titledPages } from '../parts/titled.tsx';
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
        <Head title={customer.title} />
        <div class="grid two">
          <OwnedDevices devices={devices} visit={visit} />
          <div>
            <section class="card" aria-labelledby="users">
              <h2 id="users">Users</h2>
              <UsersTable users={users.data} locale={locale} />
            </section>
            <NewUser heading="Add a user" path={path} visit={visit} refusal={refusal} />
            <p>
              <a href={`${path}/delete`}>Delete this customer</a>
            </p>
          </div>
        </div>
      </>
    ),
  };
}

function OwnedDevices({ devices, visit }: { devices: z.output<typeof infosPage>; visit: SignedIn }) {
  const { locale, nowMs } = visit;
  return (
    <section class="card" aria-labelledby="devices">
      <h2 id="devices">Devices: {locale.number(devices.totalElements)}</h2>
      {devices.data.length === 0 ? (
        <p class="muted">It owns none. Its users claim devices, or you assign one on its page.</p>
      ) : (
        <table class="cards">
          <caption class="sr">Devices</caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Since</th>
            </tr>
          </thead>
          <tbody>
            {devices.data.map(({ id, name, ownedSince }) => (
              <tr>
                <th scope="row">
                  <a href={`/devices/${id.id}`}>{name}</a>
                </th>
                <td data-label="Since">
                  {ownedSince === null ? null : <Time at={ownedSince} now={nowMs} locale={locale} />}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
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
