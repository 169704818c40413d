/** Signing in and out, and the first password behind an activation link. */
import { z } from 'zod';
import { buttonsView } from '../../views/provider.ts';
import { sessionView } from '../../views/session.ts';
import { loginView } from '../../views/user.ts';
import { type Api, type Refused, toQuery } from '../api.ts';
import type { Page, PageReply, Visit } from '../page.ts';
import { choosePasswordReply } from '../parts/choose-password.tsx';
import { Field, Refusal } from '../parts/elements.tsx';
import { refusalWords } from '../refusal-words.ts';
import { PROVIDER_LOGOUT_PATH } from '../session.ts';
import type { DemoAccount } from '../settings.ts';
import type { Say } from '../texts/say.ts';
import { FORGOTTEN_PAGE, forgottenPasswordPages } from './forgotten-password.tsx';
import { providerPages } from './provider-sign-in.tsx';
import { afterPassword, secondFactorPages } from './second-factor.tsx';
import { SIGN_UP_PAGE, signUpPages } from './sign-up.tsx';

/** A path of this site. `//`, `/\\` and `/<tab>/` are none: browsers read another host in them. */
const OWN_PATH = /^\/(?![/\\])[!-~]*$/;

/** Where to go after signing in: never to another site, whatever a link says. */
export function nextOf(path: string | null): string {
  return path !== null && OWN_PATH.test(path) ? path : '/';
}

interface LoginProps {
  readonly visit: Visit;
  readonly next: string;
  readonly refusal: Refused | undefined;
  readonly buttons: readonly Button[];
}

function Login({ visit, next, refusal, buttons }: LoginProps) {
  const { say } = visit.locale;
  const { demoAccounts } = visit.settings;
  const invalid = refusal !== undefined;
  return (
    <>
      <div class="card">
        <h1>{say('login.title')}</h1>
        <p class="lead" data-claim-hint={say('login.toClaim', { device: '{device}' })} hidden />
        <Refusal text={refusal && explain(refusal, say)} />
        <form method="post" action="/login">
          <input type="hidden" name="next" value={next} />
          <Field
            name="email"
            label={say('login.email')}
            type="email"
            autocomplete="username"
            required
            invalid={invalid}
            {...(invalid ? { value: visit.form.text('email') } : {})}
          />
          <Field
            name="password"
            label={say('login.password')}
            type="password"
            autocomplete="current-password"
            required
            invalid={invalid}
          />
          <button type="submit" class="primary wide">
            {say('login.title')}
          </button>
        </form>
        {buttons.map(({ name, url }) => (
          <p>
            <a class="button wide" href={`${url}?${toQuery({ prevUri: next })}`}>
              {name}
            </a>
          </p>
        ))}
      </div>
      {visit.settings.signUp ? (
        <p>
          <a class="button wide" href={SIGN_UP_PAGE}>
            {say('signUp.offer')}
          </a>
        </p>
      ) : null}
      <p class="muted">{say('login.noPassword')}</p>
      <p class="muted">
        <a href={FORGOTTEN_PAGE}>{say('forgot.title')}</a>
      </p>
      {demoAccounts.length === 0 ? null : <DemoAccounts accounts={demoAccounts} next={next} say={say} />}
    </>
  );
}

interface DemoAccountsProps {
  readonly accounts: readonly DemoAccount[];
  readonly next: string;
  readonly say: Say;
}

function DemoAccounts({ accounts, next, say }: DemoAccountsProps) {
  return (
    <section class="card" aria-labelledby="demo">
      <h2 id="demo">{say('login.demo')}</h2>
      <ul class="demo">
        {accounts.map(({ label, email, password }) => (
          <li>
            <form method="post" action="/login">
              <input type="hidden" name="next" value={next} />
              <input type="hidden" name="email" value={email} />
              <input type="hidden" name="password" value={password} />
              <button type="submit">
                <span>{label}</span> <small>{email}</small>
              </button>
            </form>
          </li>
        ))}
      </ul>
    </section>
  );
}

function explain({ status, message, retryAfterSeconds }: Refused, say: Say): string {
  if (status === 429) return say('login.tooMany', { count: retryAfterSeconds ?? 60 });
  if (status === 503) return say('login.busy');
  return say(message === 'User account is not active' ? 'login.notActive' : 'login.wrong');
}

type Button = z.output<typeof buttonsView>[number];

/** The page can be shown without: a password works also while the store is away. */
async function buttonsFor({ anonymous }: Visit): Promise<readonly Button[]> {
  const listed = await anonymous.post('/api/noauth/oauth2Clients', undefined, buttonsView);
  return listed.type === 'ok' ? listed.value : [];
}

const loginReply = async (visit: Visit, next: string, refusal?: Refused): Promise<PageReply> => ({
  type: 'page',
  title: visit.locale.say('login.title'),
  narrow: true,
  status: refusal === undefined ? 200 : refusal.status === 429 ? 429 : 400,
  body: <Login visit={visit} next={next} refusal={refusal} buttons={await buttonsFor(visit)} />,
});

/** Where a link leads that was used, or is too old; the path is ThingsBoard's. */
export const LINK_EXPIRED_PAGE = '/activationLinkExpired';

const linkExpiredReply = ({ session, locale: { say } }: Visit): PageReply => ({
  type: 'page',
  title: say('login.linkUsed'),
  narrow: true,
  body: (
    <div class="card">
      <h1>{say('login.linkUsed')}</h1>
      <p>{say('login.linkUsedText')}</p>
      <p>
        <a class="button primary" href={session === undefined ? '/login' : '/'}>
          {say(session === undefined ? 'login.title' : 'problem.start')}
        </a>
      </p>
    </div>
  ),
});

const createPasswordReply = (visit: Visit, token: string, refusal?: string): PageReply =>
  choosePasswordReply(visit, {
    to: '/login/createPassword',
    field: 'activateToken',
    token,
    words: 'login',
    refusal,
  });

async function createPassword(visit: Visit): Promise<PageReply> {
  const { form, anonymous } = visit;
  const { say } = visit.locale;
  const activateToken = form.text('activateToken');
  const password = form.text('password');
  if (password !== form.text('again')) {
    return createPasswordReply(visit, activateToken, say('login.differ'));
  }
  const activated = await anonymous.post('/api/noauth/activate', { activateToken, password }, loginView);
  if (activated.type === 'ok') {
    const notice = { kind: 'good', text: say('login.welcome') } as const;
    const reply = await afterPassword(visit, activated.value, '/');
    return reply.type === 'see-other' ? { ...reply, notice } : reply;
  }
  // The API's rules for passwords.
  const why = activated.message.startsWith('Password') ? refusalWords(activated, say) : say('login.linkDead');
  return createPasswordReply(visit, activateToken, why);
}

async function beganByProvider(api: Api): Promise<boolean> {
  // An administrator who looks in sees no sessions.
  const answer = await api.send('GET', '/api/auth/sessions');
  const sessions = z.array(sessionView).safeParse(answer.json).data ?? [];
  return sessions.some(({ current, providerId }) => current && providerId !== null);
}

export const loginPages: readonly Page[] = [
  ...secondFactorPages(nextOf),
  ...providerPages(nextOf),
  ...forgottenPasswordPages,
  ...signUpPages,
  {
    path: '/login',
    roles: ['PUBLIC'],
    get(visit) {
      const next = nextOf(visit.query.get('next'));
      return visit.session === undefined ? loginReply(visit, next) : { type: 'see-other', to: next };
    },
    async post(visit) {
      const { form, anonymous } = visit;
      const next = nextOf(form.text('next'));
      const body = { username: form.text('email'), password: form.text('password') };
      const login = await anonymous.post('/api/auth/login', body, loginView);
      return login.type === 'ok' ? afterPassword(visit, login.value, next) : loginReply(visit, next, login);
    },
  },
  {
    path: '/logout',
    roles: ['PUBLIC'],
    async post({ session }) {
      const byProvider = session !== undefined && (await beganByProvider(session.api));
      await session?.api.act('POST', '/api/auth/logout');
      return { type: 'see-other', to: byProvider ? PROVIDER_LOGOUT_PATH : '/login', signOut: true };
    },
  },
  {
    path: LINK_EXPIRED_PAGE,
    roles: ['PUBLIC'],
    get: linkExpiredReply,
  },
  {
    path: '/login/createPassword',
    roles: ['PUBLIC'],
    get: (visit) => createPasswordReply(visit, visit.query.get('activateToken') ?? ''),
    post: createPassword,
  },
];
