/** Who may connect: tokens, MQTT_BASIC credentials, and the transport of the profile (facts 2.1, 2.2). */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DeviceId, newId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import { createSecrets } from '../../actors/base/secret.ts';
import {
  type MqttBasicParts,
  mqttBasic,
  shownByCertificate,
  shownByMqtt,
  x509,
} from '../../actors/fleet/credentials.ts';
import type { TransportConfiguration } from '../../actors/fleet/profiles.ts';
import { type MqttScene, VERSION_NAME, withMqtt } from '../contract/transport-mqtt.ts';
import { TENANT } from '../contract/transport-world.ts';
import { CERTIFICATE } from '../kit/certificate.ts';
import { claimPacket, connectPacket, type Version } from '../kit/mqtt-client.ts';

/** The return code of CONNACK. */
async function connack(
  { open }: MqttScene,
  version: Version,
  said: MqttBasicParts,
): Promise<number | undefined> {
  const client = await open(version);
  const { clientId = '', userName, password } = said;
  client.send(
    connectPacket(version, userName ?? undefined, {
      clientId: clientId ?? '',
      ...(password == null ? {} : { password: Buffer.from(password) }),
    }),
  );
  const { returnCode, reasonCode } = await client.next('connack');
  await client.close();
  return version === 5 ? reasonCode : returnCode;
}

async function provisionBasic(
  { world }: MqttScene,
  parts: MqttBasicParts,
  secrets = world.secrets,
): Promise<void> {
  // The password is sealed for the device's id, which so has to be known first.
  const id = newId<DeviceId>(Date.now());
  const credentials = mqttBasic(secrets, id, parts);
  if (credentials === undefined) throw new Error('no credentials');
  const answer = await world.devices.ask(id, {
    type: 'ProvisionDevice',
    tenantId: TENANT,
    name: `basic ${id}`,
    deviceType: 'default',
    label: null,
    additionalInfo: null,
    credentials,
    customerId: null,
  });
  assert.is(answer.type, 'accepted');
}

const ALL = { clientId: 'c', userName: 'u', password: 'p' };

test('mqtt: credentials: a password that a dropped key has sealed lets that device in no more, and nobody else is concerned', () => {
  const lines: string[] = [];
  const log = { ...silentLog, warn: (_fields: object, message: string) => lines.push(message) };
  const story = async (scene: MqttScene) => {
    const { sealCredential } = createSecrets(Buffer.alloc(32, 99));
    await provisionBasic(scene, ALL, { ...scene.world.secrets, sealCredential });
    await provisionBasic(scene, { ...ALL, clientId: 'other' });
    assert.is(await connack(scene, 5, ALL), 0x86);
    assert.is(await connack(scene, 4, ALL), 5);
    assert.is(await connack(scene, 5, { ...ALL, clientId: 'other' }), 0);
    assert.match(lines.join(), "set the device's credentials again");
    assert.not.match(lines.join(), 'bug');
  };
  return withMqtt({}, story, { log });
});

for (const version of [4, 5] as const) {
  const name = VERSION_NAME[version];
  const wrong = version === 5 ? 0x86 : 5;

  test(`mqtt ${name}: credentials: all three parts are needed`, () =>
    withMqtt({}, async (scene) => {
      await provisionBasic(scene, ALL);
      assert.is(await connack(scene, version, ALL), 0);
      assert.is(await connack(scene, version, { ...ALL, password: 'x' }), wrong);
      assert.is(await connack(scene, version, { ...ALL, password: null }), wrong);
      assert.is(await connack(scene, version, { ...ALL, clientId: 'x' }), wrong);
      assert.is(await connack(scene, version, { ...ALL, userName: 'x' }), wrong);
    }));

  test(`mqtt ${name}: credentials: a client id alone`, () =>
    withMqtt({}, async (scene) => {
      await provisionBasic(scene, { clientId: 'c' });
      assert.is(await connack(scene, version, { clientId: 'c' }), 0);
      assert.is(await connack(scene, version, { clientId: 'x' }), version === 5 ? 0x85 : 2);
      assert.is(await connack(scene, version, {}), version === 5 ? 0x87 : 5);
    }));

  test(`mqtt ${name}: credentials: a user name and a password, with any client id`, () =>
    withMqtt({}, async (scene) => {
      await provisionBasic(scene, { userName: 'u', password: 'p' });
      assert.is(await connack(scene, version, ALL), 0);
      assert.is(await connack(scene, version, { ...ALL, clientId: 'any' }), 0);
      assert.is(await connack(scene, version, { ...ALL, password: 'x' }), wrong);
      assert.is(await connack(scene, version, { clientId: 'c', userName: 'u' }), wrong);
    }));

  test(`mqtt ${name}: credentials: both parts come before a token, and a wrong password ends the search`, () =>
    withMqtt({}, async (scene) => {
      await provisionBasic(scene, ALL);
      await scene.world.provision('u');
      assert.is(await connack(scene, version, { ...ALL, password: 'x' }), wrong);
      assert.is(await connack(scene, version, { ...ALL, clientId: 'x', password: 'x' }), 0); // the token
    }));

  test(`mqtt ${name}: credentials: the ids of other credentials are no tokens`, () =>
    withMqtt({}, async (scene) => {
      const certificate = x509(scene.world.secrets, CERTIFICATE);
      if (certificate === undefined) throw new Error('no certificate');
      await scene.world.provision('X', { credentials: certificate });
      assert.is(
        await connack(scene, version, {
          clientId: 'c',
          userName: shownByCertificate(Buffer.from(CERTIFICATE, 'base64')),
        }),
        wrong,
      );
      await provisionBasic(scene, ALL);
      const id = shownByMqtt(ALL.clientId, ALL.userName);
      assert.is(await connack(scene, version, { clientId: 'x', userName: id }), wrong);
    }));
}

async function withProfile(
  { world }: MqttScene,
  transport: TransportConfiguration,
  token: string,
): Promise<DeviceId> {
  const profile = await world.profiles.create(TENANT, {
    name: token,
    description: null,
    transport,
    more: null,
  });
  if (profile.type !== 'done') throw new Error(profile.reason);
  return world.provision(token, { profileId: profile.value.id });
}

const MQTT = { type: 'MQTT', jsonCompatible: false, ackMalformed: false } as const;
/** ClaimDevice { secretKey "value" durationMs 60000 } */
const PROTO = Buffer.from('0a0576616c756510e0d403', 'hex');
const JSON_CLAIM = '{"secretKey":"value","durationMs":60000}';

test('mqtt: formats: as the profile says, unless the topic says it', () =>
  withMqtt({}, async (scene) => {
    await scene.world.provision('plain');
    await withProfile(scene, { ...MQTT, payloadType: 'PROTOBUF' }, 'proto');
    await withProfile(scene, { ...MQTT, payloadType: 'PROTOBUF', jsonCompatible: true }, 'both');
    await withProfile(scene, { ...MQTT, payloadType: 'JSON' }, 'json');
    const formats = {
      plain: { 'v1/devices/me/claim': 'json', 'v2/c': 'json', 'v2/c/j': 'json', 'v2/c/p': 'proto' },
      json: { 'v1/devices/me/claim': 'json', 'v2/c': 'json', 'v2/c/j': 'json', 'v2/c/p': 'proto' },
      proto: { 'v1/devices/me/claim': 'proto', 'v2/c': 'proto', 'v2/c/j': 'json', 'v2/c/p': 'proto' },
      both: { 'v1/devices/me/claim': 'both', 'v2/c': 'both', 'v2/c/j': 'json', 'v2/c/p': 'proto' },
    };
    for (const [token, topics] of Object.entries(formats)) {
      const client = await scene.connect(5, token);
      for (const [topic, format] of Object.entries(topics)) {
        for (const [kind, payload] of [
          ['json', JSON_CLAIM],
          ['proto', PROTO],
        ] as const) {
          client.send({ ...claimPacket(1, 1, payload), topic });
          const expected = format === 'both' || format === kind ? 0 : 0x99;
          assert.is((await client.next('puback')).reasonCode ?? 0, expected, `${token} ${topic} ${kind}`);
        }
      }
    }
  }));

test.run();
