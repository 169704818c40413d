/** The frame of every page, and the few parts that many pages share. */
import type { Child } from 'hono/jsx';
import type { Assets } from '../assets.ts';
import type { Locale } from '../locale.ts';
import type { Notice } from '../page.ts';
import type { User } from '../session.ts';
import type { WebSettings } from '../settings.ts';

export interface LayoutProps {
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

const PLACES: Readonly<Record<User['authority'], readonly (readonly [path: string, label: string])[]>> = {
  CUSTOMER_USER: [
    ['/claim', 'Claim'],
    ['/my/devices', 'My devices'],
  ],
  TENANT_ADMIN: [
    ['/live', 'Overview'],
    ['/devices', 'Devices'],
    ['/customers', 'Customers'],
    ['/admins', 'Admins'],
  ],
  SYS_ADMIN: [['/tenants', 'Tenants']],
};

/** Where somebody begins. */
export function homeOf(user: User): string {
  return PLACES[user.authority][0]?.[0] ?? '/';
}

export function Layout(props: LayoutProps) {
  const { title, settings, assets, locale, user, path, notice, islands, narrow, refreshSeconds } = props;
  const places = user === undefined ? [] : PLACES[user.authority];
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
            {places.length === 0 ? null : (
              <nav aria-label="Main">
                {places.map(([to, label]) => (
                  <a href={to} {...(isUnder(path, to) ? { 'aria-current': 'page' as const } : {})}>
                    {label}
                  </a>
                ))}
              </nav>
            )}
            {user === undefined ? null : (
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
            )}
          </div>
        </header>
        <main id="main" tabindex={-1} class={narrow ? 'narrow' : ''}>
          {notice === undefined ? null : <Note kind={notice.kind}>{notice.text}</Note>}
          {props.children}
        </main>
      </body>
    </html>
  );
}

function isUnder(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

/** Two hands' worth of meaning: a ring that closes around a dot. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path
        d="M25 7.5A12.5 12.5 0 1 0 28.5 16"
        fill="none"
        stroke="currentColor"
        stroke-width="4"
        stroke-linecap="round"
      />
      <circle cx="16" cy="16" r="5" fill="currentColor" />
    </svg>
  );
}

export function Note(props: { kind: 'good' | 'bad' | 'warn' | 'plain'; title?: string; children?: Child }) {
  return (
    <div class={`note ${props.kind}`} role={props.kind === 'bad' ? 'alert' : 'status'}>
      {props.title === undefined ? null : <h2>{props.title}</h2>}
      <p>{props.children}</p>
    </div>
  );
}

export interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly type?: string;
  readonly value?: string;
  readonly hint?: string;
  readonly required?: boolean;
  readonly autocomplete?: string;
  readonly maxlength?: number;
  readonly invalid?: boolean;
  /** Names and keys: phones should neither capitalise nor correct them. */
  readonly verbatim?: boolean;
}

export function Field({ name, label, hint, type = 'text', invalid, verbatim, ...rest }: FieldProps) {
  const id = `f-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        type={type}
        {...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
        {...(invalid ? { 'aria-invalid': 'true' as const } : {})}
        {...(verbatim ? { autocapitalize: 'none', autocorrect: 'off', spellcheck: false } : {})}
        {...rest}
      />
      {hint === undefined ? null : <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}

/** An instant, told in the reader's own way; an island tells it anew where the zone was not known. */
export function Time({ at, locale, now }: { at: number; locale: Locale; now?: number }) {
  const text = now === undefined ? locale.instant(at) : locale.short(at, now);
  return (
    <time
      datetime={new Date(at).toISOString()}
      {...(locale.timeZone === undefined ? { 'data-local': '' } : {})}
    >
      {text}
    </time>
  );
}

export interface PagerProps {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly page: number;
  readonly hasNext: boolean;
  readonly summary: string;
}

/** Links to the pages before and after. */
export function Pager({ path, query, page, hasNext, summary }: PagerProps) {
  const to = (target: number) => {
    const next = new URLSearchParams(query);
    if (target === 0) next.delete('page');
    else next.set('page', String(target));
    return `${path}?${next}`;
  };
  return (
    <nav class="pager" aria-label="Pages">
      <span class="muted">{summary}</span>
      <span class="row">
        {page === 0 ? null : (
          <a class="button" rel="prev" href={to(page - 1)}>
            Previous
          </a>
        )}
        {hasNext ? (
          <a class="button" rel="next" href={to(page + 1)}>
            Next
          </a>
        ) : null}
      </span>
    </nav>
  );
}

/** Which page a query asks for, counted from 0. */
export function pageOf(query: URLSearchParams): number {
  const page = Number(query.get('page') ?? '0');
  return Number.isSafeInteger(page) && page >= 0 && page < 2 ** 31 ? page : 0;
}

/** `21–40 of 1,000`, or how many there are. */
export function rangeOf(locale: Locale, page: number, size: number, shown: number, total: number): string {
  if (total === 0) return 'None';
  const from = page * size + 1;
  return `${locale.number(from)}–${locale.number(from + shown - 1)} of ${locale.number(total)}`;
}
