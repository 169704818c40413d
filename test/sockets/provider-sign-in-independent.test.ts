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
  begin(redirectUri: string): void;
  stop(): Promise<void>;
}

async function startIndependent(): Promise<Running> {
  let handle: RequestListener = (_request, response) => response.writeHead(503).end();
  const server = createServer((request, response) => handle(request, response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const start = (redirectUri: string) => {
    const provider = new Provider(issuer, {
      clients: [
        { client_id: CLIENT.clientId, client_secret: CLIENT.clientSecret, redirect_uris: [redirectUri] },
      ],
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

/** A person at the provider: follows redirects and fills in its two forms. Resolves to where it sends the browser back to. */
async function signInThere(from: string, login: string): Promise<string> {
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
  let url = from;
  for (let steps = 0; steps < 12; steps += 1) {
    if (url.startsWith('http://localhost/')) return url.slice('http://localhost'.length);
    let response = await ask(url);
    if (response.status === 200) {
      const page = await response.text();
      const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? '';
      const body = new URLSearchParams({ prompt, login, password: 'any' });
      response = await ask(/action="([^"]+)"/.exec(page)?.[1] ?? url, { method: 'POST', body });
    }
    url = new URL(response.headers.get('location') ?? '', url).href;
  }
  throw new Error('the provider led round in circles');
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
      const back = await browser.get(await signInThere(left.to ?? '', home.alice.email));
      assert.is(back.to, '/claim', back.text);
      assert.match((await browser.get('/account')).text, /alice@home\.test/);
    } finally {
      await idp.stop();
    }
  },
  { disturb: (needs) => ({ ...needs, web: defaultWebSettings }) },
);

run();
