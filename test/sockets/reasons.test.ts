/**
 * Every refusal over its doors: each reason of the catalogue is brought about in a running server, and whoever is entitled
 * to it hears its code. A new reason does not compile until it has a scene here.
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type EdgeReason, REASONS } from '../../actors/claiming/reasons.ts';
import type { RefusalReason } from '../../actors/device/messages.ts';
import type { KitReason } from '../../actors/kits/model.ts';
import { claimPath } from '../kit/api.ts';
import { RawCoapClient, uriPath } from '../kit/coap-client.ts';
import { CLAIM_RESPONSE_TOPIC, CLAIM_TOPIC, RawMqttClient } from '../kit/mqtt-client.ts';
import { pause, until } from '../kit/until.ts';
import { CODES, deviceReasonsTable, peopleReasonsTable } from '../wire/reasons.ts';
import { createStage, type Stage, type StagedDevice } from '../wire/stage.ts';

let stage: Stage;
let url: string;

// ----------------------------------------------------------------------------------------------------------- doors

/** What is said in front of the words. */
const codeOf = (told: string) => told.split(':')[0] ?? '';

const reasonIn = (body: string) => String((JSON.parse(body) as { reason?: string }).reason);

async function overHttp({ accessToken }: StagedDevice, payload: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/${accessToken}/claim`, { method: 'POST', body: payload });
  return reasonIn(await answer.text());
}

async function overCoap({ accessToken }: StagedDevice, payload: string): Promise<string> {
  const client = await RawCoapClient.open(stage.world.coapPort);
  try {
    const options = [...uriPath('api', 'v1', accessToken, 'claim')];
    const answer = await client.request({ code: 2, options, payload: Buffer.from(payload) });
    return codeOf(answer.payload.toString());
  } finally {
    await client.close();
  }
}

interface Published {
  /** In the reason string of the PUBACK. */
  readonly string: string;
  /** On the response topic; undefined: nothing came. */
  readonly message: { readonly reason?: string } | undefined;
}

async function overMqtt(
  { accessToken }: StagedDevice,
  payload: string,
  topics: readonly [string, string] = [CLAIM_TOPIC, CLAIM_RESPONSE_TOPIC],
): Promise<Published> {
  const client = await RawMqttClient.connect(stage.world.mqttPort, 5, accessToken);
  try {
    await client.subscribe(topics[1], 0);
    const packet = {
      cmd: 'publish',
      topic: topics[0],
      qos: 1,
      messageId: 7,
      dup: false,
      retain: false,
    } as const;
    client.send({ ...packet, payload });
    const { properties } = await client.next('puback');
    const [message] = (await client.untilPong()).filter(({ cmd }) => cmd === 'publish');
    const told = message?.cmd === 'publish' ? JSON.parse(message.payload.toString()) : undefined;
    return { string: codeOf(String(properties?.reasonString)), message: told };
  } finally {
    await client.close();
  }
}

/** The device hears the code on every door. */
async function deviceHears(device: StagedDevice, code: string, payload = '{}'): Promise<void> {
  assert.is(await overHttp(device, payload), code, 'HTTP');
  assert.is(await overCoap(device, payload), code, 'CoAP');
  const { string, message } = await overMqtt(device, payload);
  assert.is(string, code, 'MQTT 5');
  // What cannot be read at all is not answered on the response topic.
  if (code !== 'malformed') assert.is(message?.reason, code, 'response topic');
}

async function gatewayHears(
  gateway: StagedDevice,
  name: string,
  code: string,
  payload: object = {},
): Promise<void> {
  const topics = ['v1/gateway/claim', 'v1/gateway/claim/response'] as const;
  const { string, message } = await overMqtt(gateway, JSON.stringify({ [name]: payload }), topics);
  assert.is(string, code, 'MQTT 5');
  const entries = message as Readonly<Record<string, { reason?: string }>> | undefined;
  assert.is(entries?.[name]?.reason, code, 'response topic');
}

/** Of a claim: in the header, beside FAILURE and CLAIMED. */
async function claimerHears(
  token: string,
  { name }: Pick<StagedDevice, 'name'>,
  secretKey: string,
  code: string,
) {
  const answer = await fetch(`${url}${claimPath(name)}`, {
    method: 'POST',
    headers: { 'X-Authorization': `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ secretKey }),
  });
  assert.is(answer.headers.get('claim-refusal'), code);
  assert.match(await answer.text(), /^"(FAILURE|CLAIMED)"$/);
}

/** In the body, beside ThingsBoard's sentence. */
async function callerHears(
  token: string | undefined,
  method: string,
  path: string,
  code: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<void> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { 'X-Authorization': `Bearer ${token}` }),
      'Content-Type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.status >= 400, `${answer.status} ${text}`);
  assert.is(answer.headers.get('refusal-reason'), code, text);
  // ThingsBoard answers about attributes in plain text.
  if (text.startsWith('{')) assert.is(reasonIn(text), code, text);
}

// ---------------------------------------------------------------------------------------------------------- scenes

const attributes = ({ id }: StagedDevice) => `/api/plugins/telemetry/${id}/SERVER_SCOPE`;
const forbid = (device: StagedDevice) => stage.bringAbout(device, 'it may not be claimed');

async function owned(by = stage.customer): Promise<StagedDevice> {
  const device = await stage.device();
  await stage.assign(device, by);
  return device;
}

/** Plays on a stage with other options. */
async function under(options: Readonly<Record<string, string>>, play: () => Promise<void>): Promise<void> {
  const here = [stage, url] as const;
  stage = await createStage({ options });
  url = stage.world.url;
  try {
    await play();
  } finally {
    await stage.stop();
    [stage, url] = here;
  }
}

/**
 * `never`: nobody hears it; why is in the catalogue. `elsewhere`: the file where it is heard, for what takes more than a few
 * lines to bring about.
 */
type Scene = 'never' | (() => Promise<void>) | { readonly elsewhere: string };

const ATTACKS = { elsewhere: 'test/programs/ownership-attacks.test.ts' };
const KITS = { elsewhere: 'test/pure/rest-kits.test.ts' };
const PROOFS = { elsewhere: 'test/pure/rest-proofs.test.ts' };

const SCENES: { readonly [Code in RefusalReason | EdgeReason | KitReason]: Scene } = {
  async 'already-claimed'() {
    const device = await owned();
    await deviceHears(device, 'already-claimed');
    await gatewayHears(await stage.device({ gateway: true }), device.name, 'already-claimed');
    await claimerHears(stage.otherCustomer.token, device, '', 'already-claimed');
  },
  async 'already-yours'() {
    await claimerHears(stage.customer.token, await owned(), '', 'already-yours');
  },
  async 'claiming-not-allowed'() {
    const device = await stage.device();
    await forbid(device);
    await deviceHears(device, 'claiming-not-allowed');
    await gatewayHears(await stage.device({ gateway: true }), device.name, 'claiming-not-allowed');
    await claimerHears(stage.customer.token, device, '', 'claiming-not-allowed');
  },
  async 'duration-too-long'() {
    await deviceHears(await stage.device(), 'duration-too-long', '{"durationMs":600001}');
  },
  async 'duration-out-of-range'() {
    await deviceHears(await stage.device(), 'malformed', `{"durationMs":${Number.MAX_SAFE_INTEGER}}`);
  },
  async 'secret-too-short'() {
    const here = [stage, url] as const;
    stage = await createStage({ options: { 'security.claim.minSecretLength': '4' } });
    url = stage.world.url;
    try {
      await deviceHears(await stage.device(), 'secret-too-short', '{"secretKey":"abc"}');
    } finally {
      await stage.stop();
      [stage, url] = here;
    }
  },
  superseded: { elsewhere: 'test/programs/mqtt-bridge.test.ts' },
  async 'rate-limited'() {
    const device = await stage.device();
    for (let n = 0; n < WINDOWS_MAX; n += 1) await stage.api.initiate(device.accessToken, {});
    await deviceHears(device, 'rate-limited');
    // What gateways open is counted apart from what the device itself opens.
    const gateway = await stage.device({ gateway: true });
    const topics = ['v1/gateway/claim', 'v1/gateway/claim/response'] as const;
    for (let n = 0; n < WINDOWS_MAX; n += 1)
      await overMqtt(gateway, JSON.stringify({ [device.name]: {} }), topics);
    await gatewayHears(gateway, device.name, 'rate-limited');
  },
  async malformed() {
    await deviceHears(await stage.device(), 'malformed', '{"secretKey":{}}');
    const gateway = await stage.device({ gateway: true });
    await gatewayHears(gateway, 'X', 'malformed', { secretKey: {} });
  },
  async 'name-not-visible'() {
    await gatewayHears(await stage.device({ gateway: true }), 'evil\u202e', 'name-not-visible');
  },
  // Last, since it keeps everybody at this address out.
  async 'too-many-wrong-tokens'() {
    const nobody = { id: '', name: '', accessToken: 'nobody' };
    for (let n = 0; n < WRONG_TOKENS_MAX; n += 1) {
      await stage.api.initiate(nobody.accessToken, {});
      await overCoap(nobody, '{}');
    }
    assert.is(await overHttp(nobody, '{}'), 'too-many-wrong-tokens');
    assert.is(await overCoap(nobody, '{}'), 'too-many-wrong-tokens');
  },
  'credentials-revoked': 'never',
  'credentials-superseded': ATTACKS,
  'window-pending': ATTACKS,
  'window-replaced': ATTACKS,
  async 'not-behind-gateway'() {
    const gateway = await stage.device({ gateway: true });
    await stage.assign(gateway, stage.customer);
    await gatewayHears(gateway, (await stage.device()).name, 'not-behind-gateway');
  },
  async 'take-over-pending'() {
    await under({ 'security.claim.takeOver': 'after-notice' }, async () => {
      const device = await owned();
      const [open, { token }] = ['{"secretKey":"mine now"}', stage.otherCustomer];
      await fetch(`${url}/api/v1/${device.accessToken}/claim`, { method: 'POST', body: open });
      await claimerHears(token, device, 'mine now', 'take-over-pending');
      await claimerHears(token, device, 'whatever', 'take-over-pending');
      await deviceHears(device, 'take-over-pending', open);
    });
  },
  async 'reset-not-allowed'() {
    const device = await owned();
    await deviceHears(device, 'reset-not-allowed', '{"reset":true}');
    const gateway = await stage.device({ gateway: true });
    await gatewayHears(gateway, device.name, 'reset-not-allowed', { reset: true });
  },
  'reset-repeated': { elsewhere: 'test/sockets/take-over.test.ts' },
  async 'unknown-device'() {
    const here = stage;
    stage = await createStage({ options: { 'gateway.autoCreateDevices': 'false' } });
    try {
      await gatewayHears(await stage.device({ gateway: true }), 'no such', 'unknown-device');
    } finally {
      await stage.stop();
      stage = here;
    }
    await callerHears(stage.admin, 'DELETE', `/api/device/${NOBODYS}`, 'not-found');
  },
  async 'too-many-devices'() {
    const here = [stage, url] as const;
    stage = await createStage({ options: { 'quota.devicesPerTenant': '1' } });
    url = stage.world.url;
    try {
      const gateway = await stage.device({ gateway: true });
      await gatewayHears(gateway, 'one more', 'too-many-devices');
      await callerHears(stage.admin, 'POST', '/api/device', 'too-many-devices', { name: 'one more' });
    } finally {
      await stage.stop();
      [stage, url] = here;
    }
  },
  'gateway-unchecked': 'never',
  async 'wrong-secret'() {
    const device = await stage.device();
    await stage.bringAbout(device, 'its window is open');
    await claimerHears(stage.customer.token, device, 'wrong', 'wrong-secret');
  },
  async 'no-window'() {
    await claimerHears(stage.customer.token, await stage.device(), '', 'no-window');
  },
  async 'window-elapsed'() {
    const device = await stage.device();
    // The alarm wipes it within a second, and then there is none.
    await until('somebody hears it', async () => {
      const { token } = await stage.newCustomer();
      await stage.api.initiate(device.accessToken, { durationMs: 1 });
      await pause(3);
      const answer = await fetch(`${url}${claimPath(device.name)}`, {
        method: 'POST',
        headers: { 'X-Authorization': `Bearer ${token}` },
      });
      await answer.arrayBuffer();
      return answer.headers.get('claim-refusal') === 'window-elapsed';
    });
  },
  async 'too-many-wrong-secrets'() {
    const device = await stage.device();
    await stage.bringAbout(device, 'its window is open');
    const { token } = await stage.newCustomer();
    const guess = () => stage.api.confirm(token, device.name, 'wrong');
    for (let n = 0; n < 1_000 && (await guess()).status !== 429; n += 1);
    await callerHears(token, 'POST', claimPath(device.name), 'too-many-wrong-secrets', {
      secretKey: 'wrong',
    });
  },
  'too-many-wrong-codes': KITS,
  'kit-unknown': KITS,
  'kit-expired': KITS,
  'kit-revoked': KITS,
  'kit-claimed': KITS,
  'kit-too-large': KITS,
  'kit-empty': KITS,
  'kit-not-over': KITS,
  'too-many-kits': KITS,
  async 'not-owner'() {
    const device = await owned(stage.otherCustomer);
    await callerHears(stage.customer.token, 'DELETE', claimPath(device.name), 'not-owner');
  },
  async 'permission-denied'() {
    await callerHears(stage.customer.token, 'POST', '/api/device', 'permission-denied', { name: 'mine' });
    await callerHears(stage.admin, 'POST', '/api/tenant', 'permission-denied', { title: 'mine' });
  },
  async 'not-assigned'() {
    const { id } = await stage.device();
    await callerHears(stage.admin, 'DELETE', `/api/customer/device/${id}`, 'not-assigned');
  },
  async 'epoch-changed'() {
    const device = await owned();
    const old = { 'If-Match': '"epoch-7"' };
    await callerHears(
      stage.customer.token,
      'DELETE',
      claimPath(device.name),
      'epoch-changed',
      undefined,
      old,
    );
    await callerHears(stage.admin, 'DELETE', claimPath(device.name), 'epoch-changed', undefined, old);
  },
  'policy-refused': { elsewhere: 'test/sockets/policy-hook.test.ts' },
  'consent-needed': 'never',
  'proof-required': PROOFS,
  'wrong-proof': PROOFS,
  'proof-outdated': PROOFS,
  async 'proof-not-possible'() {
    const { name } = await stage.device();
    const path = `${claimPath(name)}/challenge`;
    await callerHears(stage.customer.token, 'POST', path, 'proof-not-possible');
  },
  'no-offer': 'never',
  'offer-elapsed': { elsewhere: 'test/pure/device-transfer.test.ts' },
  'transfer-taken': 'never',
  'description-changed': 'never',
  'already-provisioned': 'never',
  async 'name-taken'() {
    const { name } = await stage.device();
    await callerHears(stage.admin, 'POST', '/api/device', 'name-taken', { name });
  },
  async 'credentials-taken'() {
    const { accessToken } = await stage.device();
    const path = `/api/device?accessToken=${accessToken}`;
    await callerHears(stage.admin, 'POST', path, 'credentials-taken', { name: 'another' });
  },
  async 'token-too-short'() {
    const here = [stage, url] as const;
    stage = await createStage({ options: { 'security.credentials.min_token_length': '20' } });
    url = stage.world.url;
    try {
      await callerHears(stage.admin, 'POST', '/api/device?accessToken=1', 'token-too-short', { name: 'D' });
    } finally {
      await stage.stop();
      [stage, url] = here;
    }
  },
  async 'attributes-too-large'() {
    const body = { text: 'x'.repeat(ATTRIBUTES_MAX) };
    await callerHears(stage.admin, 'POST', attributes(await stage.device()), 'attributes-too-large', body);
  },
  async 'steering-attribute-malformed'() {
    const path = attributes(await stage.device());
    await callerHears(stage.admin, 'POST', path, 'steering-attribute-malformed', {
      claimingAllowed: 'false',
    });
  },
};

const WINDOWS_MAX = 8;
const WRONG_TOKENS_MAX = 12;
const ATTRIBUTES_MAX = 2_048;
const NOBODYS = '11111111-1111-7111-8111-111111111111';

const walk = suite('reasons');
walk.before(async () => {
  stage = await createStage({
    options: {
      'security.claim.duration': '600000',
      'security.claim.maxDuration': '600000',
      'security.claim.windows.perDevice': String(WINDOWS_MAX),
      'security.claim.windows.window': '3600000',
      'security.claim.maxAttributeBytes': String(ATTRIBUTES_MAX),
      'transport.rate_limits.ip_limits_enabled': 'true',
      'transport.rate_limits.max_wrong_credentials_per_ip': String(WRONG_TOKENS_MAX),
    },
  });
  url = stage.world.url;
});
walk.after(() => stage.stop());

const LAST = 'too-many-wrong-tokens';
const scenes = Object.entries(SCENES);
const tell = (code: string) => `${code} is told to who is entitled to it, by its code on every door`;
for (const [code, scene] of scenes) {
  if (typeof scene === 'function' && code !== LAST) walk(tell(code), scene);
}

walk('what is brought about elsewhere is there', () => {
  for (const [code, scene] of scenes) {
    if (typeof scene === 'function' || scene === 'never') continue;
    const text = readFileSync(new URL(`../../../${scene.elsewhere}`, import.meta.url), 'utf8');
    assert.ok(text.includes(`'${code}'`), code);
  }
});

walk('what nobody hears is heard by nobody in the catalogue', () => {
  for (const [code, scene] of scenes) {
    const { heardBy } = REASONS[code as keyof typeof SCENES];
    if (scene === 'never') assert.equal(heardBy, [], code);
  }
});

walk('a stranger hears the same whatever the truth', async () => {
  const { api, sysadmin } = stage;
  const device = await owned();
  const stranger = await api.createTenant(sysadmin, 'elsewhere');
  const guest = await api.createCustomer(stranger, 'guest');
  const shape = async (token: string, method: string, path: string) => {
    const { status, body } = await api.send(
      method,
      path,
      token,
      method === 'POST' ? { secretKey: 'x' } : undefined,
    );
    const { timestamp: _, ...rest } = JSON.parse(body) as { timestamp?: number };
    return { status, ...rest };
  };
  for (const [token, method, there, nowhere] of [
    [guest.token, 'POST', claimPath(device.name), claimPath('no such device')],
    [guest.token, 'DELETE', claimPath(device.name), claimPath('no such device')],
    [stranger, 'DELETE', claimPath(device.name), claimPath('no such device')],
    [stranger, 'GET', `/api/device/${device.id}`, `/api/device/${NOBODYS}`],
    [stranger, 'DELETE', `/api/device/${device.id}`, `/api/device/${NOBODYS}`],
  ] as const) {
    assert.equal(
      await shape(token, method, there),
      await shape(token, method, nowhere),
      `${method} ${there}`,
    );
  }
  const unknown = await fetch(`${url}/api/v1/no-such-token/claim`, { method: 'POST' });
  assert.is(`${unknown.status} ${await unknown.text()}`, '401 ');
});

walk('every code is in the tables of the documents', () => {
  const tables = `${deviceReasonsTable()}\n${peopleReasonsTable()}`;
  for (const code of CODES) {
    assert.is(tables.includes(`\`${code}\` |`), REASONS[code].heardBy.length > 0, code);
  }
});

const last = SCENES[LAST];
if (typeof last === 'function') walk(tell(LAST), last);

walk.run();
