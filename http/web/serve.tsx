/** Serves one request for a page: checks who asks and where the form comes from, runs the page, and makes the answer. */
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Log } from '../../actors/base/log.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { ifUnavailable, StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { KNOWN_BROWSER_HEADER } from '../auth/browsers.ts';
import type { App } from '../dispatch.ts';
import type { ApiSettings } from '../settings.ts';
import { FORWARDED_HEADERS } from '../wire/addressed.ts';
import { askedThrough, type Env } from '../wire/asked.ts';
import { readBytes } from '../wire/body.ts';
import { paramsOf, peerOf } from '../wire/request.ts';
import type { Room, WaitingBodies } from '../wire/waiting-bodies.ts';
import { type Ask, createApi, Unanswered } from './api.ts';
import type { Assets } from './assets.ts';
import { EMPTY_FORM, readForm } from './form.ts';
import { keepLanguage, languageAsked, languageFor } from './language.ts';
import { type Locale, localeOf } from './locale.ts';
import { leaveNotice, takeNotice } from './notice.ts';
import { type Page, type PageHandler, type PageReply, refusedTo, type Visit } from './page.ts';
import { otherRoleText, ProblemPage } from './pages/problem.tsx';
import { homeOf, Layout } from './parts/layout.tsx';
import {
  addressedIn,
  type createForeignFormWarning,
  isFromOurPage,
  pageHeaders,
  prefixIn,
} from './security.ts';
import type { Session, Sessions } from './session.ts';
import type { WebSettings } from './settings.ts';

/** What all requests share: made once, when the server starts. */
export interface Site {
  /** The REST API, called inside the process. */
  readonly api: App;
  readonly settings: WebSettings;
  readonly apiSettings: Pick<ApiSettings, 'baseUrl' | 'trustedProxies'>;
  readonly assets: Assets;
  readonly sessions: Sessions;
  readonly bodies: WaitingBodies;
  readonly now: () => number;
  readonly log: Log;
  /** Tells the operator of a refused form, once in a while. */
  readonly warnOfForeignForm: ReturnType<typeof createForeignFormWarning>;
}

/** Largest form. */
const FORM_BYTES_MAX = 128 * 1024;
/** Of who is not signed in: a password, and an address to go to next, which came in a header. */
const STRANGERS_FORM_BYTES_MAX = 24 * 1024;
/** Largest form with a file in it: a CSV of as many devices as one import takes, with long names. */
const FILE_BYTES_MAX = 32 * 1024 * 1024;
const TIME_ZONE_COOKIE = 'claimd-tz';

type Method = 'get' | 'post';

/** With `segmentsBelow` it. */
type Served = Page & { readonly below: number };

export async function servePage(
  site: Site,
  page: Served,
  method: Method,
  handle: PageHandler,
  c: Context<Env>,
): Promise<Response> {
  let visit = visitOf(site, c, page, undefined);
  try {
    if (method === 'post' && !isOurForm(site, c)) {
      site.warnOfForeignForm(c.req.header('origin'), addressedIn(c, site.apiSettings), page.path);
      return problem(site, c, visit, 403, visit.locale.say('problem.foreignForm'));
    }
    const isPublic = page.roles.includes('PUBLIC');
    const reading = site.sessions.read(c, askFor(site, c));
    // While the store is away what is open to everybody is shown as to nobody; else nobody is led to signing in, who need not.
    const session = await (isPublic ? reading.catch(ifUnavailable(() => undefined)) : reading);
    if (session === undefined && !isPublic)
      return respond(site, c, visit, signInFirst(c, method, page, visit.locale));
    visit = visitOf(site, c, page, session);
    const allowed = isPublic || (session !== undefined && page.roles.includes(session.user.authority));
    if (!allowed)
      return problem(site, c, visit, 403, session && otherRoleText(session.user, page.roles, visit.locale));

    if (method === 'post') {
      const max = session === undefined ? STRANGERS_FORM_BYTES_MAX : formBytesMax(page);
      const bytes = await readBytes(askedThrough(c), max, roomFor(site, c));
      if (bytes === 'too-large') return problem(site, c, visit, 400, tooLargeText(max, visit.locale));
      if (!Buffer.isBuffer(bytes)) return problem(site, c, visit, bytes.status);
      visit = { ...visit, form: await readForm(bytes, c.req.header('content-type')) };
    }
    return respond(site, c, visit, await handle(visit));
  } catch (error) {
    const status = statusOf(error);
    if (status !== undefined) return problem(site, c, visit, status);
    if (c.req.raw.signal.aborted) return problem(site, c, visit, 400);
    site.log.error({ page: page.path, err: error }, 'a page failed');
    return problem(site, c, visit, 503);
  }
}

/** Of a fault that is expected; undefined: it is a bug. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof Unanswered) return error.refusal.status;
  return error instanceof StoreUnavailable ? 503 : undefined;
}

/** An address that only takes a form: leads to the page that the form is on. */
export const serveFormsPage = (site: Site, page: Served, c: Context<Env>): Response =>
  respond(site, c, visitOf(site, c, page, undefined), { type: 'see-other', to: formsPath(c, page) });

function formsPath({ req }: Context, { below }: Served): string {
  return below === 0 ? req.path : req.path.split('/').slice(0, -below).join('/') || '/';
}

/** `/`: leads to where this person begins. */
export async function serveHome(site: Site, c: Context<Env>): Promise<Response> {
  try {
    const session = await site.sessions.read(c, askFor(site, c));
    const to = session === undefined ? '/login' : homeOf(session.user);
    return respond(site, c, visitOf(site, c, undefined, session), { type: 'see-other', to });
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined) throw error;
    return problem(site, c, visitOf(site, c, undefined, undefined), status);
  }
}

/** For paths without a page. It is called outside of any route, so it sets the headers of pages itself. */
export async function serveNotFound(site: Site, c: Context<Env>): Promise<Response> {
  await pageHeaders(c, async () => {
    const session = await site.sessions.read(c, askFor(site, c)).catch((error: unknown) => {
      if (statusOf(error) === undefined) throw error;
      return undefined; // there is nothing, whoever asks
    });
    c.res = problem(site, c, visitOf(site, c, undefined, session), 404);
  });
  return c.res;
}

/** Calls the API on behalf of this browser: with its address, by which attempts are counted, and until it hangs up. */
function askFor({ api, sessions }: Pick<Site, 'api' | 'sessions'>, c: Context<Env>): Ask {
  const marks = sessions.marksOf(c);
  const userAgent = c.req.header('user-agent');
  const { origin } = new URL(c.req.url);
  // The socket alone: the API routes by the path it is called with, not by the browser's.
  const env = { incoming: { socket: c.env?.incoming?.socket } };
  return (path, init) => {
    const headers = new Headers(init.headers);
    for (const name of FORWARDED_HEADERS) {
      const value = c.req.header(name);
      if (value !== undefined) headers.set(name, value);
    }
    if (userAgent !== undefined) headers.set('user-agent', userAgent);
    if (marks !== undefined) headers.set(KNOWN_BROWSER_HEADER, marks);
    return api.fetch(new Request(`${origin}${path}`, { ...init, headers, signal: c.req.raw.signal }), env);
  };
}

function visitOf(
  { api, sessions, settings, apiSettings, now }: Site,
  c: Context<Env>,
  page: Served | undefined,
  session: Session | undefined,
): Visit {
  return {
    session,
    anonymous: createApi(askFor({ api, sessions }, c), undefined),
    withToken: (token) => createApi(askFor({ api, sessions }, c), token),
    params: (page === undefined ? undefined : paramsOf(page.path, c.req.path)) ?? {},
    query: new URL(c.req.url).searchParams,
    locale: localeOf({
      language: languageFor(c, { user: session?.user, settings }),
      acceptLanguage: c.req.header('accept-language'),
      timeZoneCookie: getCookie(c, TIME_ZONE_COOKIE),
      overlays: settings.texts,
    }),
    settings,
    here: hereIn(c, page),
    nowMs: now(),
    linkBase: addressedIn(c, apiSettings).base,
    attempt: (state) => sessions.attemptOf(c, state),
    logoutHint: sessions.logoutHintOf(c),
    form: EMPTY_FORM,
  };
}

/** Without the language, which the picker at the foot changes. */
function hereIn(c: Context, page: Served | undefined): string {
  const { req } = c;
  if (page === undefined) return '/';
  if (req.method !== 'GET') return formsPath(c, page);
  const query = new URL(req.url).searchParams;
  query.delete('lang');
  return query.size === 0 ? req.path : `${req.path}?${query}`;
}

function isOurForm({ apiSettings }: Site, c: Context): boolean {
  const { req } = c;
  const source = {
    secFetchSite: req.header('sec-fetch-site'),
    origin: req.header('origin'),
    host: req.header('host') ?? new URL(req.url).host,
  };
  return isFromOurPage(source, addressedIn(c, apiSettings));
}

const formBytesMax = ({ takesFile }: Page): number => (takesFile ? FILE_BYTES_MAX : FORM_BYTES_MAX);

function roomFor({ apiSettings: { trustedProxies }, bodies }: Site, c: Context<Env>): Room {
  return bodies.roomOf(peerOf(c.env?.incoming, c.req.header('x-forwarded-for'), trustedProxies));
}

function tooLargeText(max: number, { say }: Locale): string {
  return max === FILE_BYTES_MAX
    ? say('problem.fileTooLarge', { max: max / 2 ** 20 })
    : say('problem.formTooLarge', { max: max / 2 ** 10 });
}

/**
 * To the sign-in page, and from there to the page that was asked for. What a form did is not repeated: it leads back to
 * the form, and says so.
 */
function signInFirst(c: Context, method: Method, page: Served, { say }: Locale): PageReply {
  const path = formsPath(c, page);
  const wanted = page.below === 0 ? `${path}${new URL(c.req.url).search}` : path;
  const to = wanted === '/' ? '/login' : `/login?next=${encodeURIComponent(wanted)}`;
  return method === 'get' ? { type: 'see-other', to } : refusedTo(to, say('login.ended'));
}

/** Without script, a page that could not be had is asked for again after this time. */
const AGAIN_SECONDS = 10;

function problem(site: Site, c: Context<Env>, visit: Visit, status: number, message?: string): Response {
  const shown = status === 400 || status === 403 || status === 404 || status === 429 ? status : 503;
  const home = visit.session === undefined ? '/login' : '/';
  const again = shown === 503 && c.req.method === 'GET';
  return respond(site, c, visit, {
    type: 'page',
    title: visit.locale.say(`problem.${shown}`),
    status: shown,
    narrow: true,
    ...(again ? { refreshSeconds: AGAIN_SECONDS, islands: ['again.js'] } : {}),
    body: <ProblemPage status={shown} message={message} home={home} again={again} locale={visit.locale} />,
  });
}

/** Every attribute that holds a path. In texts and values the quote is escaped, so nothing else looks like one. */
const PATHS = / (href|src|action|formaction|data-feed|data-progress)="\/(?!\/)/g;

/** The page with the proxy's path prefix before its links. */
function below(prefix: string, html: string): string {
  return prefix === ''
    ? html
    : html.replace(PATHS, (_, name: string) => ` ${name}="${prefix.replaceAll('&', '&amp;')}/`);
}

function respond(site: Site, c: Context<Env>, visit: Visit, reply: PageReply): Response {
  const { settings, assets, sessions, apiSettings } = site;
  switch (reply.type) {
    case 'see-other':
      if (reply.attemptEnds !== undefined) sessions.endAttempt(c, reply.attemptEnds);
      if (reply.signIn !== undefined) sessions.begin(c, reply.signIn);
      if (reply.logoutHint !== undefined) sessions.keepLogoutHint(c, reply.logoutHint);
      if (reply.signOut) {
        sessions.end(c);
        if (!reply.keepsClaim) c.header('Clear-Site-Data', '"storage"');
      }
      if (reply.language !== undefined) keepLanguage(c, reply.language, addressedIn(c, apiSettings));
      if (reply.notice !== undefined) leaveNotice(c, reply.notice, addressedIn(c, apiSettings));
      return c.body(null, 303, { Location: `${prefixIn(c, apiSettings)}${reply.to}` });
    case 'leave':
      if (reply.attempt === undefined) sessions.endLogoutHint(c);
      else sessions.keepAttempt(c, reply.attempt);
      return c.body(null, 303, { Location: reply.to });
    case 'stream':
      return reply.response;
    case 'page': {
      const asked = languageAsked(c, settings);
      if (asked !== undefined) keepLanguage(c, asked, addressedIn(c, apiSettings));
      c.header('Vary', 'Accept-Language', { append: true });
      const html = (
        <Layout
          title={reply.title}
          settings={settings}
          assets={assets}
          locale={visit.locale}
          user={visit.session?.user}
          path={c.req.path}
          here={visit.here}
          notice={takeNotice(c, addressedIn(c, apiSettings))}
          islands={reply.islands ?? []}
          narrow={reply.narrow ?? false}
          refreshSeconds={reply.refreshSeconds}
        >
          {reply.body}
        </Layout>
      );
      return c.body(`<!doctype html>${below(prefixIn(c, apiSettings), `${html}`)}`, reply.status ?? 200, {
        'Content-Type': 'text/html;charset=UTF-8',
        'Content-Language': visit.locale.language,
      });
    }
    default:
      return unreachable(reply);
  }
}
