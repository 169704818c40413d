/** Every link that people are given: labels, imports, activation. */

/** Origin and path prefix without a slash at the end, so that a path can follow; undefined if the text is no URL. */
export function parseBaseUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { origin, pathname } = new URL(text);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}

/**
 * The path prefix of this server behind a proxy, such as `/claim`; `''` without one. The proxy takes it off: routes, forms and
 * pages know nothing of it, and it comes before every path that a browser is given.
 */
export function prefixOf(base: string): string {
  return new URL(base).pathname.replace(/\/+$/, '');
}

/** @param base where people reach this server, as `parseBaseUrl` makes it. @param path begins with a slash */
function linkTo(base: string, path: `/${string}`): string {
  return `${base}${path}`;
}

/**
 * The link on a device's label: it opens the claim page with name and key filled in. Both are in the fragment, which
 * browsers send to no server, so that the key is in no log.
 */
export function claimLink(base: string, deviceName: string, secretKey: string): string {
  return linkTo(base, `/claim#device=${encodeURIComponent(deviceName)}&key=${encodeURIComponent(secretKey)}`);
}

/** Where one claims by typing, in as few characters as browsers need: they take https for granted. */
export function typedAddress(base: string): string {
  return linkTo(base, '/claim').replace(/^https:\/\//, '');
}

/** Where a new user sets the first password. */
export function activationLink(base: string, token: string): string {
  return linkTo(base, `/api/noauth/activate?activateToken=${encodeURIComponent(token)}`);
}
