/** The frame of every page: head, navigation by role, account, and the notice of what the last form did. */
import type { Child } from 'hono/jsx';
import type { Assets } from '../assets.ts';
import type { Locale } from '../locale.ts';
import type { Notice } from '../notice.ts';
import type { User } from '../session.ts';
import type { WebSettings } from '../settings.ts';
import { Note } from './elements.tsx';
import { Mark } from './mark.tsx';

interface LayoutProps {
  readonly title: string;
  readonly settings: WebSettings;
  readonly assets: Assets;
  readonly locale: Locale;
  readonly user: User | undefined;
  readonly path: string;
  readonly notice: Notice | undefined;
  readonly islands: readonly string[];
  readonly narrow: boolean;
  readonly refreshSeconds: number | undefined;
  readonly children?: Child;
}

const NAVIGATION: Readonly<Record<User['authority'], readonly (readonly [path: string, label: string])[]>> = {
  CUSTOMER_USER: [
    ['/claim', 'Claim'],
    ['/my/devices', 'My devices'],
    ['/offers', 'Offers'],
  ],
  TENANT_ADMIN: [
    ['/live', 'Overview'],
    ['/devices', 'Devices'],
    ['/customers', 'Customers'],
    ['/settings', 'Settings'],
  ],
  SYS_ADMIN: [['/tenants', 'Tenants']],
};

/** The first page after signing in. */
export function homeOf(user: User): string {
  return NAVIGATION[user.authority][0]?.[0] ?? '/';
}

export function Layout(props: LayoutProps) {
  const { title, settings, assets, locale, user, path, notice, islands, narrow, refreshSeconds } = props;
  const scripts = ['page.js', ...islands].flatMap((name) => assets.url(name) ?? []);
  return (
    <html lang="en" data-locale={locale.tag}>
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
          Skip to the content
        </a>
        <header class="top">
          <div>
            <a class="brand" href="/">
              {settings.logo === null ? <Mark /> : <img src={assets.url('logo') ?? ''} alt="" />}
              <span>{settings.name}</span>
            </a>
            {user === undefined ? null : <Navigation user={user} path={path} />}
            {user === undefined ? null : <Account user={user} />}
          </div>
        </header>
        <main id="main" tabindex={-1} class={narrow ? 'narrow' : ''}>
          {notice === undefined ? null : <Note kind={notice.kind}>{notice.text}</Note>}
          {props.children}
        </main>
        <Foot settings={settings} />
      </body>
    </html>
  );
}

/** The operator's links; nothing where there are none. */
function Foot({ settings: { support, privacy } }: { settings: WebSettings }) {
  if (support === null && privacy === null) return null;
  return (
    <footer class="foot">
      {support === null ? null : <a href={support}>Support</a>}
      {privacy === null ? null : <a href={privacy}>Privacy</a>}
    </footer>
  );
}

function Navigation({ user, path }: { user: User; path: string }) {
  return (
    <nav aria-label="Main">
      {NAVIGATION[user.authority].map(([to, label]) => (
        <a href={to} {...(isUnder(path, to) ? { 'aria-current': 'page' as const } : {})}>
          {label}
        </a>
      ))}
    </nav>
  );
}

function isUnder(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}

function Account({ user }: { user: User }) {
  return (
    <div class="me">
      <a href="/account" aria-label={`Your account, ${user.email}`}>
        {user.email}
      </a>
      <form method="post" action="/logout">
        <button type="submit" class="plain">
          Sign out
        </button>
      </form>
    </div>
  );
}
