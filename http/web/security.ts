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
import type { ApiSettings } from '../settings.ts';

const secure = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
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
 * @param publicUrl the configured public address of this server; null when none is set
 */
export function isFromOurPage(
  { secFetchSite, origin, host }: RequestSource,
  publicUrl: string | null,
): boolean {
  if (secFetchSite !== undefined) return secFetchSite === 'same-origin';
  if (origin === undefined) return false;
  const hosts = [host, publicUrl === null ? undefined : hostOf(publicUrl)];
  const from = hostOf(origin);
  return from !== undefined && hosts.includes(from);
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}

/** Whether people reach this server over HTTPS: by its own certificate, by the public URL, or as a trusted proxy says. */
export function isSecure(c: Context, settings: Pick<ApiSettings, 'baseUrl' | 'trustedProxies'>): boolean {
  if (settings.baseUrl?.startsWith('https:')) return true;
  if (settings.trustedProxies > 0 && c.req.header('x-forwarded-proto') === 'https') return true;
  return c.req.url.startsWith('https:');
}
