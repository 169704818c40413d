/**
 * Browsers that a user has signed in with before (OWASP: device cookies): a crowd that guesses at the user from everywhere,
 * even from the user's own address, does not shut them out; and what they keep is good for nothing else.
 */
import * as assert from 'uvu/assert';
import { totpCode, totpSecretOf } from '../../http/auth/totp.ts';
import {
  type Household,
  isProblem,
  PASSWORD,
  type RestWorld,
  restLaws,
  settle,
  type Tokens,
} from '../kit/rest-client.ts';
import { createWebWorld, type Visitor, visitor } from '../kit/web-client.ts';

const { law, run } = restLaws('known browser');

const LOGIN = '/api/auth/login';
const COOKIE = 'claimd-browser';
const HEADER = 'x-known-browser';
const CAFE = '198.51.100.20';

/** Many strangers try passwords on one user, until nobody from anywhere new is listened to. */
async function crowd(world: RestWorld, email: string): Promise<void> {
  for (let at = 0; at < 60; at += 1)
    await world.as('', `203.0.113.${at % 30}`).post(LOGIN, { username: email, password: `guess ${at}` });
  const stranger = await world.as('', '203.0.113.99').post(LOGIN, { username: email, password: PASSWORD });
  isProblem(stranger, 429, 33);
}

async function guess(browser: Visitor, email: string, times: number): Promise<void> {
  for (let at = 0; at < times; at += 1)
    assert.is((await browser.post('/login', { email, password: `typo ${at}`, next: '/' })).status, 400);
}

/** A web world with a household, and a browser that alice has signed in with, at home, and out of. */
async function withBrowser(
  story: (scene: { world: RestWorld; home: Household; browser: Visitor }) => Promise<void>,
) {
  const world = createWebWorld();
  try {
    const home = await settle(world, 'home');
    const browser = visitor(world, '192.0.2.7');
    await browser.signIn(home.alice.email);
    await browser.post('/logout', {});
    assert.not.ok(browser.cookies.has('claimd-session'));
    assert.ok(browser.cookies.has(COOKIE), 'it outlasts signing out');
    await story({ world, home, browser });
  } finally {
    await world.stop();
  }
}

/** The same browser in another network. */
function elsewhere(world: RestWorld, browser: Visitor, address = CAFE): Visitor {
  const moved = visitor(world, address);
  for (const [name, value] of browser.cookies) moved.setCookie(name, value);
  return moved;
}

law('attack: a crowd that guesses at a user does not shut the user out, wherever the browser is', () =>
  withBrowser(async ({ world, home, browser }) => {
    await crowd(world, home.alice.email);
    await elsewhere(world, browser).signIn(home.alice.email);
  }),
);

law('attack: nor do guesses from the very address that the browser is at', () =>
  withBrowser(async ({ world, home, browser }) => {
    const neighbour = world.as('', CAFE);
    for (let at = 0; at < 12; at += 1)
      await neighbour.post(LOGIN, { username: home.alice.email, password: `guess ${at}` });
    isProblem(await neighbour.post(LOGIN, { username: home.alice.email, password: PASSWORD }), 429, 33);
    await elsewhere(world, browser).signIn(home.alice.email);
  }),
);

law('its wrong passwords are few; after them it is a stranger, and waits like all', () =>
  withBrowser(async ({ world, home, browser }) => {
    const moved = elsewhere(world, browser);
    await guess(moved, home.alice.email, 10);
    // Now it is counted as anybody at its address is.
    await guess(moved, home.alice.email, 10);
    const shut = await moved.post('/login', { email: home.alice.email, password: PASSWORD, next: '/' });
    assert.is(shut.status, 429);
    assert.ok(await world.login(home.alice.email), 'at home alice is not concerned');
  }),
);

law('attack: many browsers of one who once had the password do not add up to many guesses', async () => {
  const world = createWebWorld();
  try {
    const home = await settle(world, 'home');
    const browsers = await Promise.all(
      Array.from({ length: 8 }, async (_, at) => {
        const browser = visitor(world, `198.51.100.${at}`);
        await browser.signIn(home.alice.email);
        return elsewhere(world, browser, `203.0.113.${at}`);
      }),
    );
    await crowd(world, home.alice.email);
    const statuses: number[] = [];
    for (const browser of browsers)
      for (let at = 0; at < 11; at += 1)
        statuses.push(
          (await browser.post('/login', { email: home.alice.email, password: `typo ${at}`, next: '/' }))
            .status,
        );
    assert.is(statuses.filter((status) => status === 400).length, 50);
  } finally {
    await world.stop();
  }
});

law('it is of that user alone, and two users of one browser are both known there', () =>
  withBrowser(async ({ world, home, browser }) => {
    await crowd(world, home.bob.email);
    const moved = elsewhere(world, browser);
    const bob = { email: home.bob.email, password: PASSWORD, next: '/' };
    assert.is((await moved.post('/login', bob)).status, 429, 'it is not known for bob');
    await browser.signIn(home.alice.email);
    await browser.post('/logout', {});
    const home2 = visitor(world, '192.0.2.1'); // where the world's users log in from
    for (const [name, value] of browser.cookies) home2.setCookie(name, value);
    await home2.signIn(home.bob.email);
    await home2.post('/logout', {});
    await crowd(world, home.alice.email);
    await elsewhere(world, home2).signIn(home.alice.email);
    await elsewhere(world, home2, '198.51.100.21').signIn(home.bob.email);
  }),
);

law('it opens nothing: neither as a token nor in place of a session', () =>
  withBrowser(async ({ world, home, browser }) => {
    const mark = browser.cookies.get(COOKIE) ?? '';
    isProblem(await world.as(mark).get('/api/auth/user'), 401, 10);
    isProblem(await world.nobody.post('/api/auth/token', { refreshToken: mark }), 401, 10);
    const thief = visitor(world, CAFE);
    thief.setCookie('claimd-session', mark);
    assert.is((await thief.get('/account')).to?.startsWith('/login'), true);
    const pair = await world.login(home.alice.email);
    await crowd(world, home.alice.email);
    for (const forged of [pair.token, pair.refreshToken, `${mark}x`, 'x'.repeat(3000), '~~~']) {
      const headers = { [HEADER]: forged, 'content-type': 'application/json' };
      const body = JSON.stringify({ username: home.alice.email, password: PASSWORD });
      isProblem(await world.as('', '203.0.113.98').send('POST', LOGIN, { headers, body }), 429, 33);
    }
  }),
);

law('what a neighbouring site sets in its place neither helps nor hinders', () =>
  withBrowser(async ({ world, home }) => {
    for (const junk of ['%E2%82%AC', '%0d%0aX: y', 'x'.repeat(10_000), '']) {
      const browser = visitor(world);
      browser.setCookie(COOKIE, junk);
      await browser.signIn(home.alice.email);
    }
  }),
);

law('codes of the second factor: somebody elsewhere who has the password does not shut the browser out', () =>
  withBrowser(async ({ world, home, browser }) => {
    const { token } = await world.login(home.alice.email);
    const config = '/api/2fa/account/config';
    const { authUrl } = (await world.as(token).post(`${config}/generate?providerType=TOTP`)).json as {
      authUrl: string;
    };
    const secret = totpSecretOf(authUrl) ?? '';
    const first = totpCode(secret, world.clock.now());
    await world.as(token).post(`${config}?verificationCode=${first}`, { providerType: 'TOTP', authUrl });
    world.clock.advance(60_000);
    const check = (code: string) =>
      `/api/auth/2fa/verification/check?providerType=TOTP&verificationCode=${code}`;
    for (let at = 0; at < 70; at += 1) {
      const from = `203.0.113.${Math.floor(at / 7)}`;
      const half = await world.as('', from).post(LOGIN, { username: home.alice.email, password: PASSWORD });
      await world.as((half.json as Tokens).token, from).post(check('000000'));
    }
    const moved = elsewhere(world, browser);
    const shown = await moved.post('/login', { email: home.alice.email, password: PASSWORD, next: '/' });
    const half = /name="token" value="([^"]+)"/.exec(shown.html)?.[1] ?? '';
    const code = totpCode(secret, world.clock.now());
    isProblem(await world.as(half, '203.0.113.97').post(check(code)), 429, 33);
    const entered = await moved.post('/login/code', { token: half, code, next: '/' });
    assert.is(entered.status, 303, entered.text);
    assert.ok(moved.cookies.has('claimd-session'));
  }),
);

run();
