/** The second factor: showing it at a login, setting it up, recovery codes. */
import { z } from 'zod';
import { EVERYBODY } from '../../auth/principal.ts';
import type { factorSettingsView } from '../../routes/two-factor.ts';
import { type loginView, tokenPairView } from '../../views/user.ts';
import { type Api, toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, resultAt, type Visit } from '../page.ts';
import { Field, Refusal } from '../parts/elements.tsx';
import { Qr } from '../parts/qr.tsx';

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
  if (scope === 'PRE_VERIFICATION_TOKEN') return codeReply({ token, next });
  const made = await visit.withToken(token).post(`${BASE}/generate?providerType=TOTP`, {}, generatedApp);
  if (made.type === 'refused') return codeReply({ token, next }, made.message);
  return setUpReply(made.value.authUrl, { token, next });
}

const codeReply = ({ token, next }: Halfway, refusal?: string): PageReply => ({
  type: 'page',
  title: 'Your code',
  narrow: true,
  status: refusal === undefined ? 200 : 400,
  body: (
    <div class="card">
      <h1>Your code</h1>
      <p class="lead">
        Open your authenticator app and type the code that it shows, or one of your recovery codes.
      </p>
      <Refusal text={refusal} />
      <form method="post" action="/login/code">
        <input type="hidden" name="token" value={token} />
        <input type="hidden" name="next" value={next} />
        <Field name="code" label="Code" autocomplete="one-time-code" verbatim required />
        <button type="submit" class="primary wide">
          Sign in
        </button>
      </form>
    </div>
  ),
});

/** @param login of somebody who cannot sign in without it; undefined: of somebody who is signed in */
const setUpReply = (url: string, login?: Halfway, refusal?: string): PageReply => ({
  type: 'page',
  title: 'Set up a second factor',
  narrow: true,
  status: refusal === undefined ? 200 : 400,
  body: (
    <div class="card">
      <h1>Set up a second factor</h1>
      <p class="lead">
        {login === undefined ? null : 'Signing in here takes one. '}
        Scan this with an authenticator app on your phone, and type the code that it shows.
      </p>
      <Refusal text={refusal} />
      <Qr text={url} />
      <p class="muted">
        Or type this key into the app: <span class="mono">{new URL(url).searchParams.get('secret')}</span>
      </p>
      <form method="post" action={login === undefined ? '/account/second-factor' : '/login/second-factor'}>
        <input type="hidden" name="url" value={url} />
        {login === undefined ? null : (
          <>
            <input type="hidden" name="token" value={login.token} />
            <input type="hidden" name="next" value={login.next} />
          </>
        )}
        <Field name="code" label="Code" autocomplete="one-time-code" verbatim required />
        <button type="submit" class="primary wide">
          Set it up
        </button>
      </form>
    </div>
  ),
});

/** The part of the account page. */
export function SecondFactorCard({ configs }: z.output<typeof factorSettingsView>) {
  const isOn = configs.TOTP !== undefined;
  return (
    <section class="card" aria-labelledby="second-factor">
      <h2 id="second-factor">Second factor</h2>
      <p>
        {isOn
          ? `On: signing in takes a code of your app. You have ${configs.BACKUP_CODE?.codesLeft ?? 0} recovery codes left.`
          : 'Off: who knows your password can sign in as you.'}
      </p>
      {isOn ? (
        <div class="row">
          <form method="post" action="/account/recovery-codes">
            <button type="submit">Make new recovery codes</button>
          </form>
          <form method="post" action="/account/second-factor/off">
            <button type="submit">Switch it off</button>
          </form>
        </div>
      ) : (
        <a class="button" href="/account/second-factor">
          Set it up
        </a>
      )}
    </section>
  );
}

const codesReply = (codes: readonly string[]): PageReply => ({
  type: 'page',
  title: 'Your recovery codes',
  narrow: true,
  body: (
    <div class="card">
      <h1>Your recovery codes</h1>
      <p class="lead">
        Each is good once, instead of a code of your app. Keep them; they are shown only now.
      </p>
      <ul>
        {codes.map((code) => (
          <li class="mono">{code}</li>
        ))}
      </ul>
      <a class="button primary" href="/account">
        Done
      </a>
    </div>
  ),
});

const enrol = (api: Api, url: string, code: string) =>
  api.act('POST', `${BASE}?${toQuery({ verificationCode: code.replaceAll(' ', '') })}`, {
    providerType: 'TOTP',
    authUrl: url,
  });

const isUrl = (url: string) => url.startsWith('otpauth:') && URL.canParse(url);

/** @param nextOf keeps what a form says within this site */
export function secondFactorPages(nextOf: (path: string | null) => string): readonly Page[] {
  return [
    {
      path: '/login/code',
      roles: ['PUBLIC'],
      async post({ form, withToken }) {
        const halfway = { token: form.text('token'), next: nextOf(form.text('next')) };
        const code = form.text('code').replaceAll(' ', '');
        const providerType = /^\d{6}$/.test(code) ? 'TOTP' : 'BACKUP_CODE';
        const path = `/api/auth/2fa/verification/check?${toQuery({ providerType, verificationCode: code })}`;
        const login = await withToken(halfway.token).post(path, {}, tokenPairView);
        if (login.type === 'ok') return { type: 'see-other', to: halfway.next, signIn: login.value };
        if (login.status === 401) return { type: 'see-other', to: '/login' };
        return codeReply(
          halfway,
          login.status === 429 ? login.message : 'That code is not right. Try the next one.',
        );
      },
    },
    {
      path: '/login/second-factor',
      roles: ['PUBLIC'],
      async post({ form, withToken }) {
        const halfway = { token: form.text('token'), next: nextOf(form.text('next')) };
        const url = form.text('url');
        const api = withToken(halfway.token);
        const taken = isUrl(url) ? await enrol(api, url, form.text('code')) : undefined;
        if (taken === undefined || (taken.type === 'refused' && taken.status === 401))
          return { type: 'see-other', to: '/login' };
        if (taken.type === 'refused') return setUpReply(url, halfway, taken.message);
        const login = await api.post('/api/auth/2fa/login', {}, tokenPairView);
        if (login.type === 'refused') return { type: 'see-other', to: '/login' };
        const notice = {
          kind: 'good',
          text: 'It is set up. Make recovery codes, for when your phone is lost.',
        } as const;
        return { type: 'see-other', to: '/account', signIn: login.value, notice };
      },
    },
    memberPage('/account/second-factor', EVERYBODY, {
      async get({ api }) {
        const made = await api.post(`${BASE}/generate?providerType=TOTP`, {}, generatedApp);
        return made.type === 'ok' ? setUpReply(made.value.authUrl) : resultAt('/account', made, '');
      },
      async post({ api, form }) {
        const url = form.text('url');
        if (!isUrl(url)) return { type: 'see-other', to: '/account/second-factor' };
        const taken = await enrol(api, url, form.text('code'));
        return taken.type === 'refused'
          ? setUpReply(url, undefined, taken.message)
          : resultAt('/account', taken, 'It is set up. Make recovery codes, for when your phone is lost.');
      },
    }),
    memberPage('/account/recovery-codes', EVERYBODY, {
      async post({ api }) {
        const made = await api.post(`${BASE}/generate?providerType=BACKUP_CODE`, {}, generatedCodes);
        if (made.type === 'refused') return resultAt('/account', made, '');
        const { codes } = made.value;
        const kept = await api.act('POST', BASE, { providerType: 'BACKUP_CODE', codes });
        return kept.type === 'ok' ? codesReply(codes) : resultAt('/account', kept, '');
      },
    }),
    memberPage('/account/second-factor/off', EVERYBODY, {
      async post({ api }) {
        const gone = await api.act('DELETE', `${BASE}?providerType=TOTP`);
        return resultAt('/account', gone, 'The second factor is switched off.');
      },
    }),
  ];
}
