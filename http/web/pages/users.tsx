/** One user, for the administrator: activation link, whether the person may sign in, deletion. */

import { z } from 'zod';
import { unreachable } from '../../../actors/base/unreachable.ts';
import { ADMINISTRATORS } from '../../auth/principal.ts';
import { userView } from '../../views/user.ts';
import { segment } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn, saidAt } from '../page.ts';
import { confirmPage } from '../parts/confirm.tsx';
import { Copied, CopiedText } from '../parts/copied.tsx';
import { Back, Head, Time } from '../parts/elements.tsx';
import { Qr } from '../parts/qr.tsx';
import { fullName, mailActivation } from '../parts/users.tsx';
import type { User } from '../session.ts';
import type { Say } from '../texts/say.ts';

const linkView = z.object({ value: z.string(), ttlMs: z.number() });

/** The page of the list that a user is in, as this administrator sees it. */
function listOf(user: User, me: User, say: Say): readonly [path: string, label: string] {
  switch (user.authority) {
    case 'CUSTOMER_USER':
      return [`/customers/${user.customerId.id}`, say('account.customer')];
    case 'TENANT_ADMIN':
      return me.authority === 'SYS_ADMIN'
        ? [`/tenants/${user.tenantId.id}`, say('settings.tenant')]
        : ['/admins', say('settings.admins')];
    case 'SYS_ADMIN':
      return ['/tenants', say('frame.tenants')];
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
  const { say } = locale;
  const user = await userOf(visit);
  const { id } = user.id;
  const link = isActivated(user) ? undefined : await api.get(`/api/user/${id}/activationLinkInfo`, linkView);
  const lastLogin = user.additionalInfo?.lastLoginTs;
  const [list, label] = listOf(user, me, say);
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
            <dt>{say('people.name')}</dt>
            <dd>
              <bdi>{fullName(user) || '–'}</bdi>
            </dd>
            <dt>{say('users.state')}</dt>
            <dd>{say(stateOf(user))}</dd>
            <dt>{say('users.lastLogin')}</dt>
            <dd>
              {typeof lastLogin === 'number' ? <Time at={lastLogin} locale={locale} /> : say('users.never')}
            </dd>
          </dl>
        </div>
        {link === undefined ? null : <ActivationLink user={user} link={link} visit={visit} />}
        {id === me.id.id ? null : <Actions user={user} say={say} />}
      </>
    ),
  };
}

function stateOf(user: User): 'users.notActive' | 'users.active' | 'users.forbidden' {
  if (!isActivated(user)) return 'users.notActive';
  return maySignIn(user) ? 'users.active' : 'users.forbidden';
}

interface ActivationLinkProps {
  readonly user: User;
  readonly link: z.output<typeof linkView>;
  readonly visit: SignedIn;
}

function ActivationLink({ user, link: { value, ttlMs }, visit }: ActivationLinkProps) {
  const { settings, locale, nowMs } = visit;
  const { say } = locale;
  const until = nowMs + ttlMs;
  const service = settings.name;
  const mail = {
    subject: say('users.mailSubject', { service }),
    // The link by itself: marks of direction around it would become a part of it.
    body: [
      say('users.mailHello'),
      say('users.mailReady', { service }),
      value,
      say('users.mailOnce', { until: locale.instant(until) }),
    ].join('\n\n'),
  };
  return (
    <section class="card" aria-labelledby="link">
      <h2 id="link">{say('users.link')}</h2>
      <p>
        {say.pieces(settings.mails ? 'users.linkMailed' : 'users.linkGive', {
          until: <Time at={until} locale={locale} />,
        })}
      </p>
      <Copied id="activation" label={say('users.linkLabel')} value={value} say={say} />
      <div class="row">
        {settings.mails ? (
          <form method="post" action={`/users/${user.id.id}/mail`}>
            <button type="submit">{say('users.mailAgain')}</button>
          </form>
        ) : null}
        <a class="button" href={mailto(user.email, mail)}>
          {say('users.write')}
        </a>
        <form method="post" action={`/users/${user.id.id}/link`}>
          <button type="submit">{say('users.another')}</button>
        </form>
      </div>
      <details>
        <summary>{say('users.mailText')}</summary>
        <CopiedText id="mail-text" label={say('users.mailTextLabel')} value={mail.body} say={say} />
      </details>
      <details>
        <summary>{say('users.asQr')}</summary>
        <Qr text={value} label={say('users.qr')} />
      </details>
    </section>
  );
}

/** RFC 6068: lines end with CRLF. */
function mailto(email: string, { subject, body }: { readonly subject: string; readonly body: string }) {
  const written = (text: string) => encodeURIComponent(text.replaceAll('\n', '\r\n'));
  return `mailto:${encodeURIComponent(email)}?subject=${written(subject)}&body=${written(body)}`;
}

function Actions({ user, say }: { user: User; say: Say }) {
  const path = `/users/${user.id.id}`;
  const enabled = maySignIn(user);
  return (
    <div class="row">
      {isActivated(user) ? (
        <form method="post" action={`${path}/enabled`}>
          <input type="hidden" name="enabled" value={enabled ? 'false' : 'true'} />
          <button type="submit">{say(enabled ? 'users.forbid' : 'users.allow')}</button>
        </form>
      ) : null}
      <form method="post" action={`${path}/sessions`}>
        <button type="submit">{say('users.signOut')}</button>
      </form>
      <a class="button" href={`${path}/delete`}>
        {say('users.delete')}
      </a>
    </div>
  );
}

export const userPages: readonly Page[] = [
  memberPage('/users/:id', ADMINISTRATORS, { get: userReply }),

  memberPage('/users/:id/enabled', ADMINISTRATORS, {
    async post({ api, params, form, locale }) {
      const id = segment(params.id ?? '');
      const enabled = form.text('enabled') === 'true';
      const result = await api.act(
        'POST',
        `/api/user/${id}/userCredentialsEnabled?userCredentialsEnabled=${enabled}`,
      );
      const good = locale.say(enabled ? 'users.allowed' : 'users.forbade');
      return saidAt(`/users/${id}`, result, good, locale);
    },
  }),

  memberPage('/users/:id/mail', ADMINISTRATORS, {
    async post(visit) {
      const { id, email } = await userOf(visit);
      const sent = await mailActivation(visit, email);
      const { locale } = visit;
      return saidAt(`/users/${id.id}`, sent, locale.say('users.mailed', { email }), locale);
    },
  }),

  memberPage('/users/:id/link', ADMINISTRATORS, {
    async post({ api, params, locale }) {
      const id = segment(params.id ?? '');
      const made = await api.act('POST', `/api/user/${id}/activationLink`);
      return saidAt(`/users/${id}`, made, locale.say('users.newLink'), locale);
    },
  }),

  memberPage('/users/:id/sessions', ADMINISTRATORS, {
    async post({ api, params, locale }) {
      const id = segment(params.id ?? '');
      const ended = await api.act('DELETE', `/api/user/${id}/sessions`);
      return saidAt(`/users/${id}`, ended, locale.say('users.signedOut'), locale);
    },
  }),

  confirmPage('/users/:id/delete', ADMINISTRATORS, {
    find: userOf,
    ask: ({ id, email }, { locale: { say } }) => ({
      title: say('users.deleteTitle'),
      what: email,
      consequence: say('users.deleteText'),
      yes: say('users.deleteYes'),
      back: `/users/${id.id}`,
    }),
    async carryOut({ api, user: me, locale }, user) {
      const result = await api.act('DELETE', `/api/user/${user.id.id}`);
      const [list] = listOf(user, me, locale.say);
      return saidAt(list, result, locale.say('users.deleted', { email: user.email }), locale);
    },
  }),
];
