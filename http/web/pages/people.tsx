/** Lists of users, and the form that makes one: shared by customers, tenants and administrators. */
import { z } from 'zod';
import { userView } from '../../views/user.ts';
import { part, type Result } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type SignedIn } from '../page.ts';
import { confirmReply } from '../parts/confirm.tsx';
import { Field, Note, Time } from '../parts/layout.tsx';

export type Person = z.output<typeof userView>;

const linkView = z.object({ value: z.string(), ttlMs: z.number() });

export function PeopleTable({ users, locale }: { users: readonly Person[]; locale: Locale }) {
  if (users.length === 0) return <p class="muted">Nobody yet.</p>;
  return (
    <table class="cards">
      <caption class="sr">People</caption>
      <thead>
        <tr>
          <th scope="col">E-mail</th>
          <th scope="col">Name</th>
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        {users.map((user) => (
          <tr>
            <th scope="row">
              <a href={`/users/${user.id.id}`}>{user.email}</a>
            </th>
            <td>{[user.firstName, user.lastName].filter(Boolean).join(' ')}</td>
            <td data-label="Since">
              <Time at={user.createdTime} locale={locale} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function NewPerson({ action, visit, failed }: { action: string; visit: SignedIn; failed?: string }) {
  const { form } = visit;
  return (
    <form method="post" action={action}>
      {failed === undefined ? null : <Note kind="bad">{failed}</Note>}
      <Field
        name="email"
        label="E-mail"
        type="email"
        value={form.text('email')}
        autocomplete="off"
        maxlength={254}
        required
      />
      <Field
        name="firstName"
        label="First name"
        value={form.text('firstName')}
        autocomplete="off"
        maxlength={255}
      />
      <Field
        name="lastName"
        label="Last name"
        value={form.text('lastName')}
        autocomplete="off"
        maxlength={255}
      />
      <button type="submit">Add</button>
    </form>
  );
}

/** Makes the user that the form describes. */
export function createPerson(
  { api, form }: SignedIn,
  membership: Readonly<Record<string, unknown>>,
): Promise<Result<Person>> {
  const [email, firstName, lastName] = ['email', 'firstName', 'lastName'].map((name) =>
    form.text(name).trim(),
  );
  return api.post(
    '/api/user?sendActivationMail=false',
    { email, firstName, lastName, ...membership },
    userView,
  );
}

const ADMINISTRATORS = ['TENANT_ADMIN', 'SYS_ADMIN'] as const;

/** Where the list is in which a user stands. */
function homeOfUser(user: Person): readonly [path: string, label: string] {
  switch (user.authority) {
    case 'CUSTOMER_USER':
      return [`/customers/${user.customerId.id}`, 'Customer'];
    case 'TENANT_ADMIN':
      return ['/admins', 'Administrators'];
    case 'SYS_ADMIN':
      return ['/tenants', 'Tenants'];
    default:
      return user.authority satisfies never;
  }
}

export const peoplePages: readonly Page[] = [
  memberPage('/users/:id', ADMINISTRATORS, {
    async get({ api, params, locale, user: me }) {
      const user = await api.get(`/api/user/${part(params.id ?? '')}`, userView);
      const { id } = user.id;
      const active = user.additionalInfo?.userActivated === true;
      const enabled = user.additionalInfo?.userCredentialsEnabled === true;
      const link = active ? undefined : await api.get(`/api/user/${id}/activationLinkInfo`, linkView);
      const lastLogin = user.additionalInfo?.lastLoginTs;
      const [back, label] =
        me.authority === 'SYS_ADMIN' && user.authority === 'TENANT_ADMIN'
          ? ([`/tenants/${user.tenantId.id}`, 'Tenant'] as const)
          : homeOfUser(user);
      return {
        type: 'page',
        title: user.email,
        narrow: true,
        body: (
          <>
            <p>
              <a href={back}>{label}</a>
            </p>
            <div class="head">
              <h1>{user.email}</h1>
            </div>
            <div class="card">
              <dl>
                <dt>Name</dt>
                <dd>{[user.firstName, user.lastName].filter(Boolean).join(' ') || '–'}</dd>
                <dt>State</dt>
                <dd>
                  {active ? (enabled ? 'Active' : 'Not allowed to sign in') : 'Has not chosen a password yet'}
                </dd>
                <dt>Last sign-in</dt>
                <dd>{typeof lastLogin === 'number' ? <Time at={lastLogin} locale={locale} /> : 'Never'}</dd>
              </dl>
            </div>
            {link === undefined ? null : (
              <section class="card" aria-labelledby="link">
                <h2 id="link">Activation link</h2>
                <p>
                  Give this link to the person. It works once, and leads to a page that asks for a password.
                </p>
                <p>
                  <label for="activation">Link</label>
                  <input id="activation" class="mono" readonly value={link.value} />
                </p>
              </section>
            )}
            {id === me.id.id ? null : (
              <div class="row">
                {active ? (
                  <form method="post" action={`/users/${id}/enabled`}>
                    <input type="hidden" name="enabled" value={enabled ? 'false' : 'true'} />
                    <button type="submit">{enabled ? 'Forbid signing in' : 'Allow signing in'}</button>
                  </form>
                ) : null}
                <a class="button" href={`/users/${id}/delete`}>
                  Delete this user
                </a>
              </div>
            )}
          </>
        ),
      };
    },
  }),

  memberPage('/users/:id/enabled', ADMINISTRATORS, {
    async post({ api, params, form }) {
      const to = `/users/${part(params.id ?? '')}`;
      const wanted = form.text('enabled') === 'true';
      const done = await api.act(
        'POST',
        `/api${to.replace('/users/', '/user/')}/userCredentialsEnabled?userCredentialsEnabled=${wanted}`,
      );
      const good = wanted
        ? 'Signing in is allowed again.'
        : 'Signing in is forbidden; open sessions have ended.';
      return { type: 'see-other', to, notice: noticeOf(done, good) };
    },
  }),

  memberPage('/users/:id/delete', ADMINISTRATORS, {
    async get({ api, params }) {
      const user = await api.get(`/api/user/${part(params.id ?? '')}`, userView);
      const path = `/users/${user.id.id}`;
      return confirmReply({
        title: 'Delete this user?',
        what: user.email,
        consequence: 'The person is signed out everywhere and can not sign in again. There is no way back.',
        action: `${path}/delete`,
        yes: 'Delete the user',
        back: path,
      });
    },
    async post({ api, params, user: me }) {
      const user = await api.get(`/api/user/${part(params.id ?? '')}`, userView);
      const done = await api.act('DELETE', `/api/user/${user.id.id}`);
      const [back] =
        me.authority === 'SYS_ADMIN' && user.authority === 'TENANT_ADMIN'
          ? [`/tenants/${user.tenantId.id}`]
          : homeOfUser(user);
      return { type: 'see-other', to: back, notice: noticeOf(done, `${user.email} is deleted.`) };
    },
  }),
];

export function noticeOf(done: Result<unknown>, good: string): { kind: 'good' | 'bad'; text: string } {
  return done.type === 'ok' ? { kind: 'good', text: good } : { kind: 'bad', text: done.message };
}
