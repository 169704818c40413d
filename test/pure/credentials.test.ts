/** How devices prove who they are: what they show is as in ThingsBoard (facts 2.1), and is stored as keyed digests, tokens and passwords sealed. */
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import { createSecrets } from '../../actors/base/secret.ts';
import {
  accessToken,
  type MqttBasicParts,
  matchesMqttBasic,
  mqttBasic,
  mqttBasicParts,
  shownBy,
  shownByCertificate,
  shownByMqtt,
  tokenOf,
  x509,
} from '../../actors/fleet/credentials.ts';
import { CERTIFICATE } from '../kit/certificate.ts';
import { DEVICE, idOf } from '../kit/given.ts';

const secrets = createSecrets(Buffer.alloc(32, 7));
const sha3 = (text: string) => createHash('sha3-256').update(text).digest('hex');

function basic(parts: MqttBasicParts) {
  const made = mqttBasic(secrets, DEVICE, parts);
  if (made === undefined) throw new Error('no credentials');
  return made;
}

test('credentials: MQTT basic is found by the digest of both parts, by that of the client id, or by the user name', () => {
  for (const [parts, shown] of [
    [{ clientId: 'c', userName: 'u', password: 'p' }, sha3('c|u')],
    [{ clientId: 'c' }, sha3('c')],
    [{ userName: 'u' }, 'u'],
  ] as const) {
    const made = basic(parts);
    assert.is(made.credentialsId, secrets.credentialsId(shown));
    assert.is(shownBy(secrets, DEVICE, made), shown, 'as ThingsBoard calls it');
  }
  assert.is(shownByMqtt('c', 'u'), sha3('c|u'));
});

test('credentials: MQTT basic needs a client id or a user name, and a user name for a password', () => {
  for (const parts of [
    {},
    { clientId: '', userName: null },
    { password: 'p' },
    { clientId: 'c', password: 'p' },
  ]) {
    assert.is(mqttBasic(secrets, DEVICE, parts), undefined, JSON.stringify(parts));
  }
});

test('credentials: the password is sealed for its device, and can be read back with it', () => {
  const made = basic({ clientId: 'c', userName: 'u', password: 'hush' });
  assert.not.match(JSON.stringify(made), /hush/);
  const parts = { clientId: 'c', userName: 'u', password: 'hush' };
  assert.equal(mqttBasicParts(secrets, DEVICE, made), parts);
  assert.is(mqttBasicParts(secrets, idOf<DeviceId>(2), made), undefined);
  assert.is(matchesMqttBasic(secrets, idOf<DeviceId>(2), made, parts), 'unreadable', 'and not: any will do');
});

test('credentials: a token is stored as a digest and sealed for its device; who has the key reads it', () => {
  const made = accessToken(secrets, DEVICE, 'a token of a device');
  assert.not.match(JSON.stringify(made), /a token/);
  assert.is(tokenOf(secrets, DEVICE, made), 'a token of a device');
  assert.is(tokenOf(secrets, idOf<DeviceId>(2), made), null);
  const stranger = createSecrets(Buffer.alloc(32, 8));
  assert.is(tokenOf(stranger, DEVICE, made), null);
  assert.is.not(stranger.credentialsId('a token of a device'), made.credentialsId);
});

test('credentials: every part that is set must match, the rest may be anything', () => {
  const all = { clientId: 'c', userName: 'u', password: 'p' };
  const matches = (set: MqttBasicParts, said: MqttBasicParts) =>
    matchesMqttBasic(secrets, DEVICE, basic(set), said);
  assert.ok(matches(all, all));
  for (const part of ['clientId', 'userName', 'password']) {
    assert.not.ok(matches(all, { ...all, [part]: 'other' }), part);
    assert.not.ok(matches(all, { ...all, [part]: undefined }), part);
  }
  assert.ok(matches({ clientId: 'c' }, { clientId: 'c', userName: 'x', password: 'y' }));
  assert.ok(matches({ userName: 'u' }, { userName: 'u' }));
});

test('credentials: a certificate is found by the digest of its base64, however it was written', () => {
  const base64 = CERTIFICATE;
  const der = Buffer.from(base64, 'base64');
  const lines = base64.match(/.{1,64}/g)?.join('\r\n');
  const pem = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  for (const text of [base64, pem]) {
    const credentialsId = secrets.credentialsId(sha3(base64));
    const made = x509(secrets, text);
    assert.equal(made, { type: 'X509_CERTIFICATE', credentialsId, certificate: base64 });
    assert.is(made && shownBy(secrets, DEVICE, made), sha3(base64));
  }
  assert.is(shownByCertificate(der), sha3(base64));
});

test('credentials: a text that no client could show is not a certificate', () => {
  const der = Buffer.from(CERTIFICATE, 'base64');
  for (const text of [
    '',
    '-----BEGIN CERTIFICATE-----',
    'no certificate!',
    '{"a":1}',
    Buffer.from('base64 of anything').toString('base64'),
    der.subarray(0, -1).toString('base64'),
    Buffer.concat([der, Buffer.from('behind it')]).toString('base64'),
    `${CERTIFICATE}\n${CERTIFICATE}`, // a chain
    CERTIFICATE.replaceAll('+', '-').replaceAll('/', '_'), // base64url, which Node would read as well
  ]) {
    assert.is(x509(secrets, text), undefined);
  }
});

test.run();
