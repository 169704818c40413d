/** Signing in and out, and the first password behind an activation link. */
import { tokenPairView } from '../../views/user.ts';
import type { Failed } from '../api.ts';
import type { Page, PageReply, Visit } from '../page.ts';
import { Field, Note } from '../parts/layout.tsx';

/** A path of this site: browsers take `//`, `/\\` and, leaving tabs out, `/<tab>/` for another host. */
const OWN_PATH = /^\/(?![/\\])[!-~]*$/;

/** Only ways within this site: never an address that somebody put into a link. */
function nextOf(given: string | null): string {
  return given !== null && OWN_PATH.test(given) ? given : '/';
}

function LoginPage(props: { visit: Visit; next: string; email?: string; failed?: Failed }) {
  const { visit, next, email, failed } = props;
  const { demoAccounts } = visit.settings;
  return (
    <>
      <div class="card">
        <h1>Sign in</h1>
        <p class="lead" data-claim-hint hidden />
        {failed === undefined ? null : <Note kind="bad">{whyNot(failed)}</Note>}
        <form method="post" action="/login">
          <input type="hidden" name="next" value={next} />
          <Field
            name="email"
            label="E-mail"
            type="email"
            autocomplete="username"
            required
            {...(email === undefined ? {} : { value: email })}
            {...(failed === undefined ? {} : { invalid: true })}
          />
          <Field
            name="password"
            label="Password"
            type="password"
            autocomplete="current-password"
            required
            {...(failed === undefined ? {} : { invalid: true })}
          />
          <button type="submit" class="primary wide">
            Sign in
          </button>
        </form>
      </div>
      <p class="muted">
        No password yet? Open the activation link that your administrator gave you. It leads to a page where
        you choose one.
      </p>
      {demoAccounts.length === 0 ? null : (
        <section class="card" aria-labelledby="demo">
          <h2 id="demo">Try the demo</h2>
          <ul class="demo">
            {demoAccounts.map((account) => (
              <li>
                <form method="post" action="/login">
                  <input type="hidden" name="next" value={next} />
                  <input type="hidden" name="email" value={account.email} />
                  <input type="hidden" name="password" value={account.password} />
                  <button type="submit">
                    <span>{account.label}</span> <small>{account.email}</small>
                  </button>
                </form>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function whyNot({ status, message, retryAfterSeconds }: Failed): string {
  if (status === 429) {
    return `Too many attempts failed. Please wait ${retryAfterSeconds ?? 60} seconds, then try again.`;
  }
  if (status === 503) return 'The server is busy. Please try again in a moment.';
  if (message === 'User account is not active') {
    return 'This account is not active. If it is new, open its activation link first; otherwise ask your administrator.';
  }
  return 'The e-mail or the password is wrong. Please try again.';
}

function CreatePasswordPage(props: { token: string; failed?: string }) {
  return (
    <div class="card">
      <h1>Choose your password</h1>
      <p class="lead">With it you will sign in from now on. Nobody else gets to see it.</p>
      {props.failed === undefined ? null : <Note kind="bad">{props.failed}</Note>}
      <form method="post" action="/login/createPassword">
        <input type="hidden" name="activateToken" value={props.token} />
        <Field name="password" label="New password" type="password" autocomplete="new-password" required />
        <Field name="again" label="The same once more" type="password" autocomplete="new-password" required />
        <button type="submit" class="primary wide">
          Set the password and sign in
        </button>
      </form>
    </div>
  );
}

const loginReply = (visit: Visit, next: string, failed?: Failed): PageReply => ({
  type: 'page',
  title: 'Sign in',
  narrow: true,
  status: failed === undefined ? 200 : failed.status === 429 ? 429 : 400,
  body: (
    <LoginPage
      visit={visit}
      next={next}
      {...(failed === undefined ? {} : { failed, email: visit.form.text('email') })}
    />
  ),
});

export const loginPages: readonly Page[] = [
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
      const login = await anonymous.post('/api/auth/login', body, tokenPairView);
      return login.type === 'ok'
        ? { type: 'see-other', to: next, signIn: login.value }
        : loginReply(visit, next, login);
    },
  },
  {
    path: '/logout',
    roles: ['PUBLIC'],
    async post({ session }) {
      await session?.api.act('POST', '/api/auth/logout');
      return { type: 'see-other', to: '/login', signOut: true };
    },
  },
  {
    path: '/login/createPassword',
    roles: ['PUBLIC'],
    get: ({ query }) => ({
      type: 'page',
      title: 'Choose your password',
      narrow: true,
      body: <CreatePasswordPage token={query.get('activateToken') ?? ''} />,
    }),
    async post({ form, anonymous }) {
      const token = form.text('activateToken');
      const password = form.text('password');
      const again = (failed: string): PageReply => ({
        type: 'page',
        title: 'Choose your password',
        narrow: true,
        status: 400,
        body: <CreatePasswordPage token={token} failed={failed} />,
      });
      if (password !== form.text('again'))
        return again('The two passwords are not the same. Please type them again.');
      const body = { activateToken: token, password };
      const activated = await anonymous.post('/api/noauth/activate', body, tokenPairView);
      if (activated.type === 'ok') {
        const notice = { kind: 'good', text: 'Welcome! Your password is set.' } as const;
        return { type: 'see-other', to: '/', signIn: activated.value, notice };
      }
      if (activated.message.startsWith('Password')) return again(activated.message);
      return again(
        'This link does not work any more: it was used already, or it is too old. Ask your administrator for a new one.',
      );
    },
  },
];
