/**
 * `GET /.well-known/core`: what this server has, in the CoRE link format (RFC 6690). Anybody may ask, so it is short: nobody
 * is flooded by answers to a forged address. Paths of devices have their tokens in them, and are not listed.
 */
import { Code } from './codes.ts';
import { contentResponse } from './content.ts';
import { ContentFormat, OptionNumber, uintOf, valuesOf } from './options.ts';
import { type Request, type Response, responseOf } from './request.ts';

interface Link {
  readonly href: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const LINKS: readonly Link[] = [
  { href: '/.well-known/core', attributes: { ct: '40' } },
  {
    href: '/api/v1',
    attributes: { rt: 'claimd.devices', ct: '50', title: '{token}/claim, {token}/attributes' },
  },
];

export function coreResponse(request: Request): Response {
  const { options } = request;
  const accept = uintOf(options, OptionNumber.accept);
  if (accept !== undefined && accept !== ContentFormat.linkFormat) return responseOf(Code.notAcceptable); // RFC 7252 §5.10.4
  const filters = valuesOf(options, OptionNumber.uriQuery).map((query) => query.toString());
  const links = LINKS.filter((link) => filters.every((filter) => matches(link, filter)));
  return contentResponse(request, Buffer.from(links.map(show).join(',')), ContentFormat.linkFormat);
}

/** RFC 6690 §4.1: `rt=name`, or `rt=na*` for a beginning. */
function matches({ href, attributes }: Link, filter: string): boolean {
  const at = filter.indexOf('=');
  if (at < 0) return false;
  const name = filter.slice(0, at);
  const wanted = filter.slice(at + 1);
  const value = name === 'href' ? href : new Map(Object.entries(attributes)).get(name);
  if (value === undefined) return false;
  return wanted.endsWith('*') ? value.startsWith(wanted.slice(0, -1)) : value === wanted;
}

function show({ href, attributes }: Link): string {
  const shown = Object.entries(attributes).map(([name, value]) =>
    name === 'ct' ? `${name}=${value}` : `${name}="${value}"`,
  );
  return [`<${href}>`, ...shown].join(';');
}
