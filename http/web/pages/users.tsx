/** One user, for the administrator: activation link, whether the person may sign in, deletion. */

import { z } from 'zod';
import { unreachable } from '../../../actors/base/unreachable.ts';
import { ADMINISTRATORS } from '../../auth/principal.ts';
import { userView } from '../../views/user.ts';
import { segment, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, resultAt, type SignedIn } from '../page.ts';
import { confirmPage } from '../parts/confirm.tsx';
import { Back, Head, Time } from '../parts/elements.tsx';
import { fullName } from '../parts/users.tsx';
import type { User } from '../session.ts';

const linkView = z.object({ value: z.string(), ttlMs: z.number() });

/** The page of the list that a user is in, as this administrator sees it. */
function listOf(user: User, me: User): readonly [path: string, label: string] {
  switch (user.authority) {
    case 'CUSTOMER_USER':
      return [`/customers/${user.customerId.id}`, 'Customer'];
    case 'TENANT_ADMIN':
      return me.authority === 'SYS_ADMIN'
        ? [`/tenants/${user.tenantId.id}`, 'Tenant']
        : ['/admins', 'Administrators'];
    case 'SYS_ADMIN':
      return ['/tenants', 'Tenants'];
    default:
      return unreachable(user.authority);
  }
}

function userOf({ api, params }: SignedIn): Promise<User> {
  return api.get(`/api/user/${segment(params.id ?? '')}`, userView);
}

const isActivated = ({ additionalInfo }: User) => additionalInfo?.userActivated === true;
const maySignIn = ({ additionalInfo }: User) => additionalInfo?.userCredentialsEnabled === true;

async function userReply(visit: SignedIn): Promise<PageReply> {
  const { api, locale, user: me } = visit;
  const user = await userOf(visit);
  const { id } = user.id;
  const link = isActivated(user) ? undefined : await api.get(`/api/user/${id}/activationLinkInfo`, linkView);
  const lastLogin = user.additionalInfo?.lastLoginTs;
  const [list, label] = listOf(user, me);
  return {
    type: 'page',
    title: user.email,
    narrow: true,
    body: (
      <>
        <Back to={list} label={label} />
        <Head title={user.email} />
        <div class="card">
          <dl>
            <dt>Name</dt>
            <dd>{fullName(user) || '–'}</dd>
            <dt>State</dt>
            <dd>{stateOf(user)}</dd>
            <dt>Last sign-in</dt>
            <dd>{typeof lastLogin === 'number' ? <Time at={lastLogin} locale={locale} /> : 'Never'}</dd>
          </dl>
        </div>
        {link === undefined ? null : <ActivationLink url={link.value} id={id} mails={visit.settings.mails} />}
        {id === me.id.id ? null : <Actions user={user} />}
      </>
    ),
  };
}

function stateOf(user: User): string {
  if (!isActivated(user)) return 'Has not chosen a password yet';
  return maySignIn(user) ? 'Active' : 'Not allowed to sign in';
}

function ActivationLink({ url, id, mails }: { url: string; id: string; mails: boolean }) {
  return (
    <section class="card" aria-labelledby="link">
      <h2 id="link">Activation link</h2>
      <p>
        {mails
          ? 'The person has it by mail. You can also give it yourself. It works once, and leads to a page that asks for a password.'
          : 'Give this link to the person. It works once, and leads to a page that asks for a password.'}
      </p>
      <p>
        <label for="activation">Link</label>
        <input id="activation" class="mono" readonly value={url} />
      </p>
      {mails ? (
        <form method="post" action={`/users/${id}/mail`}>
          <button type="submit">Send the mail again</button>
        </form>
      ) : null}
    </section>
  );
}

function Actions({ user }: { user: User }) {
  const path = `/users/${user.id.id}`;
  const enabled = maySignIn(user);
  return (
    <div class="row">
      {isActivated(user) ? (
        <form method="post" action={`${path}/enabled`}>
          <input type="hidden" name="enabled" value={enabled ? 'false' : 'true'} />
          <button type="submit">{enabled ? 'Forbid signing in' : 'Allow signing in'}</button>
        </form>
      ) : null}
      <form method="post" action={`${path}/sessions`}>
        <button type="submit">Sign out everywhere</button>
      </form>
      <a class="button" href={`${path}/delete`}>
        Delete this user
      </a>
    </div>
  );
}

export const userPages: readonly Page[] = [
  memberPage('/users/:id', ADMINISTRATORS, { get: userReply }),

  memberPage('/users/:id/enabled', ADMINISTRATORS, {
    async post({ api, params, form }) {
      const id = segment(params.id ?? '');
      const enabled = form.text('enabled') === 'true';
      const result = await api.act(
        'POST',
        `/api/user/${id}/userCredentialsEnabled?userCredentialsEnabled=${enabled}`,
      );
      const good = enabled
        ? 'Signing in is allowed again.'
        : 'Signing in is forbidden; open sessions have ended.';
      return resultAt(`/users/${id}`, result, good);
    },
  }),

  memberPage('/users/:id/mail', ADMINISTRATORS, {
    async post(visit) {
      const { id, email } = await userOf(visit);
      const query = toQuery({ email });
      const sent = await visit.api.act('POST', `/api/user/sendActivationMail?${query}`);
      return resultAt(`/users/${id.id}`, sent, `A mail is on its way to ${email}.`);
    },
  }),

  memberPage('/users/:id/sessions', ADMINISTRATORS, {
    async post({ api, params }) {
      const id = segment(params.id ?? '');
      const ended = await api.act('DELETE', `/api/user/${id}/sessions`);
      return resultAt(`/users/${id}`, ended, 'All sessions have ended; the person may sign in again.');
    },
  }),

  confirmPage('/users/:id/delete', ADMINISTRATORS, {
    find: userOf,
    ask: ({ id, email }) => ({
      title: 'Delete this user?',
      what: email,
      consequence: 'The person is signed out everywhere and cannot sign in again. This cannot be undone.',
      yes: 'Delete the user',
      back: `/users/${id.id}`,
    }),
    async carryOut({ api, user: me }, user) {
      const result = await api.act('DELETE', `/api/user/${user.id.id}`);
      const [list] = listOf(user, me);
      return resultAt(list, result, `${user.email} is deleted.`);
    },
  }),
];
