/**
 * What keeps the browser's session safe: the headers of every page, and the question whether a request that changes
 * something comes from a page of ours. Cookies are sent along by browsers whoever asks; tokens in headers are not, so the
 * REST API needs none of this and does not look at cookies.
 */

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  // With `no-referrer` browsers would send `Origin: null` with forms, and that is looked at below.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(self), geolocation=(), microphone=(), payment=(), usb=()',
  'Cache-Control': 'no-store',
};

/** The headers that tell where a request comes from. */
export interface Provenance {
  readonly secFetchSite: string | undefined;
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

/**
 * Whether a page of this very origin sent it. Browsers say so in Sec-Fetch-Site where the connection is safe, and in
 * Origin with every POST; who says neither is no browser, and has no session to protect or to misuse.
 * @param publicUrl what the server is called from outside, where that is set
 */
export function isFromOurPage({ secFetchSite, origin, host }: Provenance, publicUrl: string | null): boolean {
  if (secFetchSite !== undefined) return secFetchSite === 'same-origin';
  if (origin === undefined) return false;
  const hosts = [host, publicUrl === null ? undefined : hostOf(publicUrl)];
  const from = hostOf(origin);
  return from !== undefined && hosts.includes(from);
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}
