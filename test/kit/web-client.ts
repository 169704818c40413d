/** A browser without a screen: follows the web application by its forms and cookies, over `app.request()`. */
import * as assert from 'uvu/assert';
import { defaultWebSettings, type WebSettings } from '../../http/web/settings.ts';
import { createRestWorld, PASSWORD, type RestOptions, type RestWorld } from './rest-client.ts';

interface Shown {
  readonly status: number;
  readonly html: string;
  /** What a person reads. */
  readonly text: string;
  readonly headers: Headers;
  /** Where it leads; undefined when it leads nowhere. */
  readonly to: string | undefined;
}

export interface Visitor {
  readonly cookies: ReadonlyMap<string, string>;
  /** As another site, or another visitor's browser, would. */
  setCookie(name: string, value: string): void;
  get(path: string, headers?: Record<string, string>): Promise<Shown>;
  /** Sends a form as a browser does, from a page of ours unless the headers say otherwise. */
  post(path: string, fields: Record<string, string | File>, headers?: Record<string, string>): Promise<Shown>;
  /** Follows where an answer leads. */
  follow(shown: Shown): Promise<Shown>;
  signIn(email: string, password?: string): Promise<Shown>;
}

const ORIGIN = 'http://localhost';

/** The REST world with pages. */
export function createWebWorld(options: RestOptions = {}, web: Partial<WebSettings> = {}): RestWorld {
  return createRestWorld({
    ...options,
    disturb: (needs) => ({
      ...(options.disturb?.(needs) ?? needs),
      web: { ...defaultWebSettings, ...web },
    }),
  });
}

export function visitor({ app }: Pick<RestWorld, 'app'>, address = '192.0.2.7'): Visitor {
  const cookies = new Map<string, string>();

  async function send(path: string, init: RequestInit, headers: Record<string, string>): Promise<Shown> {
    const incoming = { socket: { remoteAddress: address } };
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const all = { ...(cookie === '' ? {} : { cookie }), accept: 'text/html', ...headers };
    // The one thing of node's request that is looked at: where it came from.
    const response = await app.request(`${ORIGIN}${path}`, { ...init, headers: all }, { incoming } as never);
    for (const line of response.headers.getSetCookie()) keep(line);
    const html = await response.text();
    return {
      status: response.status,
      html,
      text: readable(html),
      headers: response.headers,
      to: response.headers.get('location') ?? undefined,
    };
  }

  function keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const at = pair.indexOf('=');
    const gone = attributes.some((attribute) => attribute === 'Max-Age=0');
    if (gone) cookies.delete(pair.slice(0, at));
    else cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }

  const self: Visitor = {
    cookies,
    setCookie: (name, value) => cookies.set(name, value),
    get: (path, headers = {}) => send(path, { method: 'GET' }, headers),
    post(path, fields, headers = { origin: ORIGIN, host: 'localhost' }) {
      const body = new FormData();
      for (const [name, value] of Object.entries(fields)) body.set(name, value);
      return send(path, { method: 'POST', body }, headers);
    },
    async follow(shown) {
      assert.is(shown.status, 303, shown.text);
      return self.get(shown.to ?? '');
    },
    async signIn(email, password = PASSWORD) {
      const shown = await self.post('/login', { email, password, next: '/' });
      assert.is(shown.status, 303, shown.text);
      return shown;
    },
  };
  return self;
}

/** Sends a file, says what its columns are (by their places; else what the page guessed), and has the rows checked. */
export async function sendFile(
  browser: Visitor,
  file: File,
  said: Readonly<Record<string, string>> = {},
): Promise<Awaited<ReturnType<Visitor['post']>>> {
  const shown = await browser.post('/devices/import', { file });
  assert.is(shown.status, 200, shown.text);
  const [, content = ''] = /name="content" value="([^"]*)"/.exec(shown.html) ?? [];
  const fields: Record<string, string> = { content, do: 'check', keys: 'yes' };
  for (const [, name = '', options = ''] of shown.html.matchAll(
    /<select name="(column\d+)"[^>]*>(.*?)<\/select>/g,
  )) {
    fields[name] = said[name] ?? /value="([^"]*)" selected/.exec(options)?.[1] ?? '';
  }
  return browser.post('/devices/import', fields);
}

function readable(html: string): string {
  return html
    .replace(/^[\s\S]*<main[^>]*>/, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/\s+/g, ' ')
    .trim();
}
