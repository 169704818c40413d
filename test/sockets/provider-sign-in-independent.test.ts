/** Signing in with `oidc-provider`, a certified implementation by others, through its own pages for login and consent. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { defaultWebSettings } from '../../http/web/settings.ts';
import { CLIENT } from '../kit/identity-provider.ts';
import { startIndependentProvider } from '../kit/independent-provider.ts';
import { plainBrowser } from '../kit/plain-browser.ts';
import { restLaws } from '../kit/rest-client.ts';
import { visitor } from '../kit/web-client.ts';

const { law, run } = restLaws('signing in with an independent provider');

const HOME = 'http://localhost';

/** A person at the provider: fills in its forms, for as long as its browser is open. */
function personAt(): { goes(from: string, login: string): Promise<string> } {
  const isHome = (url: string) => url.startsWith(`${HOME}/`);
  const browser = plainBrowser(isHome);
  return {
    /** Resolves to where it sends the browser back to. */
    async goes(from, login) {
      let shown = await browser.open(from);
      while (!isHome(shown.url))
        shown = await browser.submit(shown, { login, password: 'any', logout: 'yes' });
      return shown.url.slice(HOME.length);
    },
  };
}

law(
  'a person signs in at its pages, and is back where the label was scanned',
  async ({ world, home }) => {
    const idp = await startIndependentProvider();
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
    // The provider goes by the machine's clock. Ours is set by it once, because every timer would run through the years between.
    world.clock.step(Date.now() - world.clock.now());
    const goOn = () => world.clock.advance(Date.now() - world.clock.now());
    const admin = world.as((await world.login(home.adminEmail)).token);
    const idp = await startIndependentProvider();
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
