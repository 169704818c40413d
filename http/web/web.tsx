/**
 * The web application: pages made on the server, for people with a phone or at a desk. It is a user of the REST API like
 * any other (`api.ts`), and adds only what a browser needs: a session in a cookie, forms, and what keeps both safe.
 */
import type { Context } from 'hono';
import { Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import type { Log } from '../../actors/base/log.ts';
import type { App, Env } from '../dispatch.ts';
import type { ApiSettings } from '../settings.ts';
import { readBytes } from '../wire/body.ts';
import { originOf, paramsOf } from '../wire/request.ts';
import { type Ask, createApi, Unanswered } from './api.ts';
import { loadAssets } from './assets.ts';
import { EMPTY_FORM, readForm } from './form.ts';
import { localeOf } from './locale.ts';
import type { Form, Notice, Page, PageReply, Visit } from './page.ts';
import { allPages } from './pages/all.ts';
import { ProblemPage, problemTitle } from './pages/problem.tsx';
import { homeOf, Layout, Mark } from './parts/layout.tsx';
import { isFromOurPage, PAGE_HEADERS } from './security.ts';
import { createSessions, type Session } from './session.ts';
import type { WebSettings } from './settings.ts';

export interface WebNeeds {
  /** The REST API, asked inside the process. */
  readonly api: App;
  readonly settings: WebSettings;
  readonly apiSettings: Pick<ApiSettings, 'baseUrl' | 'trustedProxies'>;
  readonly now: () => number;
  readonly log: Log;
}

export interface Web {
  readonly app: App;
  readonly pages: readonly Page[];
  /** Where people who ask for a page that is not there land. */
  notFound(c: Context<Env>): Promise<Response>;
}

/** Largest form, also of those who are not signed in. */
const FORM_BYTES_MAX = 128 * 1024;
/** Largest form with a file in it: a CSV of far more than 10,000 devices. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;
const YEAR_S = 365 * 24 * 60 * 60;
const NOTICE_COOKIE = 'claimd-notice';
const NOTICE_MAX_AGE_S = 60;
const NOTICE_MAX = 1_000;
const TIME_ZONE_COOKIE = 'claimd-tz';

const noticeShape = z.object({ kind: z.enum(['good', 'bad']), text: z.string().max(NOTICE_MAX) });

export function createWeb({ api, settings, apiSettings, now, log }: WebNeeds): Web {
  const assets = loadAssets(settings);
  const pages = allPages();
  const sessions = createSessions(isSecure, now);

  /** Whether people reach us over HTTPS: by our own certificate, by the address we were told, or by a proxy's word. */
  function isSecure(c: Context): boolean {
    if (apiSettings.baseUrl?.startsWith('https:')) return true;
    if (apiSettings.trustedProxies > 0 && c.req.header('x-forwarded-proto') === 'https') return true;
    return c.req.url.startsWith('https:');
  }

  /** Asks the API as the browser's own connection does: with its address, for counting attempts. */
  function askFor(c: Context<Env>): Ask {
    const forwarded = c.req.header('x-forwarded-for');
    const origin = originOf(c.req.url);
    const env = { incoming: { socket: c.env?.incoming?.socket } };
    return (path, init) => {
      const headers = new Headers(init.headers);
      if (forwarded !== undefined) headers.set('x-forwarded-for', forwarded);
      return api.fetch(
        new Request(`${origin}${path}`, { ...init, headers, signal: c.req.raw.signal }),
        env as never,
      );
    };
  }

  function visitOf(c: Context<Env>, page: Page | undefined, session: Session | undefined, form: Form): Visit {
    const locale = localeOf(c.req.header('accept-language'), getCookie(c, TIME_ZONE_COOKIE));
    return {
      session,
      anonymous: createApi(askFor(c), undefined),
      params: (page === undefined ? undefined : paramsOf(page.path, c.req.path)) ?? {},
      query: new URL(c.req.url).searchParams,
      origin: apiSettings.baseUrl ?? originOf(c.req.url),
      locale,
      settings,
      assets,
      nowMs: now(),
      form,
    };
  }

  function respond(c: Context<Env>, visit: Visit, reply: PageReply): Response {
    switch (reply.type) {
      case 'see-other': {
        if (reply.signIn !== undefined) sessions.begin(c, reply.signIn);
        if (reply.signOut) {
          sessions.end(c);
          c.header('Clear-Site-Data', '"storage"');
        }
        if (reply.notice !== undefined) leaveNotice(c, reply.notice);
        return c.body(null, 303, { ...PAGE_HEADERS, Location: reply.to });
      }
      case 'stream':
        for (const [name, value] of Object.entries(PAGE_HEADERS)) reply.response.headers.set(name, value);
        return reply.response;
      case 'page': {
        const notice = takeNotice(c);
        const html = (
          <Layout
            title={reply.title}
            settings={settings}
            assets={assets}
            locale={visit.locale}
            user={visit.session?.user}
            path={c.req.path}
            notice={notice}
            islands={reply.islands ?? []}
            narrow={reply.narrow ?? false}
            refreshSeconds={reply.refreshSeconds}
          >
            {reply.body}
          </Layout>
        );
        return c.body(`<!doctype html>${html}`, reply.status ?? 200, {
          ...PAGE_HEADERS,
          'Content-Type': 'text/html;charset=UTF-8',
        });
      }
      default:
        return reply satisfies never;
    }
  }

  function leaveNotice(c: Context, { kind, text }: Notice): void {
    const value = JSON.stringify({ kind, text: text.slice(0, NOTICE_MAX) });
    setCookie(c, NOTICE_COOKIE, value, {
      path: '/',
      httpOnly: true,
      sameSite: 'Lax',
      secure: isSecure(c),
      maxAge: NOTICE_MAX_AGE_S,
    });
  }

  function takeNotice(c: Context): Notice | undefined {
    const value = getCookie(c, NOTICE_COOKIE);
    if (value === undefined) return undefined;
    deleteCookie(c, NOTICE_COOKIE, { path: '/', secure: isSecure(c) });
    try {
      const read = noticeShape.safeParse(JSON.parse(value));
      return read.success ? read.data : undefined;
    } catch {
      return undefined;
    }
  }

  function problem(c: Context<Env>, visit: Visit, status: number, message?: string): Response {
    const shown = status === 400 || status === 403 || status === 404 || status === 429 ? status : 503;
    return respond(c, visit, {
      type: 'page',
      title: problemTitle(shown),
      status: shown,
      narrow: true,
      body: (
        <ProblemPage status={shown} message={message} home={visit.session === undefined ? '/login' : '/'} />
      ),
    });
  }

  async function serve(c: Context<Env>, page: Page, handle: NonNullable<Page['get']>, posted: boolean) {
    let visit = visitOf(c, page, undefined, EMPTY_FORM);
    try {
      if (posted) {
        const { req } = c;
        const provenance = {
          secFetchSite: req.header('sec-fetch-site'),
          origin: req.header('origin'),
          host: req.header('host') ?? new URL(req.url).host,
        };
        if (!isFromOurPage(provenance, apiSettings.baseUrl)) {
          return problem(
            c,
            visit,
            403,
            'This form was not sent from a page of this site. Open the page again and repeat it here.',
          );
        }
      }
      const session = await sessions.read(c, askFor(c));
      if (session === undefined && !page.roles.includes('PUBLIC')) {
        const wanted = `${c.req.path}${new URL(c.req.url).search}`;
        const to = posted || wanted === '/' ? '/login' : `/login?next=${encodeURIComponent(wanted)}`;
        return respond(c, visit, { type: 'see-other', to });
      }
      visit = visitOf(c, page, session, EMPTY_FORM);
      const allowed =
        page.roles.includes('PUBLIC') || (session && page.roles.includes(session.user.authority));
      if (!allowed) return problem(c, visit, 403);
      if (posted) {
        const bytes = await readBytes(c, page.takesFile ? FILE_BYTES_MAX : FORM_BYTES_MAX);
        if (bytes === 'too-large') return problem(c, visit, 400, 'What you sent is too large.');
        visit = visitOf(c, page, session, await readForm(bytes, c.req.header('content-type')));
      }
      return respond(c, visit, await handle(visit));
    } catch (error) {
      if (error instanceof Unanswered) return problem(c, visit, error.failed.status);
      if (c.req.raw.signal.aborted) return problem(c, visit, 400);
      log.error({ page: page.path, err: error }, 'a page failed');
      return problem(c, visit, 503);
    }
  }

  const app: App = new Hono<Env>();
  for (const page of pages) {
    const { get, post } = page;
    if (get !== undefined) app.get(page.path, (c) => serve(c, page, get, false));
    if (post !== undefined) app.post(page.path, (c) => serve(c, page, post, true));
  }
  app.get('/', async (c) => {
    const session = await sessions.read(c, askFor(c));
    const visit = visitOf(c, undefined, session, EMPTY_FORM);
    return respond(c, visit, {
      type: 'see-other',
      to: session === undefined ? '/login' : homeOf(session.user),
    });
  });
  app.get('/favicon.svg', (c) =>
    c.body(iconOf(settings.accent), 200, {
      'Content-Type': 'image/svg+xml',
      'Cache-Control': 'max-age=86400',
    }),
  );
  app.get('/assets/*', (c) => {
    const asset = assets.find(c.req.path);
    if (asset === undefined) return c.notFound();
    const headers = {
      'Content-Type': asset.type,
      'Cache-Control': `public, max-age=${YEAR_S}, immutable`,
      'X-Content-Type-Options': 'nosniff',
      // A logo may be an SVG, and that may hold scripts: shown by itself, it runs none.
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    };
    return c.body(typeof asset.body === 'string' ? asset.body : new Uint8Array(asset.body), 200, headers);
  });

  return {
    app,
    pages,
    async notFound(c) {
      const visit = visitOf(c, undefined, await sessions.read(c, askFor(c)), EMPTY_FORM);
      return problem(c, visit, 404);
    },
  };
}

function iconOf(accent: string): string {
  const svg = String(<Mark />).replace('<svg ', `<svg xmlns="http://www.w3.org/2000/svg" color="${accent}" `);
  return svg;
}
