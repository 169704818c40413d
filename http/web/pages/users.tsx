/** One user, for the administrator: activation link, whether the person may sign in, deletion. */

import { z } from 'zod';
import { unreachable } from '../../../actors/base/unreachable.ts';
import { ADMINISTRATORS } from '../../auth/principal.ts';
import { userView } from '../../views/user.ts';
import { segment, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, resultAt, type SignedIn } from '../page.ts';
import { confirmPage } from '../parts/confirm.tsx';
import { Copied, CopiedText } from '../parts/copied.tsx';
import { Back, Head, Time } from '../parts/elements.tsx';
import { Qr } from '../parts/qr.tsx';
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
    islands: ['copy.js'],
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
        {link === undefined ? null : <ActivationLink user={user} link={link} visit={visit} />}
        {id === me.id.id ? null : <Actions user={user} />}
      </>
    ),
  };
}

function stateOf(user: User): string {
  if (!isActivated(user)) return 'Has not chosen a password yet';
  return maySignIn(user) ? 'Active' : 'Not allowed to sign in';
}

interface ActivationLinkProps {
  readonly user: User;
  readonly link: z.output<typeof linkView>;
  readonly visit: SignedIn;
}

function ActivationLink({ user, link: { value, ttlMs }, visit }: ActivationLinkProps) {
  const { settings, locale, nowMs } = visit;
  const until = nowMs + ttlMs;
  const mail = {
    subject: `Your account at ${settings.name}`,
    body: [
      'Hello,',
      '',
      `an account at ${settings.name} is ready for you. Open this link and choose a password:`,
      '',
      value,
      '',
      `The link works once, until ${locale.instant(until)}. Please pass it on to nobody.`,
    ].join('\n'),
  };
  return (
    <section class="card" aria-labelledby="link">
      <h2 id="link">Activation link</h2>
      <p>
        {settings.mails
          ? 'The person has it by mail. You can also give it yourself. '
          : 'Give this link to the person. '}
        It works once, until <Time at={until} locale={locale} />, and leads to a page that asks for a
        password.
      </p>
      <Copied id="activation" label="Link" value={value} say={locale.say} />
      <div class="row">
        {settings.mails ? (
          <form method="post" action={`/users/${user.id.id}/mail`}>
            <button type="submit">Send the mail again</button>
          </form>
        ) : null}
        <a class="button" href={mailto(user.email, mail)}>
          Write a mail
        </a>
        <form method="post" action={`/users/${user.id.id}/link`}>
          <button type="submit">Make another link</button>
        </form>
      </div>
      <details>
        <summary>Text of the mail</summary>
        <CopiedText id="mail-text" label="For a message of your own" value={mail.body} say={locale.say} />
      </details>
      <details>
        <summary>As a QR code</summary>
        <Qr text={value} label="QR code of the activation link" />
      </details>
    </section>
  );
}

/** RFC 6068: lines end with CRLF. */
function mailto(email: string, { subject, body }: { readonly subject: string; readonly body: string }) {
  const written = (text: string) => encodeURIComponent(text.replaceAll('\n', '\r\n'));
  return `mailto:${encodeURIComponent(email)}?subject=${written(subject)}&body=${written(body)}`;
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

  memberPage('/users/:id/link', ADMINISTRATORS, {
    async post({ api, params }) {
      const id = segment(params.id ?? '');
      const made = await api.act('POST', `/api/user/${id}/activationLink`);
      return resultAt(`/users/${id}`, made, 'This is a new link; the one before does not work any more.');
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
