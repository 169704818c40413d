/** Signing in and out, and the first password behind an activation link. */
import { z } from 'zod';
import { buttonsView } from '../../views/provider.ts';
import { sessionView } from '../../views/session.ts';
import { loginView } from '../../views/user.ts';
import { type Api, type Refused, toQuery } from '../api.ts';
import type { Page, PageReply, Visit } from '../page.ts';
import { Field, Refusal } from '../parts/elements.tsx';
import { PROVIDER_LOGOUT_PATH } from '../session.ts';
import type { DemoAccount } from '../settings.ts';
import { FORGOTTEN_PAGE, forgottenPasswordPages } from './forgotten-password.tsx';
import { providerPages } from './provider-sign-in.tsx';
import { afterPassword, secondFactorPages } from './second-factor.tsx';

/** A path of this site. `//`, `/\\` and `/<tab>/` are none: browsers read another host in them. */
const OWN_PATH = /^\/(?![/\\])[!-~]*$/;

/** Where to go after signing in: never to another site, whatever a link says. */
function nextOf(path: string | null): string {
  return path !== null && OWN_PATH.test(path) ? path : '/';
}

interface LoginProps {
  readonly visit: Visit;
  readonly next: string;
  readonly refusal: Refused | undefined;
  readonly buttons: readonly Button[];
}

function Login({ visit, next, refusal, buttons }: LoginProps) {
  const { demoAccounts } = visit.settings;
  const invalid = refusal !== undefined;
  return (
    <>
      <div class="card">
        <h1>Sign in</h1>
        <p class="lead" data-claim-hint hidden />
        <Refusal text={refusal && explain(refusal)} />
        <form method="post" action="/login">
          <input type="hidden" name="next" value={next} />
          <Field
            name="email"
            label="E-mail"
            type="email"
            autocomplete="username"
            required
            invalid={invalid}
            {...(invalid ? { value: visit.form.text('email') } : {})}
          />
          <Field
            name="password"
            label="Password"
            type="password"
            autocomplete="current-password"
            required
            invalid={invalid}
          />
          <button type="submit" class="primary wide">
            Sign in
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
      <p class="muted">
        No password yet? Open the activation link that your administrator gave you. It leads to a page where
        you choose one.
      </p>
      <p class="muted">
        <a href={FORGOTTEN_PAGE}>Forgot your password?</a>
      </p>
      {demoAccounts.length === 0 ? null : <DemoAccounts accounts={demoAccounts} next={next} />}
    </>
  );
}

function DemoAccounts({ accounts, next }: { accounts: readonly DemoAccount[]; next: string }) {
  return (
    <section class="card" aria-labelledby="demo">
      <h2 id="demo">Try the demo</h2>
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

function explain({ status, message, retryAfterSeconds }: Refused): string {
  if (status === 429) {
    return `Too many attempts failed. Please wait ${retryAfterSeconds ?? 60} seconds, then try again.`;
  }
  if (status === 503) return 'The server is busy. Please try again in a moment.';
  if (message === 'User account is not active') {
    return 'This account is not active. If it is new, open its activation link first; otherwise ask your administrator.';
  }
  return 'The e-mail or the password is wrong. Please try again.';
}

function CreatePassword({ token, refusal }: { token: string; refusal: string | undefined }) {
  return (
    <div class="card">
      <h1>Choose your password</h1>
      <p class="lead">You will sign in with it from now on. Nobody else can see it.</p>
      <Refusal text={refusal} />
      <form method="post" action="/login/createPassword">
        <input type="hidden" name="activateToken" value={token} />
        <Field
          name="password"
          label="New password"
          type="password"
          autocomplete="new-password"
          hint="Long is good: a few words that nobody would guess."
          required
        />
        <Field name="again" label="The same once more" type="password" autocomplete="new-password" required />
        <button type="submit" class="primary wide">
          Set the password and sign in
        </button>
      </form>
    </div>
  );
}

type Button = z.output<typeof buttonsView>[number];

/** The page can be shown without: a password works also while the store is away. */
async function buttonsFor({ anonymous }: Visit): Promise<readonly Button[]> {
  const listed = await anonymous.post('/api/noauth/oauth2Clients', undefined, buttonsView);
  return listed.type === 'ok' ? listed.value : [];
}

const loginReply = async (visit: Visit, next: string, refusal?: Refused): Promise<PageReply> => ({
  type: 'page',
  title: 'Sign in',
  narrow: true,
  status: refusal === undefined ? 200 : refusal.status === 429 ? 429 : 400,
  body: <Login visit={visit} next={next} refusal={refusal} buttons={await buttonsFor(visit)} />,
});

/** Where a link leads that was used, or is too old; the path is ThingsBoard's. */
export const LINK_EXPIRED_PAGE = '/activationLinkExpired';

const linkExpiredReply = (signedIn: boolean): PageReply => ({
  type: 'page',
  title: 'This link was used already',
  narrow: true,
  body: (
    <div class="card">
      <h1>This link was used already</h1>
      <p>
        A link like this works once, and only for some time. If you have chosen your password with it, sign in
        with that. If not, ask whoever sent it for a new one.
      </p>
      <p>
        <a class="button primary" href={signedIn ? '/' : '/login'}>
          {signedIn ? 'Go to the start' : 'Sign in'}
        </a>
      </p>
    </div>
  ),
});

const createPasswordReply = (token: string, refusal?: string): PageReply => ({
  type: 'page',
  title: 'Choose your password',
  narrow: true,
  status: refusal === undefined ? 200 : 400,
  body: <CreatePassword token={token} refusal={refusal} />,
});

async function createPassword(visit: Visit): Promise<PageReply> {
  const { form, anonymous } = visit;
  const activateToken = form.text('activateToken');
  const password = form.text('password');
  if (password !== form.text('again')) {
    return createPasswordReply(activateToken, 'The two passwords are not the same. Please type them again.');
  }
  const activated = await anonymous.post('/api/noauth/activate', { activateToken, password }, loginView);
  if (activated.type === 'ok') {
    const notice = { kind: 'good', text: 'Welcome! Your password is set.' } as const;
    const reply = await afterPassword(visit, activated.value, '/');
    return reply.type === 'see-other' ? { ...reply, notice } : reply;
  }
  // The API's rules for passwords, in its own words.
  if (activated.message.startsWith('Password')) return createPasswordReply(activateToken, activated.message);
  return createPasswordReply(
    activateToken,
    'This link does not work any more: it was used already, or it is too old. Ask your administrator for a new one.',
  );
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
    get: ({ session }) => linkExpiredReply(session !== undefined),
  },
  {
    path: '/login/createPassword',
    roles: ['PUBLIC'],
    get: ({ query }) => createPasswordReply(query.get('activateToken') ?? ''),
    post: createPassword,
  },
];
