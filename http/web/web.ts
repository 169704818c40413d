/**
 * The web application: pages made on the server, for people with a phone or at a desk. It is a client of the REST API
 * like any other (`api.ts`), and adds only what a browser needs: a session in a cookie, forms, and what protects both.
 */
import type { Context } from 'hono';
import { Hono } from 'hono';
import type { Browsers } from '../auth/browsers.ts';
import type { App } from '../dispatch.ts';
import type { Env } from '../wire/asked.ts';
import { loadAssets, serveAsset } from './assets.ts';
import { installRoutes } from './install.ts';
import { segmentsBelow } from './page.ts';
import { allPages } from './pages/all.ts';
import { LINK_EXPIRED_PAGE } from './pages/login.tsx';
import { markAsSvg } from './parts/mark.tsx';
import { addressedIn, createForeignFormWarning, pageHeaders, prefixIn } from './security.ts';
import { type Site, serveFormsPage, serveHome, serveNotFound, servePage } from './serve.tsx';
import { type Cookies, createSessions } from './session.ts';

export interface Web {
  readonly app: App;
  /** Goes ahead of the API's routes: a link that people follow from their mail is refused in a page, and not without words. */
  ahead(api: App): void;
  /** The page for a path that does not exist. */
  notFound(c: Context<Env>): Promise<Response>;
}

const ACTIVATION_LINK = '/api/noauth/activate';
const FAVICON_MAX_AGE_S = 24 * 60 * 60;

export function createWeb(
  needs: Omit<Site, 'assets' | 'sessions' | 'warnOfForeignForm'> & {
    readonly cookies: Cookies;
    readonly browsers: Pick<Browsers, 'remember'>;
  },
): Web {
  const { settings, apiSettings, cookies, browsers, log } = needs;
  const assets = loadAssets(settings);
  const sessions = createSessions((c) => addressedIn(c, apiSettings), cookies, browsers);
  const warnOfForeignForm = createForeignFormWarning(log, () => performance.now());
  const site: Site = { ...needs, assets, sessions, warnOfForeignForm };

  const app: App = new Hono<Env>();
  const pages = allPages();
  for (const one of pages) {
    const page = { ...one, below: segmentsBelow(one, pages) };
    const { path, get, post } = page;
    app.get(path, pageHeaders, (c) =>
      get === undefined ? serveFormsPage(site, page, c) : servePage(site, page, 'get', get, c),
    );
    if (post !== undefined) app.post(path, pageHeaders, (c) => servePage(site, page, 'post', post, c));
  }
  app.get('/', pageHeaders, (c) => serveHome(site, c));
  app.get('/favicon.svg', (c) =>
    c.body(markAsSvg(settings.accent), 200, {
      'Content-Type': 'image/svg+xml',
      'Cache-Control': `max-age=${FAVICON_MAX_AGE_S}`,
    }),
  );
  app.route('/', installRoutes(settings, assets));
  app.get('/assets/*', (c) => serveAsset(c, assets));

  return {
    app,
    ahead(api) {
      api.get(ACTIVATION_LINK, async (c, next) => {
        await next();
        const forPeople = c.req.header('accept')?.includes('text/html');
        if (c.res.status === 409 && forPeople)
          c.res = c.redirect(`${prefixIn(c, apiSettings)}${LINK_EXPIRED_PAGE}`, 303);
      });
    },
    notFound: (c) => serveNotFound(site, c),
  };
}
