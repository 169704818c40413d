/** The account of the person who is signed in: a new password for it, and where else it is signed in. */
import { z } from 'zod';
import { EVERYBODY } from '../../auth/principal.ts';
import { factorSettingsView } from '../../routes/two-factor.ts';
import { sessionView } from '../../views/session.ts';
import { tokenPairView } from '../../views/user.ts';
import { segment } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, resultAt, type SignedIn } from '../page.ts';
import { Field, Head, Refusal, Time } from '../parts/elements.tsx';
import { NoticesCard, noticePages, noticesOf } from './mail-notices.tsx';
import { SecondFactorCard } from './second-factor.tsx';

const ROLES: Readonly<Record<SignedIn['user']['authority'], string>> = {
  CUSTOMER_USER: 'Customer',
  TENANT_ADMIN: 'Administrator of a tenant',
  SYS_ADMIN: 'System administrator',
};

type SeenSession = z.output<typeof sessionView>;

interface Seen {
  readonly sessions: readonly SeenSession[];
  readonly factor: z.output<typeof factorSettingsView>;
  readonly notices: Awaited<ReturnType<typeof noticesOf>>;
}

async function accountReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const sessions = await visit.api.get('/api/auth/sessions', z.array(sessionView));
  const factor = await visit.api.get('/api/2fa/account/settings', factorSettingsView);
  return shown(visit, { sessions, factor, notices: await noticesOf(visit) }, refusal);
}

const shown = (
  { user, locale }: SignedIn,
  { sessions, factor, notices }: Seen,
  refusal: string | undefined,
): PageReply => ({
  type: 'page',
  title: 'Your account',
  narrow: true,
  status: refusal === undefined ? 200 : 400,
  body: (
    <>
      <Head title="Your account" />
      <div class="card">
        <dl>
          <dt>E-mail</dt>
          <dd>{user.email}</dd>
          <dt>Role</dt>
          <dd>{ROLES[user.authority]}</dd>
        </dl>
      </div>
      <div class="card">
        <h2>Change your password</h2>
        <Refusal text={refusal} />
        <form method="post" action="/account">
          <Field
            name="current"
            label="Current password"
            type="password"
            autocomplete="current-password"
            required
          />
          <Field name="password" label="New password" type="password" autocomplete="new-password" required />
          <Field
            name="again"
            label="The new one once more"
            type="password"
            autocomplete="new-password"
            required
          />
          <label class="check">
            <input type="checkbox" name="keys" value="revoke" /> Revoke my API keys, too
          </label>
          <button type="submit" class="primary">
            Change the password
          </button>
        </form>
      </div>
      <SecondFactorCard {...factor} />
      <NoticesCard choices={notices} />
      <SessionsCard sessions={sessions} locale={locale} />
      {user.authority === 'CUSTOMER_USER' ? null : (
        <section class="card" aria-labelledby="keys">
          <h2 id="keys">API keys</h2>
          <p>Programs that act as you have a key instead of your password.</p>
          <a class="button" href="/account/keys">
            See and make keys
          </a>
        </section>
      )}
      <p class="muted">
        For programs there is the <a href="/swagger-ui">REST API</a>.
      </p>
    </>
  ),
});

const BROWSERS = [
  [/\bEdg/, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/Chrome\/|\bCriOS\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
] as const;
const SYSTEMS = [
  [/\bAndroid\b/, 'Android'],
  [/\biPhone\b/, 'an iPhone'],
  [/\biPad\b/, 'an iPad'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'a Mac'],
  [/\bCrOS\b/, 'a Chromebook'],
  [/\bLinux\b/, 'Linux'],
] as const;

/** What is signed in, by what it says of itself: “Firefox on Android”. What no browser says is shown as it is. */
export function programOf(userAgent: string | null): string {
  if (userAgent === null) return 'A program without a name';
  const find = (of: typeof BROWSERS | typeof SYSTEMS) => of.find(([says]) => says.test(userAgent))?.[1];
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  if (!userAgent.startsWith('Mozilla/') || browser === undefined) return userAgent;
  return system === undefined ? browser : `${browser} on ${system}`;
}

function SessionsCard({ sessions, locale }: { sessions: readonly SeenSession[]; locale: Locale }) {
  return (
    <section class="card" aria-labelledby="sessions">
      <h2 id="sessions">Where you are signed in</h2>
      <ul class="sessions">
        {sessions.map(({ id, current, impersonated, device, address, createdTime, lastUsedTime }) => (
          <li>
            <strong>{current ? 'Here' : impersonated ? 'An administrator' : programOf(device)}</strong>{' '}
            <small>
              from {address}, since <Time at={createdTime} locale={locale} />, last used{' '}
              <Time at={lastUsedTime} locale={locale} />
            </small>
            {current ? null : (
              <form method="post" action={`/account/sessions/${id}`}>
                <button type="submit">Sign out there</button>
              </form>
            )}
          </li>
        ))}
      </ul>
      {sessions.length < 2 ? null : (
        <form method="post" action="/account/sessions">
          <button type="submit">Sign out everywhere else</button>
        </form>
      )}
    </section>
  );
}

export const accountPages: readonly Page[] = [
  ...noticePages,

  memberPage('/account', EVERYBODY, {
    get: (visit) => accountReply(visit),
    async post(visit) {
      const { form, api } = visit;
      const newPassword = form.text('password');
      if (newPassword !== form.text('again'))
        return accountReply(visit, 'The two new passwords are not the same.');
      const revokeApiKeys = form.text('keys') === 'revoke';
      const body = { currentPassword: form.text('current'), newPassword, revokeApiKeys };
      const changed = await api.post('/api/auth/changePassword', body, tokenPairView);
      if (changed.type === 'refused') return accountReply(visit, changed.message);
      const notice = {
        kind: 'good',
        text: 'Your password was changed. Other devices have to sign in again.',
      } as const;
      return { type: 'see-other', to: '/account', signIn: changed.value, notice };
    },
  }),

  memberPage('/account/sessions', EVERYBODY, {
    async post({ api }) {
      const ended = await api.act('DELETE', '/api/auth/sessions');
      return resultAt('/account', ended, 'You are signed out everywhere else.');
    },
  }),

  memberPage('/account/sessions/:id', EVERYBODY, {
    async post({ api, params }) {
      const ended = await api.act('DELETE', `/api/auth/sessions/${segment(params.id ?? '')}`);
      return resultAt('/account', ended, 'You are signed out there.');
    },
  }),
];
