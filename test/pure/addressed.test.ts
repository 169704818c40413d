/** How this server was addressed: one answer for links, cookies and checks of Origin, whatever stands in front. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addressedBy } from '../../http/wire/addressed.ts';
import { processorMs } from '../kit/cost.ts';

type Headers = Record<string, string>;

function seen(
  headers: Headers,
  trustedProxies = 1,
  url = 'http://10.0.0.5:8080/x',
  baseUrl: string | null = null,
) {
  return addressedBy((name) => headers[name], url, { baseUrl, trustedProxies });
}
const baseOf = (headers: Headers, trustedProxies?: number) => seen(headers, trustedProxies).base;

test('addressed: without a proxy the request says it, and no header does', () => {
  const headers = {
    forwarded: 'proto=https;host=evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-prefix': '/evil',
  };
  assert.equal(seen(headers, 0), { base: 'http://10.0.0.5:8080', host: '10.0.0.5:8080', secure: false });
});

test('addressed: a configured base URL is what links begin with, and makes cookies secure', () => {
  const addressed = seen({}, 0, 'http://10.0.0.5:8080/x', 'https://claim.example.org/shop');
  assert.equal(addressed, { base: 'https://claim.example.org/shop', host: '10.0.0.5:8080', secure: true });
});

for (const [what, headers, base] of [
  ['the scheme alone', { 'x-forwarded-proto': 'https' }, 'https://10.0.0.5:8080'],
  [
    'any case',
    { 'x-forwarded-proto': 'HTTPS', 'x-forwarded-host': 'Claim.Example.org' },
    'https://claim.example.org',
  ],
  [
    'host and port',
    { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'a.example', 'x-forwarded-port': '8443' },
    'https://a.example:8443',
  ],
  [
    'the usual port',
    { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'a.example', 'x-forwarded-port': '443' },
    'https://a.example',
  ],
  [
    'a prefix',
    { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'a.example', 'x-forwarded-prefix': '/claimd/' },
    'https://a.example/claimd',
  ],
  ['RFC 7239', { forwarded: 'for=192.0.2.1; Proto="https";HOST="a.example:8443"' }, 'https://a.example:8443'],
  ['an IPv6 host', { 'x-forwarded-host': '[2001:db8::1]:81' }, 'http://[2001:db8::1]:81'],
  ['a list of one proxy', { 'x-forwarded-proto': 'http, https' }, 'https://10.0.0.5:8080'],
] as [string, Headers, string][]) {
  test(`addressed: a trusted proxy says ${what}`, () => assert.is(baseOf(headers), base));
}

test('addressed: of several proxies the outermost trusted one counts, not what a client made up', () => {
  const headers = {
    'x-forwarded-proto': 'ftp, https, http',
    'x-forwarded-host': 'evil.example, shop.example, inner.example',
  };
  assert.is(baseOf(headers, 2), 'https://shop.example');
  assert.is(baseOf(headers, 1), 'http://inner.example');
});

test('addressed: what is no host, scheme, port or path is left out', () => {
  for (const bad of ['evil.example/x', 'a b', '"><script>', 'user@evil.example', '', 'a.example:99999999']) {
    assert.is(baseOf({ 'x-forwarded-host': bad }), 'http://10.0.0.5:8080', bad);
  }
  for (const bad of ['//evil.example', 'evil', '/a b', '/"x', '/a//b'])
    assert.is(baseOf({ 'x-forwarded-prefix': bad }), 'http://10.0.0.5:8080', bad);
  for (const bad of ['javascript', 'https:', 'wss'])
    assert.not(seen({ 'x-forwarded-proto': bad }).secure, bad);
});

test('attack: a header full of slashes costs next to nothing', async () => {
  const tookMs = await processorMs(() => {
    const prefix = `${'/'.repeat(100_000)}x`;
    assert.is(baseOf({ 'x-forwarded-prefix': prefix }), 'http://10.0.0.5:8080');
  });
  assert.ok(tookMs < 1_000, `${tookMs} ms`);
});

test.run();
