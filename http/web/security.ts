/**
 * What protects the browser's session: the headers of every page, and the check that a form was sent from a page of
 * this site. Browsers send cookies along with requests of any page; the REST API takes tokens in headers, which no
 * foreign page has, so it needs none of this.
 *
 * Hono's `csrf()` does not make that check, because it is weaker: it is content when either Sec-Fetch-Site or Origin
 * fits, and it lets a POST pass whose content type no form has.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { Log } from '../../actors/base/log.ts';
import { type Addressed, type Addressing, addressedBy } from '../wire/addressed.ts';
import { prefixOf } from '../wire/links.ts';

const secure = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    manifestSrc: ["'self'"],
    workerSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  permissionsPolicy: { camera: ['self'], geolocation: [], microphone: [], payment: [], usb: [] },
  xFrameOptions: 'DENY',
  // With `no-referrer` browsers would send `Origin: null` with forms, and `isFromOurPage` reads Origin.
  referrerPolicy: 'same-origin',
  // Whether the whole host is HTTPS alone is the operator's decision.
  strictTransportSecurity: false,
  // Of browsers that are gone, or without effect on these pages.
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
});

/** The headers of every page. Pages show what belongs to one person, so no cache keeps them. */
export const pageHeaders: MiddlewareHandler = (c, next) =>
  secure(c, async () => {
    await next();
    c.res.headers.set('Cache-Control', 'no-store');
  });

/** The headers that say which site a request comes from. */
interface RequestSource {
  readonly secFetchSite: string | undefined;
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

/**
 * Whether a page of this very origin sent the request. Over HTTPS and from localhost browsers say so in Sec-Fetch-Site,
 * and in Origin with every POST. A client that sends neither is no browser and holds no session to misuse.
 * @param addressed how this server was addressed, as far as is known
 */
export function isFromOurPage({ secFetchSite, origin, host }: RequestSource, addressed: Addressed): boolean {
  if (secFetchSite !== undefined) return secFetchSite === 'same-origin';
  if (origin === undefined) return false;
  const from = hostOf(origin);
  return from !== undefined && [host, addressed.host, hostOf(addressed.base)].includes(from);
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}

/** How this server was addressed by the person whose browser sent the request. */
export function addressedIn({ req }: Context, addressing: Addressing): Addressed {
  return addressedBy((name) => req.header(name), req.url, addressing);
}

/** What a proxy takes off every path, and what therefore comes before those that the browser is given. */
export function prefixIn(c: Context, addressing: Addressing): string {
  return prefixOf(addressedIn(c, addressing).base);
}

const WARNING_EVERY_MS = 60_000;

/**
 * Behind a proxy that rewrites Host every form looks foreign, and nobody can sign in: the operator hears what to do, at
 * most once a minute.
 */
export function createForeignFormWarning(log: Log, now: () => number) {
  let quietUntil = 0;
  return (origin: string | undefined, { host }: Addressed, page: string): void => {
    if (origin === undefined || now() < quietUntil) return;
    quietUntil = now() + WARNING_EVERY_MS;
    log.warn(
      { origin, host, page },
      'a form was refused because its Origin is not the address of this server; if a proxy rewrites Host, set ' +
        'HTTP_BASE_URL, or HTTP_TRUSTED_PROXIES where the proxy sends X-Forwarded-Host',
    );
  };
}
