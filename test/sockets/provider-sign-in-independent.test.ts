/** Signing in with `oidc-provider`, a certified implementation by others, through its own pages for login and consent. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import * as assert from 'uvu/assert';
import { defaultWebSettings } from '../../http/web/settings.ts';
import { CLIENT } from '../kit/identity-provider.ts';
import { restLaws } from '../kit/rest-client.ts';
import { visitor } from '../kit/web-client.ts';

const { law, run } = restLaws('signing in with an independent provider');

interface Running {
  readonly issuer: string;
  /** Registers where people are sent back to. */
  begin(redirectUri: string, more?: object): void;
  stop(): Promise<void>;
}

async function startIndependent(): Promise<Running> {
  let handle: RequestListener = (_request, response) => response.writeHead(503).end();
  const server = createServer((request, response) => handle(request, response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const start = (redirectUri: string, more: object = {}) => {
    const { clientId: client_id, clientSecret: client_secret } = CLIENT;
    const provider = new Provider(issuer, {
      clients: [{ client_id, client_secret, redirect_uris: [redirectUri], ...more }],
      features: { backchannelLogout: { enabled: true } },
      // Its own has a filter that keeps it from calling this machine.
      fetch: (url, options) => {
        const { method = 'GET', headers = {}, body = null } = options ?? {};
        return fetch(url, { method, headers, body });
      },
      claims: { openid: ['sub'], email: ['email', 'email_verified'] },
      findAccount: (_context, accountId) => ({
        accountId,
        claims: () => ({ sub: accountId, email: accountId, email_verified: true }),
      }),
    });
    handle = provider.callback();
  };
  start('http://localhost/nowhere'); // its metadata are asked for before the redirect URI is known
  return {
    issuer,
    begin: start,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** A person at the provider: follows redirects and fills in its forms, for as long as its browser is open. */
function personAt(): { goes(from: string, login: string): Promise<string> } {
  const cookies = new Map<string, string>();
  const ask = async (url: string, init: RequestInit = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const pair = line.split(';')[0] ?? '';
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    return response;
  };
  const fieldsOf = (page: string) =>
    [...page.matchAll(/<input[^>]*name="(\w+)"[^>]*value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
  return {
    /** Resolves to where it sends the browser back to. */
    async goes(from, login) {
      let url = from;
      for (let steps = 0; steps < 12; steps += 1) {
        if (url.startsWith('http://localhost/')) return url.slice('http://localhost'.length);
        let response = await ask(url);
        if (response.status === 200) {
          const page = await response.text();
          const fields = { ...Object.fromEntries(fieldsOf(page)), login, password: 'any', logout: 'yes' };
          const body = new URLSearchParams(fields);
          response = await ask(/action="([^"]+)"/.exec(page)?.[1] ?? url, { method: 'POST', body });
        }
        const next = response.headers.get('location');
        if (next === null)
          throw new Error(`the provider stopped: ${response.status} ${await response.text()}`);
        url = new URL(next, url).href;
      }
      throw new Error('the provider led round in circles');
    },
  };
}

law(
  'a person signs in at its pages, and is back where the label was scanned',
  async ({ world, home }) => {
    const idp = await startIndependent();
    try {
      const made = await home.admin.post('/api/oauth2/client', {
        ...CLIENT,
        title: 'Independent',
        loginButtonLabel: 'Sign in',
        issuer: idp.issuer,
        allowedEmailDomains: ['home.test'],
      });
      assert.is(made.status, 200, made.text);
      const { id, redirectUri } = made.json as { id: { id: string }; redirectUri: string };
      idp.begin(redirectUri);
      const browser = visitor(world);
      const left = await browser.get(`/oauth2/authorization/${id.id}?prevUri=%2Fclaim`);
      const back = await browser.get(await personAt().goes(left.to ?? '', home.alice.email));
      assert.is(back.to, '/claim', back.text);
      assert.match((await browser.get('/account')).text, /alice@home\.test/);
    } finally {
      await idp.stop();
    }
  },
  { disturb: (needs) => ({ ...needs, web: defaultWebSettings }) },
);

law(
  'who signs out here may sign out there too, and who signs out there is out here',
  async ({ world, home }) => {
    const goOn = () => world.clock.advance(Date.now() - world.clock.now()); // the provider goes by the machine's
    goOn();
    const admin = world.as((await world.login(home.adminEmail)).token);
    const idp = await startIndependent();
    const door = createServer(async (request, response) => {
      goOn();
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const type = request.headers['content-type'] ?? '';
      const init = { method: 'POST', body: Buffer.concat(chunks), headers: { 'content-type': type } };
      const answer = await world.app.request(request.url ?? '', init);
      response.writeHead(answer.status).end(await answer.text());
    });
    await new Promise<void>((listening) => door.listen(0, '127.0.0.1', listening));
    const { port } = door.address() as AddressInfo;
    try {
      const made = await admin.post('/api/oauth2/client', {
        ...CLIENT,
        title: 'Independent',
        loginButtonLabel: 'Sign in',
        issuer: idp.issuer,
        allowedEmailDomains: ['home.test'],
      });
      const { id, redirectUri } = made.json as { id: { id: string }; redirectUri: string };
      idp.begin(redirectUri, {
        post_logout_redirect_uris: ['http://localhost/login'],
        backchannel_logout_uri: `http://127.0.0.1:${port}/api/noauth/oauth2/backchannel-logout/${id.id}`,
        backchannel_logout_session_required: true,
      });
      const signedIn = async () => {
        const [browser, person] = [visitor(world), personAt()];
        const left = await browser.get(`/oauth2/authorization/${id.id}?prevUri=%2Fclaim`);
        const back = await browser.get(await person.goes(left.to ?? '', home.alice.email));
        assert.is(back.to, '/claim', back.text);
        return { browser, person };
      };
      const [one, other] = [await signedIn(), await signedIn()];
      const isIn = async ({ browser }: typeof one) => (await browser.get('/account')).status === 200;

      // At the provider alone, in another tab: its session there ends, and with it the one here that began by it.
      const back = await one.person.goes(
        `${idp.issuer}/session/end?client_id=${CLIENT.clientId}&post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Flogin`,
        '',
      );
      assert.is(back, '/login');
      assert.equal([await isIn(one), await isIn(other)], [false, true], 'and no other');

      const out = await other.browser.post('/logout', {});
      assert.is(out.to, '/oauth2/logout');
      assert.match((await other.browser.follow(out)).text, /You are signed out/);
      const there = await other.browser.get('/oauth2/logout/there');
      assert.match(there.to ?? '', /session\/end\?id_token_hint=/);
      assert.is(await other.person.goes(there.to ?? '', ''), '/login');
      assert.is((await other.browser.get('/oauth2/logout')).to, '/login', 'once');
    } finally {
      door.closeAllConnections();
      await new Promise((closed) => door.close(closed));
      await idp.stop();
    }
  },
  { disturb: (needs) => ({ ...needs, web: defaultWebSettings }) },
);

run();
