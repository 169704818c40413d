/** Where requests of this server may go, and how they are signed. That the connection keeps to it is in `sockets/outbound`. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AddressFilter,
  createAddressFilter,
  OUTBOUND_DEFAULTS,
} from '../../actors/outbound/addresses.ts';
import { parseSigningSecret, signedHeaders } from '../../actors/outbound/signature.ts';

const strict = createAddressFilter(OUTBOUND_DEFAULTS);
const passes = (filter: AddressFilter, text: string) => filter.checkUrl(text) instanceof URL;

test('outbound: public addresses and names are allowed', () => {
  for (const url of [
    'https://example.com/hook?a=b',
    'https://example.com:8443/',
    'https://93.184.216.34/',
    'https://[2606:2800:220:1:248:1893:25c8:1946]/',
    'https://internal.example.com/',
    'https://mylocal/', // a name of one part, which does not end in a dot and "local"
  ]) {
    assert.ok(passes(strict, url), url);
  }
});

test('outbound: addresses that are not public are refused, however they are written', () => {
  for (const host of [
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '127.0.0.1.',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '[::]',
    '[::1]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::ffff:169.254.169.254]',
    '[::ffff:0:127.0.0.1]',
    '[::ffff:0:a9fe:a9fe]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b::169.254.169.254]',
    '[64:ff9b:1::1]',
    '[100::1]',
    '[100:0:0:1::1]',
    '[2001::1]',
    '[2001:2::1]',
    '[2001:20::1]',
    '[2001:db8::1]',
    '[2002:7f00:1::]',
    '[3fff::1]',
    '[5f00::1]',
    '[fc00::1]',
    '[fd12:3456::1]',
    '[fe80::1]',
    '[fec0::1]',
    '[ff02::1]',
  ]) {
    assert.is(strict.checkUrl(`https://${host}/`), 'it leads to an address that is not public', host);
  }
});

test('outbound: names that mean the inside are refused', () => {
  for (const host of [
    'localhost',
    'LOCALHOST',
    'localhost.',
    'api.localhost',
    'db.internal',
    'printer.local',
    'host.localdomain',
    'nas.home.arpa',
    'metadata.google.internal',
    'metadata.tencentyun.com',
    'metadata',
  ]) {
    assert.not.ok(passes(strict, `https://${host}/`), host);
  }
});

test('outbound: only https, without user and password, and a URL at all', () => {
  for (const url of [
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://example.com/',
    'https://user@example.com/',
    'https://:secret@example.com/',
    'https://',
    'example.com',
    '',
    '//example.com/',
    'https://exa mple.com/',
  ]) {
    assert.not.ok(passes(strict, url), url);
  }
  const lax = createAddressFilter({ allowedNetworks: [], allowHttp: true });
  assert.ok(passes(lax, 'http://example.com/'));
  assert.not.ok(passes(lax, 'http://127.0.0.1/'));
});

test('outbound: a network that is named is allowed, and no other', () => {
  const lan = createAddressFilter({
    allowedNetworks: ['10.1.0.0/16', 'fd00::/8', '127.0.0.1'],
    allowHttp: false,
  });
  for (const address of ['10.1.2.3', 'fd00::1', '127.0.0.1', '::ffff:10.1.2.3'])
    assert.ok(lan.isAllowed(address), address);
  for (const address of ['10.2.0.1', 'fc00::1', '127.0.0.2', '169.254.169.254', 'name', '']) {
    assert.not.ok(lan.isAllowed(address), address);
  }
  assert.ok(passes(lan, 'https://hooks.internal/')); // its addresses decide
  assert.not.ok(passes(lan, 'https://metadata.google.internal/'));
  for (const wrong of ['10.0.0.0/33', '10.0.0/8', 'lan', '::/129', '10.0.0.0/x', '10.0.0.0/', '']) {
    assert.throws(() => createAddressFilter({ allowedNetworks: [wrong], allowHttp: false }), /is no network/);
  }
});

test('outbound: what is sent is signed as Standard Webhooks says', () => {
  const key = parseSigningSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  assert.ok(key);
  const signed = signedHeaders(
    [key],
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    1_614_265_330_999,
    '{"test": 2432232314}',
  );
  assert.equal(signed, {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
  const both = signedHeaders([key, Buffer.alloc(24)], 'id', 0, '')['webhook-signature'];
  assert.match(both, /^v1,\S+= v1,\S+=$/);
});

test('outbound: a signing secret has 24 to 64 bytes', () => {
  const secret = (bytes: number) => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`;
  for (const bytes of [24, 32, 64]) assert.is(parseSigningSecret(secret(bytes))?.length, bytes);
  for (const wrong of [
    secret(23),
    secret(65),
    'whsec_',
    'secret',
    `whsk_${'A'.repeat(32)}`,
    `whsec_${'!'.repeat(40)}`,
  ]) {
    assert.is(parseSigningSecret(wrong), undefined, wrong);
  }
});

test.run();
