/** How devices prove who they are: the ids are ThingsBoard's (facts 2.1), passwords are sealed. */
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceId } from '../../actors/base/ids.ts';
import { createSecrets } from '../../actors/base/secret.ts';
import {
  type MqttBasicParts,
  matchesMqttBasic,
  mqttBasic,
  mqttBasicId,
  mqttBasicParts,
  x509,
  x509Id,
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
  assert.is(basic({ clientId: 'c', userName: 'u', password: 'p' }).credentialsId, sha3('c|u'));
  assert.is(basic({ clientId: 'c' }).credentialsId, sha3('c'));
  assert.is(basic({ userName: 'u' }).credentialsId, 'u');
  assert.is(mqttBasicId('c', 'u'), sha3('c|u'));
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
  assert.equal(mqttBasicParts(secrets, DEVICE, made), { clientId: 'c', userName: 'u', password: 'hush' });
  assert.throws(() => mqttBasicParts(secrets, idOf<DeviceId>(2), made));
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
    assert.equal(x509(text), { type: 'X509_CERTIFICATE', credentialsId: sha3(base64), certificate: base64 });
  }
  assert.is(x509Id(der), sha3(base64));
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
    assert.is(x509(text), undefined);
  }
});

test.run();
