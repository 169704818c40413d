/** A forgotten password: asking for a link, and the page that it leads to. Without a mail server: whom to ask instead. */
import type { Page, PageReply, Visit } from '../page.ts';
import { choosePasswordReply } from '../parts/choose-password.tsx';
import { Field } from '../parts/elements.tsx';
import { MailOnItsWay } from '../parts/mail-on-its-way.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';

export const FORGOTTEN_PAGE = '/login/resetPasswordRequest';
/** Both paths are ThingsBoard's. */
const RESET_PAGE = '/login/resetPassword';
const EXPIRED_PAGE = '/passwordResetLinkExpired';

function AskForLink({ email, say }: { email: string; say: Say }) {
  return (
    <div class="card">
      <h1>{say('forgot.title')}</h1>
      <p class="lead">{say('forgot.lead')}</p>
      <form method="post" action={FORGOTTEN_PAGE}>
        <Field
          name="email"
          label={say('login.email')}
          type="email"
          autocomplete="username"
          required
          value={email}
        />
        <button type="submit" class="primary wide">
          {say('forgot.send')}
        </button>
      </form>
      <p>
        <a href="/login">{say('forgot.back')}</a>
      </p>
    </div>
  );
}

function NoMail({ say }: { say: Say }) {
  return (
    <div class="card">
      <h1>{say('forgot.title')}</h1>
      <p>{say('forgot.noMail')}</p>
      <p>
        <a class="button primary" href="/login">
          {say('forgot.back')}
        </a>
      </p>
    </div>
  );
}

function Asked({ email, say }: { email: string; say: Say }) {
  return (
    <MailOnItsWay email={email} words="forgot" say={say}>
      <p>
        <a class="button" href={FORGOTTEN_PAGE}>
          {say('forgot.another')}
        </a>
      </p>
    </MailOnItsWay>
  );
}

function LinkEnded({ say }: { say: Say }) {
  return (
    <div class="card">
      <h1>{say('forgot.ended')}</h1>
      <p>{say('forgot.endedText')}</p>
      <p>
        <a class="button primary" href={FORGOTTEN_PAGE}>
          {say('forgot.newLink')}
        </a>
      </p>
    </div>
  );
}

const askReply = (visit: Visit): PageReply => ({
  type: 'page',
  title: visit.locale.say('forgot.title'),
  narrow: true,
  body: visit.settings.mails ? (
    <AskForLink email={visit.query.get('email') ?? ''} say={visit.locale.say} />
  ) : (
    <NoMail say={visit.locale.say} />
  ),
});

async function asked({ anonymous, form, settings, locale: { say } }: Visit): Promise<PageReply> {
  const title = say('forgot.asked');
  if (!settings.mails) return { type: 'see-other', to: FORGOTTEN_PAGE };
  const email = form.text('email').trim();
  const answer = await anonymous.act('POST', '/api/noauth/resetPasswordByEmail', { email });
  if (answer.type === 'refused')
    return {
      type: 'see-other',
      to: FORGOTTEN_PAGE,
      notice: { kind: 'bad', text: refusalWords(answer, say) },
    };
  return { type: 'page', title, narrow: true, body: <Asked email={email} say={say} /> };
}

const chooseReply = (visit: Visit, token: string, refusal?: string): PageReply =>
  choosePasswordReply(visit, { to: RESET_PAGE, field: 'resetToken', token, words: 'forgot', refusal });

const endedReply = ({ locale: { say } }: Visit, status: 200 | 400): PageReply => ({
  type: 'page',
  title: say('forgot.ended'),
  narrow: true,
  status,
  body: <LinkEnded say={say} />,
});

async function choose(visit: Visit): Promise<PageReply> {
  const { form, anonymous } = visit;
  const { say } = visit.locale;
  const resetToken = form.text('resetToken');
  const password = form.text('password');
  if (password !== form.text('again')) return chooseReply(visit, resetToken, say('login.differ'));
  const changed = await anonymous.act('POST', '/api/noauth/resetPassword', { resetToken, password });
  if (changed.type === 'ok') {
    const notice = { kind: 'good', text: say('forgot.changed') } as const;
    return { type: 'see-other', to: '/login', signOut: true, keepsClaim: true, notice };
  }
  // The API's rules for passwords.
  const isAboutPassword = /^(New password|Password (must|is one|should))/.test(changed.message);
  if (isAboutPassword || changed.status !== 400)
    return chooseReply(visit, resetToken, refusalWords(changed, say));
  return endedReply(visit, 400);
}

export const forgottenPasswordPages: readonly Page[] = [
  { path: FORGOTTEN_PAGE, roles: ['PUBLIC'], get: askReply, post: asked },
  {
    path: RESET_PAGE,
    roles: ['PUBLIC'],
    get: (visit) => chooseReply(visit, visit.query.get('resetToken') ?? ''),
    post: choose,
  },
  { path: EXPIRED_PAGE, roles: ['PUBLIC'], get: (visit) => endedReply(visit, 200) },
];
