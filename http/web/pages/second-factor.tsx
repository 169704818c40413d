/** The second factor: showing it at a login, setting it up, recovery codes. */
import { z } from 'zod';
import { EVERYBODY } from '../../auth/principal.ts';
import type { factorSettingsView } from '../../routes/two-factor.ts';
import { type loginView, tokenPairView } from '../../views/user.ts';
import { type Api, toQuery } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, refusedTo, saidAt, type Visit } from '../page.ts';
import { Field, Refusal } from '../parts/elements.tsx';
import { Qr } from '../parts/qr.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';

const BASE = '/api/2fa/account/config';
const generatedApp = z.object({ authUrl: z.string() });
const generatedCodes = z.object({ codes: z.array(z.string()) });

interface Halfway {
  /** Good for completing this login alone. */
  readonly token: string;
  readonly next: string;
}

/** What follows a right password: the person is in, or has to show or to set up a second factor. */
export async function afterPassword(
  visit: Visit,
  login: z.output<typeof loginView>,
  next: string,
): Promise<PageReply> {
  if (!('scope' in login)) return { type: 'see-other', to: next, signIn: login };
  const { token, scope } = login;
  if (scope === 'PRE_VERIFICATION_TOKEN') return codeReply(visit, { token, next });
  const made = await visit.withToken(token).post(`${BASE}/generate?providerType=TOTP`, {}, generatedApp);
  if (made.type === 'refused') return codeReply(visit, { token, next }, refusalWords(made, visit.locale.say));
  return setUpReply(visit, made.value.authUrl, { token, next });
}

const codeReply = ({ locale: { say } }: Visit, { token, next }: Halfway, refusal?: string): PageReply => ({
  type: 'page',
  title: say('factor.code'),
  narrow: true,
  status: refusal === undefined ? 200 : 400,
  body: (
    <div class="card">
      <h1>{say('factor.code')}</h1>
      <p class="lead">{say('factor.codeLead')}</p>
      <Refusal text={refusal} />
      <form method="post" action="/login/code">
        <input type="hidden" name="token" value={token} />
        <input type="hidden" name="next" value={next} />
        <Field name="code" label={say('factor.field')} autocomplete="one-time-code" verbatim required />
        <button type="submit" class="primary wide">
          {say('login.title')}
        </button>
      </form>
    </div>
  ),
});

/** @param login of somebody who cannot sign in without it; undefined: of somebody who is signed in */
const setUpReply = (
  { locale: { say } }: Visit,
  url: string,
  login?: Halfway,
  refusal?: string,
): PageReply => ({
  type: 'page',
  title: say('factor.setUp'),
  narrow: true,
  status: refusal === undefined ? 200 : 400,
  body: (
    <div class="card">
      <h1>{say('factor.setUp')}</h1>
      <p class="lead">{say(login === undefined ? 'factor.setUpLead' : 'factor.setUpNeeded')}</p>
      <Refusal text={refusal} />
      <Qr text={url} label={say('factor.qr')} />
      <p class="muted">
        {say.pieces('factor.orType', {
          key: <span class="mono">{new URL(url).searchParams.get('secret')}</span>,
        })}
      </p>
      <form method="post" action={login === undefined ? '/account/second-factor' : '/login/second-factor'}>
        <input type="hidden" name="url" value={url} />
        {login === undefined ? null : (
          <>
            <input type="hidden" name="token" value={login.token} />
            <input type="hidden" name="next" value={login.next} />
          </>
        )}
        <Field name="code" label={say('factor.field')} autocomplete="one-time-code" verbatim required />
        <button type="submit" class="primary wide">
          {say('factor.setItUp')}
        </button>
      </form>
    </div>
  ),
});

/** The part of the account page. */
interface SecondFactorProps {
  readonly factor: z.output<typeof factorSettingsView>;
  readonly say: Say;
}

export function SecondFactorCard({ factor: { configs }, say }: SecondFactorProps) {
  const isOn = configs.TOTP !== undefined;
  return (
    <section class="card" aria-labelledby="second-factor">
      <h2 id="second-factor">{say('factor.title')}</h2>
      <p>{isOn ? say('factor.on', { count: configs.BACKUP_CODE?.codesLeft ?? 0 }) : say('factor.off')}</p>
      {isOn ? (
        <div class="row">
          <form method="post" action="/account/recovery-codes">
            <button type="submit">{say('factor.newCodes')}</button>
          </form>
          <form method="post" action="/account/second-factor/off">
            <button type="submit">{say('factor.switchOff')}</button>
          </form>
        </div>
      ) : (
        <a class="button" href="/account/second-factor">
          {say('factor.setItUp')}
        </a>
      )}
    </section>
  );
}

const codesReply = (codes: readonly string[], { say }: Locale): PageReply => ({
  type: 'page',
  title: say('factor.codes'),
  narrow: true,
  body: (
    <div class="card">
      <h1>{say('factor.codes')}</h1>
      <p class="lead">{say('factor.codesLead')}</p>
      <ul>
        {codes.map((code) => (
          <li class="mono">{code}</li>
        ))}
      </ul>
      <a class="button primary" href="/account">
        {say('factor.done')}
      </a>
    </div>
  ),
});

const enrol = (api: Api, url: string, code: string) =>
  api.act('POST', `${BASE}?${toQuery({ verificationCode: code.replaceAll(' ', '') })}`, {
    providerType: 'TOTP',
    authUrl: url,
  });

/** It took too long: the password is asked for again. */
const loginEnded = ({ next }: Halfway, say: Say): PageReply =>
  refusedTo(`/login?${toQuery({ next })}`, say('login.ended'));

const isUrl = (url: string) => url.startsWith('otpauth:') && URL.canParse(url);

/** @param nextOf keeps what a form says within this site */
export function secondFactorPages(nextOf: (path: string | null) => string): readonly Page[] {
  return [
    {
      path: '/login/code',
      roles: ['PUBLIC'],
      async post(visit) {
        const { form, withToken } = visit;
        const { say } = visit.locale;
        const halfway = { token: form.text('token'), next: nextOf(form.text('next')) };
        const code = form.text('code').replaceAll(' ', '');
        const providerType = /^\d{6}$/.test(code) ? 'TOTP' : 'BACKUP_CODE';
        const path = `/api/auth/2fa/verification/check?${toQuery({ providerType, verificationCode: code })}`;
        const login = await withToken(halfway.token).post(path, {}, tokenPairView);
        if (login.type === 'ok') return { type: 'see-other', to: halfway.next, signIn: login.value };
        if (login.status === 401) return loginEnded(halfway, say);
        return codeReply(
          visit,
          halfway,
          login.status === 429 ? refusalWords(login, say) : say('factor.wrong'),
        );
      },
    },
    {
      path: '/login/second-factor',
      roles: ['PUBLIC'],
      async post(visit) {
        const { form, withToken } = visit;
        const { say } = visit.locale;
        const halfway = { token: form.text('token'), next: nextOf(form.text('next')) };
        const url = form.text('url');
        const api = withToken(halfway.token);
        const taken = isUrl(url) ? await enrol(api, url, form.text('code')) : undefined;
        if (taken === undefined || (taken.type === 'refused' && taken.status === 401))
          return loginEnded(halfway, say);
        if (taken.type === 'refused')
          return setUpReply(visit, url, halfway, refusalWords(taken, say, say('factor.wrong')));
        const login = await api.post('/api/auth/2fa/login', {}, tokenPairView);
        if (login.type === 'refused') return loginEnded(halfway, say);
        const notice = { kind: 'good', text: say('factor.isSetUp') } as const;
        return { type: 'see-other', to: '/account', signIn: login.value, notice };
      },
    },
    memberPage('/account/second-factor', EVERYBODY, {
      async get(visit) {
        const { api, locale } = visit;
        const made = await api.post(`${BASE}/generate?providerType=TOTP`, {}, generatedApp);
        return made.type === 'ok'
          ? setUpReply(visit, made.value.authUrl)
          : saidAt('/account', made, '', locale);
      },
      async post(visit) {
        const { api, form, locale } = visit;
        const { say } = locale;
        const url = form.text('url');
        if (!isUrl(url)) return { type: 'see-other', to: '/account/second-factor' };
        const taken = await enrol(api, url, form.text('code'));
        return taken.type === 'refused'
          ? setUpReply(visit, url, undefined, refusalWords(taken, say, say('factor.wrong')))
          : saidAt('/account', taken, say('factor.isSetUp'), locale);
      },
    }),
    memberPage('/account/recovery-codes', EVERYBODY, {
      async post({ api, locale }) {
        const made = await api.post(`${BASE}/generate?providerType=BACKUP_CODE`, {}, generatedCodes);
        if (made.type === 'refused') return saidAt('/account', made, '', locale);
        const { codes } = made.value;
        const kept = await api.act('POST', BASE, { providerType: 'BACKUP_CODE', codes });
        return kept.type === 'ok' ? codesReply(codes, locale) : saidAt('/account', kept, '', locale);
      },
    }),
    memberPage('/account/second-factor/off', EVERYBODY, {
      async post({ api, locale }) {
        const gone = await api.act('DELETE', `${BASE}?providerType=TOTP`);
        return saidAt('/account', gone, locale.say('factor.isOff'), locale);
      },
    }),
  ];
}
