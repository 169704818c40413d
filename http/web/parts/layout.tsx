/** The frame of every page: head, navigation by role, account, and the notice of what the last form did. */
import type { Child } from 'hono/jsx';
import { ALL_LANGUAGES, LANGUAGES, type Language } from '../../../actors/texts/languages.ts';
import type { Assets } from '../assets.ts';
import type { Locale } from '../locale.ts';
import type { Notice } from '../notice.ts';
import type { User } from '../session.ts';
import type { WebSettings } from '../settings.ts';
import type { TextKey } from '../texts/catalogues.ts';
import type { Say } from '../texts/say.ts';
import { Note } from './elements.tsx';
import { Mark } from './mark.tsx';

interface LayoutProps {
  readonly title: string;
  readonly settings: WebSettings;
  readonly assets: Assets;
  readonly locale: Locale;
  readonly user: User | undefined;
  readonly path: string;
  /** Where to come back to with another language. */
  readonly here: string;
  readonly notice: Notice | undefined;
  readonly islands: readonly string[];
  readonly narrow: boolean;
  readonly refreshSeconds: number | undefined;
  readonly children?: Child;
}

/** Of texts without places. */
type PlainKey = Exclude<Extract<TextKey, `frame.${string}`>, 'frame.account'>;

const NAVIGATION: Readonly<Record<User['authority'], readonly (readonly [path: string, label: PlainKey])[]>> =
  {
    CUSTOMER_USER: [
      ['/claim', 'frame.claim'],
      ['/my/devices', 'frame.devices'],
      ['/offers', 'frame.offers'],
    ],
    TENANT_ADMIN: [
      ['/live', 'frame.overview'],
      ['/devices', 'frame.fleet'],
      ['/customers', 'frame.customers'],
      ['/settings', 'frame.settings'],
    ],
    SYS_ADMIN: [
      ['/tenants', 'frame.tenants'],
      ['/server', 'frame.server'],
      ['/providers', 'frame.providers'],
    ],
  };

/** The first page after signing in. */
export function homeOf(user: User): string {
  return NAVIGATION[user.authority][0]?.[0] ?? '/';
}

export function Layout(props: LayoutProps) {
  const { title, settings, assets, locale, user, path, here, notice, islands, narrow, refreshSeconds } =
    props;
  const scripts = ['page.js', ...islands].flatMap((name) => assets.url(name) ?? []);
  return (
    <html lang={locale.language} dir={locale.direction} data-locale={locale.tag}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ${settings.name}`}</title>
        <link rel="stylesheet" href={assets.url('style.css') ?? ''} />
        <link rel="icon" href={settings.logo === null ? '/favicon.svg' : (assets.url('logo') ?? '')} />
        <link rel="manifest" href="/manifest.webmanifest" />
        <link rel="apple-touch-icon" href="/icon-180.png" />
        <meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)" />
        <meta name="theme-color" content="#1a2029" media="(prefers-color-scheme: dark)" />
        {refreshSeconds === undefined ? null : (
          <noscript>
            <meta http-equiv="refresh" content={String(refreshSeconds)} />
          </noscript>
        )}
        {scripts.map((src) => (
          <script type="module" src={src} />
        ))}
      </head>
      <body>
        <a class="skip" href="#main">
          {locale.say('frame.skip')}
        </a>
        <header class="top">
          <div>
            <a class="brand" href="/">
              {settings.logo === null ? <Mark /> : <img src={assets.url('logo') ?? ''} alt="" />}
              <span>{settings.name}</span>
            </a>
            {user === undefined ? null : <Navigation user={user} path={path} locale={locale} />}
            {user === undefined ? null : <Account user={user} locale={locale} />}
          </div>
        </header>
        <main id="main" tabindex={-1} class={narrow ? 'narrow' : ''}>
          {notice === undefined ? null : <Note kind={notice.kind}>{notice.text}</Note>}
          {props.children}
        </main>
        <Foot settings={settings} locale={locale} here={here} />
      </body>
    </html>
  );
}

type FootProps = Pick<LayoutProps, 'settings' | 'locale' | 'here'>;

/** The operator's links, and the languages. */
function Foot({ settings: { support, privacy }, locale: { say, language }, here }: FootProps) {
  return (
    <footer class="foot">
      {support === null ? null : <a href={support}>{say('frame.support')}</a>}
      {privacy === null ? null : <a href={privacy}>{say('frame.privacy')}</a>}
      <Languages language={language} here={here} say={say} />
    </footer>
  );
}

/** Works without script: a list of the languages, each in its own words, and a button. */
function Languages({ language, here, say }: { language: Language; here: string; say: Say }) {
  return (
    <form method="post" action="/language" class="languages">
      <input type="hidden" name="next" value={here} />
      <label class="sr" for="lang">
        {say('frame.language')}
      </label>
      <select id="lang" name="lang">
        {ALL_LANGUAGES.map((each) => (
          <option value={each} lang={each} selected={each === language}>
            {LANGUAGES[each].name}
          </option>
        ))}
      </select>
      <button type="submit">{say('frame.choose')}</button>
    </form>
  );
}

function Navigation({ user, path, locale: { say } }: { user: User; path: string; locale: Locale }) {
  return (
    <nav aria-label={say('frame.main')}>
      {NAVIGATION[user.authority].map(([to, label]) => (
        <a href={to} {...(isUnderOne(path, to) ? { 'aria-current': 'page' as const } : {})}>
          {say(label)}
        </a>
      ))}
    </nav>
  );
}

/** Pages that are reached from another one than their path says. */
const REACHED_FROM: Readonly<Record<string, readonly string[]>> = {
  '/settings': ['/profiles', '/audit', '/admins', '/webhooks', '/providers'],
  '/devices': ['/kits'],
};

const isUnderOne = (path: string, parent: string): boolean =>
  [parent, ...(REACHED_FROM[parent] ?? [])].some((one) => isUnder(path, one));

function isUnder(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}

function Account({ user, locale: { say } }: { user: User; locale: Locale }) {
  return (
    <div class="me">
      <a href="/account" aria-label={say('frame.account', { email: user.email })}>
        {user.email}
      </a>
      <form method="post" action="/logout">
        <button type="submit" class="plain">
          {say('frame.signOut')}
        </button>
      </form>
    </div>
  );
}
