/** A forgotten password: asking for a link, and the page that it leads to. Without a mail server: whom to ask instead. */
import type { Page, PageReply, Visit } from '../page.ts';
import { Field, Refusal } from '../parts/elements.tsx';

export const FORGOTTEN_PAGE = '/login/resetPasswordRequest';
/** Both paths are ThingsBoard's. */
const RESET_PAGE = '/login/resetPassword';
const EXPIRED_PAGE = '/passwordResetLinkExpired';

function AskForLink({ email }: { email: string }) {
  return (
    <div class="card">
      <h1>Forgot your password?</h1>
      <p class="lead">We send you a link by which you choose another one.</p>
      <form method="post" action={FORGOTTEN_PAGE}>
        <Field name="email" label="E-mail" type="email" autocomplete="username" required value={email} />
        <button type="submit" class="primary wide">
          Send the link
        </button>
      </form>
      <p>
        <a href="/login">Back to signing in</a>
      </p>
    </div>
  );
}

function NoMail() {
  return (
    <div class="card">
      <h1>Forgot your password?</h1>
      <p>
        This server sends no mails. Ask the administrator who made your account: he or she makes it anew, and
        gives you a link by which you choose a password. Your devices stay with your customer account.
      </p>
      <p>
        <a class="button primary" href="/login">
          Back to signing in
        </a>
      </p>
    </div>
  );
}

function Asked({ email }: { email: string }) {
  return (
    <div class="card">
      <h1>Look into your mail</h1>
      <p>
        If <strong>{email}</strong> is the address of an account, a mail is on its way. Its link works for an
        hour, and once.
      </p>
      <p class="muted">
        Nothing there after a few minutes? Look among the unwanted mails, and whether the address is right. An
        account that was never activated gets none: ask your administrator.
      </p>
      <p>
        <a class="button" href={FORGOTTEN_PAGE}>
          Try another address
        </a>
      </p>
    </div>
  );
}

function ChooseAnother({ token, refusal }: { token: string; refusal: string | undefined }) {
  return (
    <div class="card">
      <h1>Choose a new password</h1>
      <p class="lead">You will be signed out everywhere, and sign in with the new one.</p>
      <Refusal text={refusal} />
      <form method="post" action={RESET_PAGE}>
        <input type="hidden" name="resetToken" value={token} />
        <Field
          name="password"
          label="New password"
          type="password"
          autocomplete="new-password"
          hint="Long is good: a few words that nobody would guess."
          required
        />
        <Field name="again" label="The same once more" type="password" autocomplete="new-password" required />
        <label class="check">
          <input type="checkbox" name="keys" value="revoke" /> Revoke my API keys, too
        </label>
        <button type="submit" class="primary wide">
          Set the password
        </button>
      </form>
    </div>
  );
}

function LinkEnded() {
  return (
    <div class="card">
      <h1>This link does not work any more</h1>
      <p>
        It works once, for an hour, and only until you ask for another one. If your password is not changed
        yet, ask for a new link.
      </p>
      <p>
        <a class="button primary" href={FORGOTTEN_PAGE}>
          Ask for a new link
        </a>
      </p>
    </div>
  );
}

const askReply = (visit: Visit): PageReply => ({
  type: 'page',
  title: 'Forgot your password?',
  narrow: true,
  body: visit.settings.mails ? <AskForLink email={visit.query.get('email') ?? ''} /> : <NoMail />,
});

async function asked({ anonymous, form, settings }: Visit): Promise<PageReply> {
  const title = 'Look into your mail';
  if (!settings.mails) return { type: 'see-other', to: FORGOTTEN_PAGE };
  const email = form.text('email').trim();
  const answer = await anonymous.act('POST', '/api/noauth/resetPasswordByEmail', { email });
  if (answer.type === 'refused')
    return { type: 'see-other', to: FORGOTTEN_PAGE, notice: { kind: 'bad', text: answer.message } };
  return { type: 'page', title, narrow: true, body: <Asked email={email} /> };
}

const chooseReply = (token: string, refusal?: string): PageReply => ({
  type: 'page',
  title: 'Choose a new password',
  narrow: true,
  status: refusal === undefined ? 200 : 400,
  body: <ChooseAnother token={token} refusal={refusal} />,
});

const endedReply = (status: 200 | 400): PageReply => ({
  type: 'page',
  title: 'This link does not work any more',
  narrow: true,
  status,
  body: <LinkEnded />,
});

async function choose({ form, anonymous }: Visit): Promise<PageReply> {
  const resetToken = form.text('resetToken');
  const password = form.text('password');
  if (password !== form.text('again'))
    return chooseReply(resetToken, 'The two passwords are not the same. Please type them again.');
  const revokeApiKeys = form.text('keys') === 'revoke';
  const changed = await anonymous.act('POST', '/api/noauth/resetPassword', {
    resetToken,
    password,
    revokeApiKeys,
  });
  if (changed.type === 'ok') {
    const notice = { kind: 'good', text: 'Your password is changed. Sign in with the new one.' } as const;
    return { type: 'see-other', to: '/login', signOut: true, notice };
  }
  // The API's rules for passwords, in its own words.
  const isAboutPassword = /^(New password|Password (must|is one|should))/.test(changed.message);
  if (isAboutPassword || changed.status !== 400) return chooseReply(resetToken, changed.message);
  return endedReply(400);
}

export const forgottenPasswordPages: readonly Page[] = [
  { path: FORGOTTEN_PAGE, roles: ['PUBLIC'], get: askReply, post: asked },
  {
    path: RESET_PAGE,
    roles: ['PUBLIC'],
    get: ({ query }) => chooseReply(query.get('resetToken') ?? ''),
    post: choose,
  },
  { path: EXPIRED_PAGE, roles: ['PUBLIC'], get: () => endedReply(200) },
];
