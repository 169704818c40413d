/**
 * How was this server addressed? The one answer, for cookies, links, labels, redirects and checks of Origin: the
 * configured base URL; else what trusted proxies say (RFC 7239, or the X-Forwarded headers); else the request itself.
 */

/** What the headers of a request say, by their names in lower case. */
export type HeaderOf = (name: string) => string | undefined;

export interface Addressing {
  /** As `parseBaseUrl` makes it; null: none is configured. */
  readonly baseUrl: string | null;
  /** How many proxies in front are believed; 0: their headers are ignored. */
  readonly trustedProxies: number;
}

export interface Addressed {
  /** Scheme, host, port and path prefix, without a slash at the end: what links begin with. */
  readonly base: string;
  /** Name and port, as browsers write them in Origin. */
  readonly host: string;
  /** Whether people come over HTTPS. */
  readonly secure: boolean;
}

/** @param url the URL of the request, as this server sees it */
export function addressedBy(
  headerOf: HeaderOf,
  url: string,
  { baseUrl, trustedProxies }: Addressing,
): Addressed {
  const said = trustedProxies > 0 ? fromProxies(headerOf, trustedProxies) : {};
  const direct = new URL(url);
  const scheme = said.scheme ?? direct.protocol.slice(0, -1);
  const host = hostWith(said.host ?? direct.host, said.port, scheme);
  const base = baseUrl ?? `${scheme}://${host}${said.prefix ?? ''}`;
  return { base, host, secure: scheme === 'https' || base.startsWith('https:') };
}

interface Said {
  readonly scheme?: string;
  readonly host?: string;
  readonly port?: string;
  readonly prefix?: string;
}

/** What cannot be what it should be is left out, so that no header writes anything else into a link. */
function fromProxies(headerOf: HeaderOf, trusted: number): Said {
  const said = (value: string | undefined, allowed: RegExp): string | undefined => {
    const text = outermost(value, trusted)?.toLowerCase();
    return text !== undefined && allowed.test(text) ? text : undefined;
  };
  const { proto, host } = forwarded(outermost(headerOf('forwarded'), trusted));
  const scheme = said(proto ?? headerOf('x-forwarded-proto'), SCHEME);
  const name = said(host ?? headerOf('x-forwarded-host'), HOST);
  const port = host === undefined ? said(headerOf('x-forwarded-port'), PORT) : undefined;
  const prefix = outermost(headerOf('x-forwarded-prefix'), trusted)?.replace(SLASHES_AT_END, '');
  return {
    ...(scheme === undefined ? {} : { scheme }),
    ...(name === undefined ? {} : { host: name }),
    ...(port === undefined ? {} : { port }),
    ...(prefix !== undefined && PREFIX.test(prefix) ? { prefix } : {}),
  };
}

const SCHEME = /^https?$/;
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;
const PORT = /^\d{1,5}$/;
/** Looked at from where they begin: from each of sixteen thousand, it took half a second. */
const SLASHES_AT_END = /(?<!\/)\/+$/;
const PREFIX = /^(?:\/[\w.~-]+)+$/;

/** Each proxy appends its entry: the one that counts is what the outermost of the trusted ones wrote. */
function outermost(list: string | undefined, trusted: number): string | undefined {
  const entries = list?.split(',').map((entry) => entry.trim());
  return entries?.at(-trusted) ?? entries?.[0];
}

/** One element of `Forwarded`: pairs in any order and case, values maybe in quotes. */
function forwarded(element: string | undefined): { readonly proto?: string; readonly host?: string } {
  const pairs = [...(element ?? '').matchAll(/(?:^|;)\s*(\w+)\s*=\s*(?:"([^"]*)"|([^;"\s]*))/g)];
  const named = new Map(
    pairs.map(([, name = '', quoted, plain]) => [name.toLowerCase(), quoted ?? plain ?? '']),
  );
  const [proto, host] = [named.get('proto'), named.get('host')];
  return { ...(proto === undefined ? {} : { proto }), ...(host === undefined ? {} : { host }) };
}

/** With the port that the proxy names instead of the host's own, and without the scheme's usual one. */
function hostWith(host: string, port: string | undefined, scheme: string): string {
  const [, name = host, own] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  const used = port ?? own;
  return used === undefined || used === (scheme === 'https' ? '443' : '80') ? name : `${name}:${used}`;
}

/** The headers that say how a proxy was addressed, for a request that is made on behalf of another. */
export const FORWARDED_HEADERS = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
] as const;
