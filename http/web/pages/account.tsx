/** The account of the person who is signed in: a new password for it, and where else it is signed in. */
import { z } from 'zod';
import { EVERYBODY } from '../../auth/principal.ts';
import { factorSettingsView } from '../../routes/two-factor.ts';
import { otherSignInView, signInView } from '../../views/provider.ts';
import { sessionView } from '../../views/session.ts';
import { tokenPairView } from '../../views/user.ts';
import { segment, toQuery } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, type SignedIn, saidAt } from '../page.ts';
import { Field, Head, Refusal, Time } from '../parts/elements.tsx';
import { refusalWords } from '../refusal-words.ts';
import { NoticesCard, noticePages, noticesOf } from './mail-notices.tsx';
import { ADD_SIGN_IN_PATH } from './provider-sign-in.tsx';
import { SecondFactorCard } from './second-factor.tsx';

const ROLES = {
  CUSTOMER_USER: 'account.customer',
  TENANT_ADMIN: 'account.tenantAdmin',
  SYS_ADMIN: 'account.systemAdmin',
} as const satisfies Readonly<Record<SignedIn['user']['authority'], string>>;

type SeenSession = z.output<typeof sessionView>;

type SignIn = z.output<typeof signInView>;
type OtherSignIn = z.output<typeof otherSignInView>;

interface Seen {
  readonly sessions: readonly SeenSession[];
  readonly factor: z.output<typeof factorSettingsView>;
  readonly notices: Awaited<ReturnType<typeof noticesOf>>;
  readonly signIns: readonly SignIn[];
  readonly others: readonly OtherSignIn[];
}

async function accountReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const sessions = await visit.api.get('/api/auth/sessions', z.array(sessionView));
  const factor = await visit.api.get('/api/2fa/account/settings', factorSettingsView);
  const signIns = await visit.api.get('/api/auth/signIns', z.array(signInView));
  const others = await visit.api.get('/api/auth/signIns/others', z.array(otherSignInView));
  return shown(visit, { sessions, factor, signIns, others, notices: await noticesOf(visit) }, refusal);
}

const shown = (
  { user, locale, locale: { say } }: SignedIn,
  { sessions, factor, signIns, others, notices }: Seen,
  refusal: string | undefined,
): PageReply => ({
  type: 'page',
  title: say('account.title'),
  narrow: true,
  status: refusal === undefined ? 200 : 400,
  body: (
    <>
      <Head title={say('account.title')} />
      <div class="card">
        <dl>
          <dt>{say('login.email')}</dt>
          <dd>{user.email}</dd>
          <dt>{say('account.role')}</dt>
          <dd>{say(ROLES[user.authority])}</dd>
        </dl>
      </div>
      <div class="card">
        <h2>{say('account.password')}</h2>
        <Refusal text={refusal} />
        <form method="post" action="/account">
          <Field
            name="current"
            label={say('account.current')}
            type="password"
            autocomplete="current-password"
            required
          />
          <Field
            name="password"
            label={say('login.newPassword')}
            type="password"
            autocomplete="new-password"
            required
          />
          <Field
            name="again"
            label={say('account.again')}
            type="password"
            autocomplete="new-password"
            required
          />
          <label class="check">
            <input type="checkbox" name="keys" value="revoke" /> {say('account.revokeKeys')}
          </label>
          <button type="submit" class="primary">
            {say('account.change')}
          </button>
        </form>
      </div>
      <SecondFactorCard factor={factor} say={say} />
      <NoticesCard choices={notices} locale={locale} />
      <SignInsCard signIns={signIns} others={others} locale={locale} />
      <SessionsCard sessions={sessions} locale={locale} />
      {user.authority === 'CUSTOMER_USER' ? null : (
        <section class="card" aria-labelledby="keys">
          <h2 id="keys">{say('account.keys')}</h2>
          <p>{say('account.keysText')}</p>
          <a class="button" href="/account/keys">
            {say('account.keysSee')}
          </a>
        </section>
      )}
      <p class="muted">{say.pieces('account.api', { api: <a href="/swagger-ui">REST API</a> })}</p>
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
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'Mac'],
  [/\bCrOS\b/, 'Chromebook'],
  [/\bLinux\b/, 'Linux'],
] as const;

/** What is signed in, by what it says of itself: “Firefox, Android”. What no browser says is shown as it is. */
export function programOf(userAgent: string | null, { say }: Pick<Locale, 'say'>): string {
  if (userAgent === null) return say('account.nameless');
  const find = (of: typeof BROWSERS | typeof SYSTEMS) => of.find(([says]) => says.test(userAgent))?.[1];
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  if (!userAgent.startsWith('Mozilla/') || browser === undefined) return userAgent;
  return system === undefined ? browser : say('account.browserOn', { browser, system });
}

function SignInsCard({ signIns, others, locale }: Pick<Seen, 'signIns' | 'others'> & { locale: Locale }) {
  const { say } = locale;
  if (signIns.length + others.length === 0) return null;
  return (
    <section class="card" aria-labelledby="sign-ins">
      <h2 id="sign-ins">{say('account.signIns')}</h2>
      <ul class="sessions">
        {signIns.map(({ id, title, since }) => (
          <li>
            <strong>{title}</strong>{' '}
            <small>{say.pieces('account.signInSince', { since: <Time at={since} locale={locale} /> })}</small>
            <form method="post" action={`/account/sign-ins/${id}`}>
              <button type="submit">{say('account.signInEnd')}</button>
            </form>
          </li>
        ))}
      </ul>
      {others.map(({ providerId, title, ticket }) => (
        <p>
          <a class="button" href={`${ADD_SIGN_IN_PATH}${segment(providerId)}?${toQuery({ ticket })}`}>
            {say('account.signInAdd', { provider: title })}
          </a>
        </p>
      ))}
    </section>
  );
}

function SessionsCard({ sessions, locale }: { sessions: readonly SeenSession[]; locale: Locale }) {
  const { say } = locale;
  return (
    <section class="card" aria-labelledby="sessions">
      <h2 id="sessions">{say('account.sessions')}</h2>
      <ul class="sessions">
        {sessions.map(({ id, current, impersonated, device, address, createdTime, lastUsedTime }) => (
          <li>
            <strong>
              {current
                ? say('account.here')
                : impersonated
                  ? say('account.administrator')
                  : programOf(device, locale)}
            </strong>{' '}
            <small>
              {say.pieces('account.session', {
                address,
                since: <Time at={createdTime} locale={locale} />,
                used: <Time at={lastUsedTime} locale={locale} />,
              })}
            </small>
            {current ? null : (
              <form method="post" action={`/account/sessions/${id}`}>
                <button type="submit">{say('account.signOutThere')}</button>
              </form>
            )}
          </li>
        ))}
      </ul>
      {sessions.length < 2 ? null : (
        <form method="post" action="/account/sessions">
          <button type="submit">{say('account.signOutElsewhere')}</button>
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
      const { say } = visit.locale;
      const newPassword = form.text('password');
      if (newPassword !== form.text('again')) return accountReply(visit, say('account.differ'));
      const revokeApiKeys = form.text('keys') === 'revoke';
      const body = { currentPassword: form.text('current'), newPassword, revokeApiKeys };
      const changed = await api.post('/api/auth/changePassword', body, tokenPairView);
      if (changed.type === 'refused')
        return accountReply(visit, refusalWords(changed, say, say('account.wrong')));
      const notice = { kind: 'good', text: say('account.changed') } as const;
      return { type: 'see-other', to: '/account', signIn: changed.value, notice };
    },
  }),

  memberPage('/account/sessions', EVERYBODY, {
    async post({ api, locale }) {
      const ended = await api.act('DELETE', '/api/auth/sessions');
      return saidAt('/account', ended, locale.say('account.signedOutElsewhere'), locale);
    },
  }),

  memberPage('/account/sign-ins/:id', EVERYBODY, {
    async post({ api, params, locale }) {
      const ended = await api.act('DELETE', `/api/auth/signIns/${segment(params.id ?? '')}`);
      return saidAt('/account', ended, locale.say('account.signInEnded'), locale);
    },
  }),

  memberPage('/account/sessions/:id', EVERYBODY, {
    async post({ api, params, locale }) {
      const ended = await api.act('DELETE', `/api/auth/sessions/${segment(params.id ?? '')}`);
      return saidAt('/account', ended, locale.say('account.signedOutThere'), locale);
    },
  }),
];
