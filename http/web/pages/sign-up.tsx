/**
 * Signing up by mail: who has scanned a label and has no account gives an address, opens the link that is mailed there, chooses a
 * password and is at the claim page, with what the label said.
 */
import { SIGN_UP_LINK_ENDED } from '../../routes/sign-up.ts';
import { loginView } from '../../views/user.ts';
import { toQuery } from '../api.ts';
import type { Page, PageReply, Visit } from '../page.ts';
import { choosePasswordReply } from '../parts/choose-password.tsx';
import { Field, Refusal } from '../parts/elements.tsx';
import { MailOnItsWay } from '../parts/mail-on-its-way.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';
import { afterPassword } from './second-factor.tsx';

/** Where mails lead, too. */
export const SIGN_UP_PAGE = '/login/signUp';
const COMPLETE_PAGE = `${SIGN_UP_PAGE}/complete`;
/** Who signs up has a device in hand. */
const AFTERWARDS = '/claim';

/** Of a tenant's own link; without it the operator's first one is meant. */
const tenantIn = ({ query, form }: Visit): string => query.get('tenant') ?? form.text('tenant');

function AskForLink({ visit, refusal }: { visit: Visit; refusal: string | undefined }) {
  const { say } = visit.locale;
  return (
    <div class="card">
      <h1>{say('signUp.title')}</h1>
      <p class="lead">{say('signUp.lead')}</p>
      <Refusal text={refusal} />
      <form method="post" action={SIGN_UP_PAGE}>
        <input type="hidden" name="tenant" value={tenantIn(visit)} />
        <Field
          name="email"
          label={say('login.email')}
          type="email"
          autocomplete="email"
          required
          invalid={refusal !== undefined}
          value={visit.form.text('email')}
        />
        <button type="submit" class="primary wide">
          {say('forgot.send')}
        </button>
      </form>
      <p>
        <a href={`/login?${toQuery({ next: AFTERWARDS })}`}>{say('forgot.back')}</a>
      </p>
    </div>
  );
}

function Asked({ email, tenant, say }: { email: string; tenant: string; say: Say }) {
  return (
    <MailOnItsWay email={email} words="signUp" say={say}>
      <p>
        <a class="button primary wide" href={AFTERWARDS}>
          {say('signUp.done')}
        </a>
      </p>
      <p>
        <a class="button wide" href={signUpLink(tenant)}>
          {say('forgot.another')}
        </a>
      </p>
    </MailOnItsWay>
  );
}

const withTenant = (page: string, tenant: string) =>
  tenant === '' ? page : `${page}?${toQuery({ tenant })}`;
const signUpLink = (tenant: string) => withTenant(SIGN_UP_PAGE, tenant);

function LinkEnded({ tenant, say }: { tenant: string; say: Say }) {
  return (
    <div class="card">
      <h1>{say('forgot.ended')}</h1>
      <p>{say('signUp.endedText')}</p>
      <p>
        <a class="button primary wide" href={`/login?${toQuery({ next: AFTERWARDS })}`}>
          {say('login.title')}
        </a>
      </p>
      <p>
        <a class="button wide" href={signUpLink(tenant)}>
          {say('forgot.newLink')}
        </a>
      </p>
    </div>
  );
}

function NotOffered({ say }: { say: Say }) {
  return (
    <div class="card">
      <h1>{say('signUp.title')}</h1>
      <p>{say('signUp.notOffered')}</p>
      <p>
        <a class="button primary" href="/login">
          {say('forgot.back')}
        </a>
      </p>
    </div>
  );
}

const notOfferedReply = ({ locale: { say } }: Visit): PageReply => ({
  type: 'page',
  title: say('signUp.title'),
  narrow: true,
  status: 404,
  body: <NotOffered say={say} />,
});

function askReply(
  visit: Visit,
  refusal?: { readonly text: string; readonly status: 400 | 429 | 503 },
): PageReply {
  if (!visit.settings.signUp) return notOfferedReply(visit);
  if (visit.session !== undefined) return { type: 'see-other', to: AFTERWARDS };
  return {
    type: 'page',
    title: visit.locale.say('signUp.title'),
    narrow: true,
    status: refusal?.status ?? 200,
    body: <AskForLink visit={visit} refusal={refusal?.text} />,
  };
}

async function ask(visit: Visit): Promise<PageReply> {
  const { anonymous, form, locale } = visit;
  const { say } = locale;
  const email = form.text('email').trim();
  const tenantId = tenantIn(visit);
  const answer = await anonymous.act('POST', '/api/noauth/signup', {
    email,
    lang: locale.language,
    ...(tenantId === '' ? {} : { tenantId }),
  });
  if (answer.type === 'ok')
    return {
      type: 'page',
      title: say('forgot.asked'),
      narrow: true,
      body: <Asked email={email} tenant={tenantId} say={say} />,
    };
  if (answer.status === 404) return notOfferedReply(visit);
  const text = refusalWords(answer, say, say('signUp.wrongAddress'));
  return askReply(visit, { text, status: answer.status === 429 ? 429 : answer.status >= 500 ? 503 : 400 });
}

const chooseReply = (visit: Visit, token: string, refusal?: string): PageReply =>
  choosePasswordReply(visit, {
    to: withTenant(COMPLETE_PAGE, tenantIn(visit)),
    field: 'token',
    token,
    words: 'login',
    refusal,
  });

async function complete(visit: Visit): Promise<PageReply> {
  const { form, anonymous } = visit;
  const { say } = visit.locale;
  const token = form.text('token');
  const password = form.text('password');
  if (password !== form.text('again')) return chooseReply(visit, token, say('login.differ'));
  const made = await anonymous.post('/api/noauth/signup/complete', { token, password }, loginView);
  if (made.type === 'ok') {
    const reply = await afterPassword(visit, made.value, AFTERWARDS);
    return reply.type === 'see-other'
      ? { ...reply, notice: { kind: 'good', text: say('login.welcome') } }
      : reply;
  }
  if (made.status === 404) return notOfferedReply(visit);
  if (!made.message.startsWith(SIGN_UP_LINK_ENDED)) return chooseReply(visit, token, refusalWords(made, say));
  return {
    type: 'page',
    title: say('forgot.ended'),
    narrow: true,
    status: 400,
    body: <LinkEnded tenant={tenantIn(visit)} say={say} />,
  };
}

export const signUpPages: readonly Page[] = [
  { path: SIGN_UP_PAGE, roles: ['PUBLIC'], get: (visit) => askReply(visit), post: ask },
  {
    path: COMPLETE_PAGE,
    roles: ['PUBLIC'],
    get: (visit) => chooseReply(visit, visit.query.get('token') ?? ''),
    post: complete,
  },
];
