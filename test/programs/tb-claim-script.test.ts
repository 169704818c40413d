/**
 * The script that ThingsBoard's own claim tests share (facts 6), in every variant of its table, over real sockets
 * against the whole server; and the cases that those tests leave out.
 *
 * A device opens a window for a millisecond; a customer is too late: FAILURE. The device opens another and leaves; the
 * customer claims it: SUCCESS, the device is that customer's; and once more: CLAIMED.
 */
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { unreachable } from '../../actors/base/unreachable.ts';
import { claimPath } from '../kit/api.ts';
import { makeCertificate } from '../kit/certificates.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { CLAIM_TOPIC, RawMqttClient } from '../kit/mqtt-client.ts';
import { patience } from '../kit/patience.ts';
import { findProgram, needing } from '../kit/programs.ts';
import { pause } from '../kit/until.ts';
import { agrees, coap, http, mqttConnect, mqttPublish, showReply, VERSION_OF } from '../wire/doors.ts';
import { DOORS, type Door, type Profile, type Seen } from '../wire/model.ts';
import { claimDevice, gatewayClaim } from '../wire/protobuf.ts';
import { createStage, type Stage, type StagedDevice } from '../wire/stage.ts';

type Payload = string | Buffer;

/** What a device sends twice, and what the customer shows; the second has to open the window. */
interface Variant {
  readonly what: string;
  readonly failing: Payload;
  readonly good: Payload;
  readonly body: string;
}

/** Long enough for a server-side key to be still to come when it is set. */
const SOON_MS = 1000;

const KEY = '{"secretKey":"value"}';
const NO_KEY = '{"secretKey":null}';

const JSON_VARIANTS: readonly Variant[] = [
  {
    what: 'JSON, with a secret',
    failing: '{"secretKey":"value","durationMs":1}',
    good: '{"secretKey":"value","durationMs":60000}',
    body: KEY,
  },
  { what: 'JSON, without secret and duration', failing: '{"durationMs":1}', good: '{}', body: NO_KEY },
];

const PROTOBUF_VARIANTS: readonly Variant[] = [
  {
    what: 'protobuf, with a secret',
    failing: claimDevice('value', 1),
    good: claimDevice('value', 60_000),
    body: KEY,
  },
  {
    what: 'protobuf, without a secret',
    failing: claimDevice('value', 1),
    good: claimDevice(),
    body: NO_KEY,
  },
  {
    what: 'protobuf, without a secret, its duration 0 and written',
    failing: claimDevice('value', 1),
    good: claimDevice(undefined, 0),
    body: NO_KEY,
  },
];

/** How devices of a profile go through a door, and what they hear there when all is well. */
interface Way {
  readonly door: Door;
  readonly profile: Profile;
  readonly variants: readonly Variant[];
}

const HEARD: Readonly<Record<Door, Seen>> = {
  'MQTT 3.1.1': 'PUBACK',
  'MQTT 5': 'PUBACK 0x00',
  HTTP: '200 empty',
  CoAP: '2.01',
};

const DEVICE_WAYS: readonly Way[] = [
  ...DOORS.map((door): Way => ({ door, profile: 'DEFAULT', variants: JSON_VARIANTS })),
  ...(['MQTT 3.1.1', 'MQTT 5'] as const).flatMap((door): Way[] => [
    { door, profile: 'MQTT JSON', variants: JSON_VARIANTS },
    { door, profile: 'MQTT PROTOBUF', variants: PROTOBUF_VARIANTS },
    { door, profile: 'MQTT PROTOBUF OR JSON', variants: [...PROTOBUF_VARIANTS, ...JSON_VARIANTS] },
  ]),
  { door: 'CoAP', profile: 'COAP JSON', variants: JSON_VARIANTS },
  { door: 'CoAP', profile: 'COAP PROTOBUF', variants: PROTOBUF_VARIANTS },
];

const GATEWAY_WAYS = (['MQTT 3.1.1', 'MQTT 5'] as const).flatMap((door) =>
  (
    [
      ['DEFAULT', JSON_VARIANTS],
      ['MQTT JSON', JSON_VARIANTS],
      ['MQTT PROTOBUF', PROTOBUF_VARIANTS],
      ['MQTT PROTOBUF OR JSON', PROTOBUF_VARIANTS],
    ] as const
  ).map(([profile, variants]) => ({ door, profile, variants })),
);

let stage: Stage;

/** Opens a session or none, sends, and ends it: a window must survive that. */
async function send(
  door: Door,
  { accessToken }: StagedDevice,
  payload: Payload,
  topic = CLAIM_TOPIC,
): Promise<Seen> {
  const { world } = stage;
  switch (door) {
    case 'MQTT 3.1.1':
    case 'MQTT 5': {
      const client = await RawMqttClient.open(world.mqttPort, VERSION_OF[door]);
      try {
        await mqttConnect(client, accessToken);
        const seen = await mqttPublish(client, { topic, payload, qos: 1 }, false);
        client.send({ cmd: 'disconnect' });
        await client.closed;
        return seen;
      } finally {
        await client.close();
      }
    }
    case 'HTTP':
      return http(`${world.url}/api/v1/${accessToken}/claim`, 'POST', payload);
    case 'CoAP':
      return coap(world, ['api', 'v1', accessToken, 'claim'], payload);
    default:
      return unreachable(door);
  }
}

const confirm = (token: string, name: string, body: string | undefined) =>
  http(`${stage.world.url}${claimPath(name)}`, 'POST', body, {
    'x-authorization': `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  });

const reclaim = (token: string, name: string) =>
  http(`${stage.world.url}${claimPath(name)}`, 'DELETE', undefined, { 'x-authorization': `Bearer ${token}` });

/** Longer than the shortest window. */
const untilElapsed = () => pause(10);

/** The script itself, whoever opens the window and however. */
async function playScript(
  name: string,
  body: string | undefined,
  open: (which: 'failing' | 'good') => Promise<void>,
): Promise<void> {
  const { api, customer } = stage;
  await open('failing');
  await untilElapsed();
  assert.is(await confirm(customer.token, name, body), '400 "FAILURE"');
  await open('good');
  const reply = await api.send(
    'POST',
    claimPath(name),
    customer.token,
    body === undefined ? {} : JSON.parse(body),
  );
  assert.is(showReply(reply.status, reply.body), '200 SUCCESS');
  assert.is(JSON.parse(reply.body).device.customerId.id, customer.id);
  assert.is(JSON.parse(reply.body).device.name, name);
  assert.is(await confirm(customer.token, name, body), '400 "CLAIMED"');
}

// ------------------------------------------------------------------------------------------- the script's variants

const script = suite('claim script');
script.before(async () => {
  stage = await createStage();
});
script.after(() => stage.stop());

for (const { door, profile, variants } of DEVICE_WAYS) {
  for (const variant of variants) {
    const what = `${door}, profile ${profile}: ${variant.what}`;
    script(what, async () => {
      const device = await stage.device({ name: `Test Claim device ${what}`, profile });
      await playScript(device.name, variant.body, async (which) => {
        assert.is(await send(door, device, variant[which]), HEARD[door]);
      });
    });
  }
}

for (const { door, profile, variants } of GATEWAY_WAYS) {
  for (const variant of variants) {
    const what = `${door}, gateway, profile ${profile}: ${variant.what}`;
    script(what, async () => {
      const gateway = await stage.device({ name: `Test Claim gateway ${what}`, profile, gateway: true });
      const name = `Test claiming gateway device ${what}`;
      assert.is(await stage.find(name), undefined);
      await playScript(name, variant.body, async (which) => {
        const payload = behind(name, variant[which]);
        assert.is(await send(door, gateway, payload, 'v1/gateway/claim'), HEARD[door]);
        assert.ok(await stage.find(name), 'it was created');
      });
    });
  }
}

function behind(name: string, claim: Payload): Payload {
  return typeof claim === 'string' ? `{${JSON.stringify(name)}:${claim}}` : gatewayClaim([name, claim]);
}

script('MQTT 5: JSON with a secret only, and no duration', async () => {
  const device = await stage.device({ name: 'Test Claim device MQTT 5' });
  assert.is(await send('MQTT 5', device, KEY), HEARD['MQTT 5']);
  assert.is(await confirm(stage.customer.token, device.name, KEY), '200 SUCCESS');
  assert.is(await confirm(stage.customer.token, device.name, KEY), '400 "CLAIMED"');
});

script.run();

// --------------------------------------------------------------------------- what ThingsBoard's own tests leave out

for (const allowed of [true, false]) {
  const rest = suite(`claim script: claiming is ${allowed ? '' : 'not '}allowed by default`);
  rest.before(async () => {
    const options = { 'security.claim.allowClaimingByDefault': String(allowed) };
    stage = await createStage({ options });
  });
  rest.after(() => stage.stop());

  const attributesOf = (device: StagedDevice) => `/api/plugins/telemetry/${device.id}/SERVER_SCOPE`;
  const setAttributes = (device: StagedDevice, attributes: object) =>
    stage.api.must('POST', attributesOf(device), stage.admin, attributes);
  const claimingAllowed = async ({ id }: StagedDevice): Promise<unknown> => {
    const path = `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SERVER_SCOPE?keys=claimingAllowed`;
    const [row] = await stage.api.get<{ value: unknown }[]>(path, stage.admin);
    return row?.value;
  };
  /** A device that may be claimed. */
  const claimable = async (): Promise<StagedDevice> => {
    const device = await stage.device();
    if (!allowed) await setAttributes(device, { claimingAllowed: true });
    return device;
  };
  const REFUSED: Readonly<Record<Door, Seen>> = {
    'MQTT 3.1.1': 'PUBACK',
    'MQTT 5': 'PUBACK 0x87',
    HTTP: '409 error 31 claiming is not allowed for this device',
    CoAP: '4.09 claiming-not-allowed',
  };

  for (const door of DOORS) {
    rest(`${door}: claiming is refused where it is not allowed`, async () => {
      const device = await stage.device();
      if (allowed) await setAttributes(device, { claimingAllowed: false });
      assert.is(await send(door, device, KEY), REFUSED[door]);
      // The text "true" is not true, and is refused.
      const path = `/api/plugins/telemetry/${device.id}/SERVER_SCOPE`;
      const text = await stage.api.send('POST', path, stage.admin, { claimingAllowed: 'true' });
      assert.is(text.status, 400);
      assert.is(await send(door, device, KEY), REFUSED[door]);
      assert.is(await confirm(stage.customer.token, device.name, KEY), '400 "FAILURE"');
      await setAttributes(device, { claimingAllowed: true });
      assert.is(await send(door, device, KEY), HEARD[door]);
      assert.is(await confirm(stage.customer.token, device.name, KEY), '200 SUCCESS');
      assert.is(await claimingAllowed(device), allowed ? true : undefined, 'used up where it was asked for');
    });

    rest(`${door}: forbidden after the window was opened, the device cannot be claimed`, async () => {
      const device = await claimable();
      assert.is(await send(door, device, KEY), HEARD[door]);
      await setAttributes(device, { claimingAllowed: false });
      assert.is(await confirm(stage.customer.token, device.name, KEY), '400 "FAILURE"');
      assert.is(await stage.ownerOf(device.id), null);
      await setAttributes(device, { claimingAllowed: true });
      assert.is(await confirm(stage.customer.token, device.name, KEY), '200 SUCCESS', 'the window stayed');
    });

    rest(`${door}: the second request while a window is open replaces it`, async () => {
      const device = await claimable();
      assert.is(await send(door, device, '{"secretKey":"first"}'), HEARD[door]);
      assert.is(await send(door, device, '{"secretKey":"second"}'), HEARD[door]);
      assert.is(await confirm(stage.customer.token, device.name, '{"secretKey":"first"}'), '400 "FAILURE"');
      assert.is(await confirm(stage.customer.token, device.name, '{"secretKey":"second"}'), '200 SUCCESS');
    });
  }

  rest('a wrong secret leaves the window to whoever has the right one', async () => {
    const device = await claimable();
    await send('HTTP', device, KEY);
    const { customer, otherCustomer } = stage;
    assert.is(await confirm(otherCustomer.token, device.name, '{"secretKey":"guess"}'), '400 "FAILURE"');
    assert.is(await confirm(customer.token, device.name, KEY), '200 SUCCESS');
    assert.is(await confirm(otherCustomer.token, device.name, KEY), '400 "CLAIMED"');
  });

  rest('a server-side key: the device sends nothing at all', async () => {
    const device = await stage.device();
    await playScript(device.name, KEY, async (which) => {
      const isGood = which === 'good';
      const saved = () => {
        const expirationTime = Date.now() + (isGood ? 60_000 : SOON_MS);
        const attributes = { claimingData: { secretKey: 'value', expirationTime } };
        return stage.api.send('POST', attributesOf(device), stage.admin, attributes);
      };
      let reply = await saved();
      // What is past when it arrives is refused, which a short time may be on a busy machine.
      for (const over = patience(); !isGood && reply.status === 400 && !over(); ) reply = await saved();
      assert.is(reply.status, 200, reply.body);
      if (!isGood) await pause(SOON_MS);
    });
    assert.is(await reclaim(stage.admin, device.name), '200 empty');
    assert.is(await confirm(stage.customer.token, device.name, KEY), '400 "FAILURE"', 'it is used up');
  });

  rest('a window and a server-side key at once: either works', async () => {
    for (const secretKey of ['of the device', 'of the tenant']) {
      const device = await claimable();
      await setAttributes(device, {
        claimingData: { secretKey: 'of the tenant', expirationTime: Date.now() + 60_000 },
      });
      await send('HTTP', device, '{"secretKey":"of the device"}');
      assert.is(
        await confirm(stage.customer.token, device.name, JSON.stringify({ secretKey })),
        '200 SUCCESS',
      );
    }
  });

  for (const who of ['customer', 'admin'] as const) {
    rest(`given back by the ${who}, it can be claimed again, by another`, async () => {
      const device = await claimable();
      await send('HTTP', device, KEY);
      await confirm(stage.customer.token, device.name, KEY);
      assert.is(
        await reclaim(who === 'admin' ? stage.admin : stage.customer.token, device.name),
        '200 empty',
      );
      assert.is(await stage.ownerOf(device.id), null);
      assert.is(await claimingAllowed(device), allowed ? undefined : true);
      assert.is(await confirm(stage.otherCustomer.token, device.name, KEY), '400 "FAILURE"', 'no window yet');
      assert.is(await send('HTTP', device, KEY), HEARD.HTTP);
      assert.is(await confirm(stage.otherCustomer.token, device.name, KEY), '200 SUCCESS');
      assert.is(await stage.ownerOf(device.id), stage.otherCustomer.id);
    });
  }

  rest("another customer cannot give it back, nor close another's window", async () => {
    const device = await claimable();
    await send('HTTP', device, KEY);
    assert.is(await reclaim(stage.otherCustomer.token, device.name), '200 empty');
    assert.is(await confirm(stage.customer.token, device.name, KEY), '200 SUCCESS');
    assert.ok(agrees(await reclaim(stage.otherCustomer.token, device.name), '403 error 20'));
    assert.is(await stage.ownerOf(device.id), stage.customer.id);
  });

  rest('a claim without a body is one with the empty secret', async () => {
    const device = await claimable();
    await playScript(device.name, undefined, async (which) => {
      await send('HTTP', device, which === 'good' ? '{}' : '{"durationMs":1}');
    });
    const other = await claimable();
    await send('HTTP', other, '');
    assert.is(await confirm(stage.customer.token, other.name, undefined), '200 SUCCESS');
  });

  rest.run();
}

// ----------------------------------------------------------------------------------------------------------- X.509

const x509 = suite('claim script: X.509');
const folder = temporaryFolder();
x509.before(async () => {
  if (findProgram('openssl') === undefined) return;
  const { cert, key } = makeCertificate(folder, 'server');
  stage = await createStage({
    options: {
      'transport.mqtt.ssl.enabled': 'true',
      'transport.mqtt.ssl.bind_address': '127.0.0.1',
      'transport.mqtt.ssl.bind_port': '0',
      'transport.mqtt.ssl.credentials.pem.cert_file': cert,
      'transport.mqtt.ssl.credentials.pem.key_file': key,
    },
  });
});
x509.after(async () => {
  if (findProgram('openssl') !== undefined) await stage.stop();
});

for (const protocolVersion of [4, 5] as const) {
  needing(['openssl'], x509)(
    `MQTT ${protocolVersion === 5 ? '5' : '3.1.1'} over TLS, known by its certificate`,
    async () => {
      const name = `Test Claim device X.509 ${protocolVersion}`;
      const files = makeCertificate(folder, `device-${protocolVersion}`);
      const cert = readFileSync(files.cert);
      await stage.api.post('/api/device-with-credentials', stage.admin, {
        device: { name },
        credentials: { credentialsType: 'X509_CERTIFICATE', credentialsValue: cert.toString() },
      });
      const port = stage.world.system.addresses.mqttTls?.port ?? 0;
      await playScript(name, KEY, async (which) => {
        const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${port}`, {
          cert,
          key: readFileSync(files.key),
          protocolVersion,
          rejectUnauthorized: false, // the server's certificate names no host
          reconnectPeriod: 0,
        });
        const payload = { secretKey: 'value', durationMs: which === 'good' ? 60_000 : 1 };
        await client.publishAsync(CLAIM_TOPIC, JSON.stringify(payload), { qos: 1 });
        await client.endAsync();
      });
    },
  );
}

x509.run();
