/**
 * Behind a proxy that serves claimd below a path of a host that others use too: every link, form, redirect and cookie stays
 * below that path. The proxy is a real one, which takes the prefix off; every page that links lead to is looked at.
 */
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cleanUp, type ServerProcess, startServer } from '../kit/process.ts';

const PREFIX = '/claim';

interface Front {
  /** What people type, without a slash at the end. */
  readonly url: string;
  close(): void;
}

/** @param said what the proxy says of itself */
function proxy(target: string, said: Readonly<Record<string, string>>): Promise<Front> {
  const server: Server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '/';
    if (path !== PREFIX && !path.startsWith(`${PREFIX}/`)) {
      outgoing.writeHead(418).end('somebody else lives here');
      return;
    }
    const { method } = incoming;
    const url = `${target}${path.slice(PREFIX.length) || '/'}`;
    const asked = request(url, { method, headers: { ...incoming.headers, ...said } }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    asked.on('error', () => outgoing.destroy());
    outgoing.on('close', () => asked.destroy());
    incoming.pipe(asked);
  });
  server.keepAliveTimeout = 0; // or it might close a connection on which something is just being asked
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        url: `http://127.0.0.1:${port}`,
        close() {
          server.closeAllConnections();
          server.close();
        },
      });
    });
  });
}

/** Keeps cookies by their path, as browsers do, and follows no redirect by itself. */
class Browser {
  readonly #cookies = new Map<string, { readonly value: string; readonly path: string }>();
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  get paths(): string[] {
    return [...this.#cookies.values()].map(({ path }) => path);
  }

  async ask(path: string, form?: Readonly<Record<string, string>>): Promise<Response> {
    const sent = [...this.#cookies]
      .filter(([, cookie]) => path.startsWith(cookie.path))
      .map(([name, { value }]) => `${name}=${value}`);
    const response = await fetch(this.#origin + path, {
      redirect: 'manual',
      headers: { cookie: sent.join('; '), origin: this.#origin, accept: 'text/html' },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const path = /; *Path=([^;]*)/i.exec(line)?.[1] ?? '';
      if (/Max-Age=0(;|$)/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, { value, path });
    }
    return response;
  }

  async signIn(username: string, password: string): Promise<string> {
    const response = await this.ask(`${PREFIX}/login`, { email: username, password });
    assert.is(response.status, 303, await response.text());
    return response.headers.get('location') ?? '';
  }
}

const LINKS = / (href|src|action|formaction|data-feed|data-progress)="([^"]*)"/g;

/** Looks at every page that links lead to, and at what they load. Returns the paths that were asked for. */
async function walk(browser: Browser, from: string): Promise<Set<string>> {
  const seen = new Set<string>();
  const open = [from];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const response = await browser.ask(path);
    const to = response.headers.get('location');
    if (to !== null) {
      assert.match(to, /^\/claim\//, `${path} leads to ${to}`);
      open.push(to);
      continue;
    }
    assert.is(response.status, 200, path);
    if (!response.headers.get('content-type')?.startsWith('text/html')) {
      await response.arrayBuffer();
      continue;
    }
    for (const [, what = '', raw = ''] of (await response.text()).matchAll(LINKS)) {
      const link = raw.replaceAll('&amp;', '&');
      const relative = !link.startsWith('/') || link.startsWith('//');
      if (link === '' || link.startsWith('#') || (relative && URL.canParse(link))) continue;
      const { pathname, search } = new URL(link, `http://host${path}`);
      assert.ok(pathname.startsWith(`${PREFIX}/`), `${path}: ${what}="${link}"`);
      // Feeds do not end, and exports are large.
      if (what === 'href' || what === 'src') open.push(pathname + search);
    }
  }
  return seen;
}

const prefixed = suite('path prefix');
prefixed.after(cleanUp);

const START = { args: ['--demo'] as const, env: { SECURITY_PASSWORD_HASH_COST: '1024' } };

async function behind(
  env: Readonly<Record<string, string>>,
  said: Readonly<Record<string, string>>,
  play: (front: Front, server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await startServer({ ...START, args: [...START.args], env: { ...START.env, ...env } });
  const front = await proxy(server.url, said);
  try {
    await play(front, server);
  } finally {
    front.close();
    await server.stop();
  }
}

for (const [how, env, said] of [
  ['a trusted proxy says so', { HTTP_TRUSTED_PROXIES: '1' }, { 'x-forwarded-prefix': '/claim/' }],
  ['the base URL says so', { HTTP_BASE_URL: 'http://127.0.0.1/claim/' }, {}],
] as const) {
  for (const [who, username, password, least] of [
    ['the tenant', 'tenant@thingsboard.org', 'tenant', 20],
    ['a customer', 'customerA@thingsboard.org', 'customer', 8],
  ] as const) {
    prefixed(`path prefix: where ${how}, every link, form and cookie of ${who} stays below it`, () =>
      behind(env, said, async (front) => {
        const browser = new Browser(front.url);
        const home = await browser.signIn(username, password);
        assert.match(home, /^\/claim\//);
        const seen = await walk(browser, home);
        assert.ok(seen.size >= least, `${seen.size}: ${[...seen].join(' ')}`);
        assert.ok([...seen].some((path) => path.endsWith('.css')));
        assert.ok([...seen].some((path) => path.endsWith('.js')));
        assert.ok(browser.paths.length > 0);
        for (const path of browser.paths) assert.match(path, /^\/claim\//);
        const signedOut = await new Browser(front.url).ask(`${PREFIX}/devices?page=0`);
        assert.is(signedOut.headers.get('location'), '/claim/login?next=%2Fdevices%3Fpage%3D0');
      }),
    );
  }

  prefixed(`path prefix: where ${how}, what is installed on a home screen stays below it`, () =>
    behind(env, said, async (front) => {
      const address = `${front.url}${PREFIX}/manifest.webmanifest`;
      const manifest = JSON.parse(await (await fetch(address)).text());
      for (const member of [manifest.start_url, manifest.scope])
        assert.is(new URL(member, address).pathname, `${PREFIX}/`);
      for (const { src } of manifest.icons) assert.is((await fetch(new URL(src, address))).status, 200);
      const page = await (await fetch(`${front.url}${PREFIX}/login`)).text();
      const [, script = ''] = /src="([^"]*\/page\.js)"/.exec(page) ?? [];
      const text = await (await fetch(new URL(script, front.url))).text();
      assert.match(text, 'worker.js');
      assert.not.match(text, /["'`]\/|Path=\/;/);
      assert.not.match(await (await fetch(`${front.url}${PREFIX}/worker.js`)).text(), /["'`]\/\w/);
    }),
  );

  prefixed(`path prefix: where ${how}, the description of the API names it`, () =>
    behind(env, said, async (front) => {
      for (const path of ['/v3/api-docs', '/v3/api-docs/3.0']) {
        const description = (await (await fetch(front.url + PREFIX + path)).json()) as { servers?: unknown };
        assert.equal(description.servers, [{ url: PREFIX }]);
      }
    }),
  );
}

prefixed('path prefix: what a proxy says that is not trusted changes nothing', () =>
  behind({}, { 'x-forwarded-prefix': '/claim' }, async (front, server) => {
    const response = await fetch(`${front.url}${PREFIX}/login`);
    const text = await response.text();
    assert.match(text, ' action="/login');
    assert.not.match(text, '"/claim/');
    const description = (await (await fetch(`${server.url}/v3/api-docs`)).json()) as { servers?: unknown };
    assert.is(description.servers, undefined);
  }),
);

prefixed('path prefix: no prefix that is none gets into a page', () =>
  behind({ HTTP_TRUSTED_PROXIES: '1' }, { 'x-forwarded-prefix': '/"><script>' }, async (front) => {
    const text = await (await fetch(`${front.url}${PREFIX}/login`)).text();
    assert.match(text, ' action="/login');
    assert.not.match(text, '<script>"');
  }),
);

prefixed.run();
