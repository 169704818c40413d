/** The tenant's customers with their users and devices, and the tenant's own administrators. */
import { customerView } from '../../views/customer.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { userView } from '../../views/user.ts';
import { part, query } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { confirmReply } from '../parts/confirm.tsx';
import { Time } from '../parts/layout.tsx';
import { type TitledList, titledListReply } from '../parts/titled.tsx';
import { createPerson, NewPerson, PeopleTable } from './people.tsx';

const TENANT = ['TENANT_ADMIN'] as const;
/** Users and devices shown beside a customer. */
const BESIDE = 100;
const usersPage = pageView(userView);
const infosPage = pageView(deviceInfoView);

const LIST: TitledList = {
  api: '/api/customers',
  view: pageView(customerView),
  path: '/customers',
  heading: 'Customers',
  lead: 'Who claims devices: each customer with its own users.',
  newHeading: 'New customer',
};

const listReply = (visit: SignedIn, failed?: string) => titledListReply(visit, LIST, failed);

async function customerReply(visit: SignedIn, failed?: string): Promise<PageReply> {
  const { api, params, locale, nowMs } = visit;
  const path = `/api/customer/${part(params.id ?? '')}`;
  const customer = await api.get(path, customerView);
  const [users, devices] = await Promise.all([
    api.get(`${path}/users?${query({ pageSize: BESIDE })}`, usersPage),
    api.get(`${path}/deviceInfos?${query({ pageSize: BESIDE })}`, infosPage),
  ]);
  return {
    type: 'page',
    title: customer.title,
    status: failed === undefined ? 200 : 400,
    body: (
      <>
        <p>
          <a href="/customers">Customers</a>
        </p>
        <div class="head">
          <h1>{customer.title}</h1>
        </div>
        <div class="grid two">
          <section class="card" aria-labelledby="devices">
            <h2 id="devices">Devices: {locale.number(devices.totalElements)}</h2>
            {devices.data.length === 0 ? (
              <p class="muted">It owns none.</p>
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
                  {devices.data.map((device) => (
                    <tr>
                      <th scope="row">
                        <a href={`/devices/${device.id.id}`}>{device.name}</a>
                      </th>
                      <td data-label="Since">
                        {device.ownedSince === null ? null : (
                          <Time at={device.ownedSince} now={nowMs} locale={locale} />
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </section>
          <div>
            <section class="card" aria-labelledby="users">
              <h2 id="users">Users</h2>
              <PeopleTable users={users.data} locale={locale} />
            </section>
            <section class="card" aria-labelledby="add">
              <h2 id="add">Add a user</h2>
              <NewPerson
                action={`/customers/${customer.id.id}`}
                visit={visit}
                {...(failed === undefined ? {} : { failed })}
              />
            </section>
            <p>
              <a href={`/customers/${customer.id.id}/delete`}>Delete this customer</a>
            </p>
          </div>
        </div>
      </>
    ),
  };
}

async function adminsReply(visit: SignedIn, failed?: string): Promise<PageReply> {
  const { api, locale } = visit;
  const users = await api.get(`/api/users?${query({ pageSize: BESIDE })}`, usersPage);
  const admins = users.data.filter(({ authority }) => authority === 'TENANT_ADMIN');
  return {
    type: 'page',
    title: 'Administrators',
    status: failed === undefined ? 200 : 400,
    body: (
      <>
        <div class="head">
          <h1>Administrators</h1>
        </div>
        <div class="grid side">
          <div class="card">
            <PeopleTable users={admins} locale={locale} />
          </div>
          <section class="card" aria-labelledby="add">
            <h2 id="add">Add an administrator</h2>
            <NewPerson action="/admins" visit={visit} {...(failed === undefined ? {} : { failed })} />
          </section>
        </div>
      </>
    ),
  };
}

export const customerPages: readonly Page[] = [
  memberPage('/customers', TENANT, {
    get: (visit) => listReply(visit),
    async post(visit) {
      const created = await visit.api.post(
        '/api/customer',
        { title: visit.form.text('title').trim() },
        customerView,
      );
      return created.type === 'ok'
        ? seeOther(`/customers/${created.value.id.id}`, 'The customer is created. Now add its users.')
        : listReply(visit, created.message);
    },
  }),
  memberPage('/customers/:id', TENANT, {
    get: (visit) => customerReply(visit),
    async post(visit) {
      const customerId = { entityType: 'CUSTOMER', id: visit.params.id };
      const created = await createPerson(visit, { authority: 'CUSTOMER_USER', customerId });
      return created.type === 'ok'
        ? seeOther(`/users/${created.value.id.id}`, 'The user is created. Hand over the activation link.')
        : customerReply(visit, created.message);
    },
  }),
  memberPage('/customers/:id/delete', TENANT, {
    async get({ api, params }) {
      const customer = await api.get(`/api/customer/${part(params.id ?? '')}`, customerView);
      const path = `/customers/${customer.id.id}`;
      return confirmReply({
        title: 'Delete this customer?',
        what: customer.title,
        consequence: 'Its users go with it, and nobody owns its devices then. There is no way back.',
        action: `${path}/delete`,
        yes: 'Delete it with its users',
        back: path,
      });
    },
    async post({ api, params }) {
      const path = part(params.id ?? '');
      const done = await api.act('DELETE', `/api/customer/${path}`);
      return done.type === 'ok'
        ? seeOther('/customers', 'The customer is deleted; nobody owns its devices now.')
        : refusedTo(`/customers/${path}`, done.message);
    },
  }),
  memberPage('/admins', TENANT, {
    get: (visit) => adminsReply(visit),
    async post(visit) {
      const created = await createPerson(visit, { authority: 'TENANT_ADMIN' });
      return created.type === 'ok'
        ? seeOther(
            `/users/${created.value.id.id}`,
            'The administrator is created. Hand over the activation link.',
          )
        : adminsReply(visit, created.message);
    },
  }),
];
