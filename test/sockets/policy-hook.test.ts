/**
 * The operator's policy hook (rule C12), end to end: a running server asks a real one before a claim is final. It fails
 * closed, so most of these are hooks that hang, lie, send without end, or say yes when it is too late.
 */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { claimPath } from '../kit/api.ts';
import { RawMqttClient } from '../kit/mqtt-client.ts';
import { until } from '../kit/until.ts';
import { createStage, type Stage, type StagedDevice } from '../wire/stage.ts';

const test = suite('policy hook');

const KEY = Buffer.alloc(32, 7);
/** The longest there may be, for a busy machine. */
const TIMEOUT_MS = 5_000;

interface Asked {
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

type Hook = (asked: Asked, response: ServerResponse) => void;

let answerer: Hook = () => {};
let asked: Asked[] = [];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const one = { body, headers: request.headers };
    asked.push(one);
    answerer(one, response);
  });
});

let stage: Stage;

test.before(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  stage = await createStage({
    options: {
      'security.claim.policyHook.url': `http://127.0.0.1:${port}/policy`,
      'security.claim.policyHook.secret': `whsec_${KEY.toString('base64')}`,
      'security.claim.policyHook.timeout': String(TIMEOUT_MS),
      'outbound.allowHttp': 'true',
      'outbound.allowedNetworks': '127.0.0.1',
    },
  });
});

test.after(async () => {
  await stage.stop();
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

test.before.each(() => {
  asked = [];
});

const says =
  (said: unknown, status = 200, type = 'application/json'): Hook =>
  (_asked, response) =>
    response
      .writeHead(status, { 'content-type': type })
      .end(typeof said === 'string' ? said : JSON.stringify(said));

async function openDevice(): Promise<StagedDevice> {
  const device = await stage.device();
  await stage.api.initiate(device.accessToken, { secretKey: 'right', durationMs: 600_000 });
  return device;
}

function claim(device: StagedDevice, token = stage.customer.token, secretKey = 'right'): Promise<Response> {
  return fetch(`${stage.world.url}${claimPath(device.name)}`, {
    method: 'POST',
    headers: { 'X-Authorization': `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ secretKey }),
  });
}

async function isUnavailable(answer: Response, device: StagedDevice): Promise<void> {
  assert.is(answer.status, 503, await answer.text());
  assert.is(answer.headers.get('retry-after'), '1');
  assert.is(await stage.ownerOf(device.id), null);
}

test('what it allows is claimed; it hears who wants what, signed, and no secret', async () => {
  answerer = says({ allow: true });
  const device = await openDevice();
  const answer = await claim(device);
  assert.is(answer.status, 200, await answer.text());
  assert.is(asked.length, 1);
  const [{ body, headers } = { body: '', headers: {} as IncomingMessage['headers'] }] = asked;
  const { type, data } = JSON.parse(body);
  assert.is(type, 'claim.requested');
  assert.equal(data.device, { id: device.id, name: device.name, type: 'default' });
  assert.equal([data.customerId, data.evidence, data.ownerEpoch], [stage.customer.id, 'secret', 0]);
  assert.not.match(body, /right/);
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const signature = createHmac('sha256', KEY).update(signed).digest('base64');
  assert.is(headers['webhook-signature'], `v1,${signature}`);
  assert.ok(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000) < 60);
});

test('what it refuses is FAILURE; its reason reaches the customer and the tenant', async () => {
  answerer = says({ allow: false, reason: 'not-paid', message: 'Bitte zahlen Sie: 3 €.' });
  const device = await openDevice();
  const answer = await claim(device);
  assert.equal([answer.status, await answer.text()], [400, '"FAILURE"']);
  assert.is(answer.headers.get('claim-refusal'), 'policy-refused');
  assert.is(answer.headers.get('claim-policy-reason'), 'not-paid');
  assert.is(decodeURIComponent(answer.headers.get('claim-policy-message') ?? ''), 'Bitte zahlen Sie: 3 €.');
  assert.is(await stage.ownerOf(device.id), null);
  let data: object | undefined;
  await until('the refusal is in the audit trail', async () => {
    const path = `/api/audit/logs/entity/DEVICE/${device.id}?pageSize=100&page=0`;
    const trail = await fetch(`${stage.world.url}${path}`, {
      headers: { 'X-Authorization': `Bearer ${stage.admin}` },
    });
    const { data: entries } = (await trail.json()) as {
      data: { actionFailureDetails: string | null; actionData: object }[];
    };
    data = entries.find((entry) => entry.actionFailureDetails === 'policy-refused')?.actionData;
    return data !== undefined;
  });
  assert.equal(data, { policyReason: 'not-paid', policyMessage: 'Bitte zahlen Sie: 3 €.' });
});

test('a reason that is no code, and a message that is no sentence, are not passed on', async () => {
  const device = await openDevice();
  for (const [reason, message] of [
    ['NOT A CODE', 'x'.repeat(301)],
    ['x\r\nSet-Cookie: a=b', 'two\nlines'],
    [{}, 7],
    [undefined, undefined],
  ]) {
    answerer = says({ allow: false, reason, message });
    const answer = await claim(device, (await stage.newCustomer()).token);
    assert.is(answer.headers.get('claim-policy-reason'), 'refused');
    assert.is(answer.headers.get('claim-policy-message'), null);
    assert.is(answer.headers.get('set-cookie'), null);
    await answer.text();
  }
});

test('nobody is asked about a claim that fails anyhow', async () => {
  answerer = says({ allow: true });
  const device = await openDevice();
  assert.is((await claim(device, stage.customer.token, 'wrong')).status, 400);
  assert.is((await claim(await stage.device())).status, 400);
  assert.is(asked.length, 0);
});

interface Shown {
  readonly key: string;
  readonly value: unknown;
}

/** The server attributes of a device, as who has this token reads them. */
async function attributesOf(device: StagedDevice, token = stage.admin): Promise<Record<string, unknown>> {
  const shown: Shown[] = await stage.api.get(
    `/api/plugins/telemetry/DEVICE/${device.id}/values/attributes/SERVER_SCOPE`,
    token,
  );
  return Object.fromEntries(shown.map(({ key, value }) => [key, value]));
}

const GIVEN = { plan: 'gold', seats: 3, trial: false, site: { rooms: [1, null, 'x'] } };

/** The newest change of owner in the tenant's trail, once it is there. */
async function trailOf(device: StagedDevice): Promise<Record<string, unknown>> {
  interface Entry {
    readonly actionType: string;
    readonly actionData: Record<string, unknown>;
  }
  let found: Entry | undefined;
  await until('the change of owner is in the audit trail', async () => {
    const path = `/api/audit/logs/entity/DEVICE/${device.id}?pageSize=100&page=0`;
    const { data }: { data: Entry[] } = await stage.api.get(path, stage.admin);
    found = data.find(({ actionType }) => actionType === 'ASSIGNED_TO_CUSTOMER');
    return found !== undefined;
  });
  return found?.actionData ?? {};
}

test('what it gives with its yes is saved with the claim, for the owner and the tenant to read', async () => {
  answerer = says({ allow: true, attributes: GIVEN });
  const device = await openDevice();
  const answer = await claim(device);
  assert.is(answer.status, 200, await answer.text());
  assert.equal(await attributesOf(device), GIVEN);
  assert.equal(await attributesOf(device, stage.customer.token), GIVEN);
  const data = await trailOf(device);
  assert.equal(data.keys, Object.keys(GIVEN));
  assert.not.match(JSON.stringify(data), /gold/); // the names alone
  await stage.api.must('DELETE', claimPath(device.name), stage.customer.token);
  assert.equal(await attributesOf(device), {});
});

test('a yes with null or nothing for attributes is a yes, and what a no gives is not looked at', async () => {
  for (const attributes of [null, {}]) {
    answerer = says({ allow: true, attributes });
    const device = await openDevice();
    const answer = await claim(device);
    assert.is(answer.status, 200, await answer.text());
    assert.equal(await attributesOf(device), {});
  }
  for (const attributes of [GIVEN, { claimingAllowed: true }, 'nonsense']) {
    answerer = says({ allow: false, attributes });
    const device = await openDevice();
    const answer = await claim(device, (await stage.newCustomer()).token);
    assert.equal([answer.status, await answer.text()], [400, '"FAILURE"']);
    assert.equal(await attributesOf(device), {});
  }
});

test('what it gives with a take-over is saved with it, at once', async () => {
  const device = await stage.device({ profile: 'TAKE-OVER AT ONCE' });
  await stage.assign(device, stage.otherCustomer);
  await stage.api.initiate(device.accessToken, { secretKey: 'right', durationMs: 600_000 });
  answerer = says({ allow: true, attributes: GIVEN });
  const answer = await claim(device);
  assert.is(answer.status, 200, await answer.text());
  assert.is(await stage.ownerOf(device.id), stage.customer.id);
  assert.equal(await attributesOf(device), GIVEN);
  assert.equal((await trailOf(device)).keys, Object.keys(GIVEN));
});

test('what it gives with a take-over after notice is saved when that is over, and the hook is not asked again', async () => {
  const { api, admin } = stage;
  const { id } = await api.post('/api/deviceProfile', admin, {
    name: 'after notice',
    claiming: { takeOver: 'after-notice', takeOverNoticeMs: 1_000 },
  });
  const device = await stage.device();
  const read = await api.get<object>(`/api/device/${device.id}`, admin);
  await api.post('/api/device', admin, { ...read, deviceProfileId: id });
  await stage.assign(device, stage.otherCustomer);
  await api.initiate(device.accessToken, { secretKey: 'right', durationMs: 600_000 });
  answerer = says({ allow: true, attributes: GIVEN });
  const answer = await claim(device);
  assert.is(answer.headers.get('claim-refusal'), 'take-over-pending', await answer.text());
  await until('it is taken over', async () => (await stage.ownerOf(device.id)) === stage.customer.id);
  assert.equal(await attributesOf(device), GIVEN);
  assert.is(asked.length, 1);
});

test('what it gives for a device of a kit is saved with the claim of that device', async () => {
  const { api, admin, customer } = stage;
  const device = await stage.device();
  const expirationTime = Date.now() + 600_000;
  const kit = await api.post<{ code: string }>('/api/kit', admin, {
    label: 'Order 7',
    devices: [device.name],
    expirationTime,
  });
  answerer = says({ allow: true, attributes: GIVEN });
  await api.post('/api/customer/claim/kit', customer.token, { code: kit.code });
  await until('it is claimed', async () => (await stage.ownerOf(device.id)) === customer.id);
  assert.equal(await attributesOf(device), GIVEN);
});

for (const [what, attributes] of [
  ['a text', 'plan'],
  ['a list', [GIVEN]],
  ['a null among them', { plan: 'gold', seats: null }],
  ['a number that is none', '{"seats": 1e999}'],
  ['an empty name', { ' ': 1 }],
  ['a name that is too long', { ['x'.repeat(256)]: 1 }],
  ['a name with a line feed', { 'a\nb': 1 }],
  ['half a character for a name', '{"\\ud800": 1}'],
  ['what forbids or allows claiming', { claimingAllowed: true }],
  ['a server key', { claimingData: { secretKey: 'mine', expirationTime: 9_999_999_999_999 } }],
  ['a key for proofs', { claimPublicKey: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) } }],
  ['what is nested without end', `{"deep": ${'['.repeat(8_000)}${']'.repeat(8_000)}}`],
] as const) {
  test(`attack: a hook whose attributes are or have ${what} allows nothing`, async () => {
    // What is written as JSON here cannot be made by JSON.stringify.
    const isWritten = typeof attributes === 'string' && attributes.startsWith('{');
    answerer = says(`{"allow": true, "attributes": ${isWritten ? attributes : JSON.stringify(attributes)}}`);
    const device = await openDevice();
    await isUnavailable(await claim(device), device);
    assert.equal(await attributesOf(device), {});
  });
}

test('attack: a hook gives more than the device has room for: nobody owns it, and the tenant can still forbid it', async () => {
  const device = await openDevice();
  const path = `/api/plugins/telemetry/DEVICE/${device.id}/SERVER_SCOPE`;
  await stage.api.must('POST', path, stage.admin, { filler: 'x'.repeat(60_000) });
  answerer = says({ allow: true, attributes: { more: 'x'.repeat(15_000) } });
  await isUnavailable(await claim(device), device);
  assert.is((await attributesOf(device)).more, undefined);
  await stage.api.must('POST', path, stage.admin, { claimingAllowed: false });
});

test('attack: what came with a yes to another owner epoch is not saved', async () => {
  const device = await openDevice();
  answerer = (one, response) => {
    void (async () => {
      await stage.assign(device, stage.otherCustomer);
      await stage.api.must('DELETE', `/api/customer/device/${device.id}`, stage.admin);
      await stage.api.initiate(device.accessToken, { secretKey: 'right', durationMs: 600_000 });
      says({ allow: true, attributes: GIVEN })(one, response);
    })();
  };
  await isUnavailable(await claim(device), device);
  assert.equal(await attributesOf(device), {});
});

test('the next claim asks again: an answer is not kept', async () => {
  answerer = says({ allow: true });
  const device = await openDevice();
  assert.is((await claim(device)).status, 200);
  await fetch(`${stage.world.url}${claimPath(device.name)}`, {
    method: 'DELETE',
    headers: { 'X-Authorization': `Bearer ${stage.customer.token}` },
  });
  await stage.api.initiate(device.accessToken, { secretKey: 'right', durationMs: 600_000 });
  answerer = says({ allow: false });
  assert.is((await claim(device)).status, 400);
  assert.is(asked.length, 2);
});

for (const [what, hook] of [
  ['an error', says({ allow: true }, 500)],
  ['another success than 200', says({ allow: true }, 202)],
  [
    'a redirect',
    (_asked: Asked, response: ServerResponse) => response.writeHead(302, { location: '/policy' }).end(),
  ],
  ['a text', says('{"allow": true}', 200, 'text/plain')],
  ['no JSON', says('yes')],
  ['no answer in it', says({})],
  ['a yes that is a text', says({ allow: 'true' })],
  ['a list', says([{ allow: true }])],
  ['a yes that is buried in a gigabyte', says(`{"allow": true, "more": "${'x'.repeat(17 * 1024)}"}`)],
  ['a closed connection', (_asked: Asked, response: ServerResponse) => response.destroy()],
] as const) {
  test(`attack: a hook that answers with ${what} allows nothing`, async () => {
    answerer = hook as Hook;
    const device = await openDevice();
    await isUnavailable(await claim(device), device);
    assert.is(asked.length, 1);
  });
}

test('attack: a hook that hangs holds up nobody: not the device, not other devices, not the customer for long', async () => {
  const device = await openDevice();
  let late: ServerResponse | undefined;
  answerer = (_asked, response) => {
    late = response;
  };
  const claiming = claim(device);
  await until('the hook is asked', () => asked.length === 1);
  // The device's mailbox is free: it opens another window, and is read.
  const again = await stage.api.initiate(device.accessToken, { secretKey: 'right', durationMs: 600_000 });
  assert.is(again.status, 200);
  const other = await openDevice();
  answerer = says({ allow: true });
  assert.is((await claim(other)).status, 200);
  assert.is(await stage.ownerOf(device.id), null);
  await isUnavailable(await claiming, device);
  // It says yes when nobody listens any more.
  late?.writeHead(200, { 'content-type': 'application/json' }).end('{"allow": true}');
  assert.is(await stage.ownerOf(device.id), null);
});

test('attack: a yes that comes in another owner epoch is not believed', async () => {
  const device = await openDevice();
  let hold: (() => void) | undefined;
  answerer = (_asked, response) => {
    hold = () => says({ allow: true })(_asked, response);
  };
  const claiming = claim(device);
  await until('the hook is asked', () => hold !== undefined);
  // Meanwhile the device goes to somebody else and comes back, with a window that the same secret opens.
  await stage.assign(device, stage.otherCustomer);
  await fetch(`${stage.world.url}/api/customer/device/${device.id}`, {
    method: 'DELETE',
    headers: { 'X-Authorization': `Bearer ${stage.admin}` },
  });
  await stage.api.initiate(device.accessToken, { secretKey: 'right', durationMs: 600_000 });
  hold?.();
  await isUnavailable(await claiming, device);
});

test('attack: while the hook thinks, another claim is first: there is one owner', async () => {
  const device = await openDevice();
  const held: (() => void)[] = [];
  answerer = (_asked, response) => held.push(() => says({ allow: true })(_asked, response));
  const other = await stage.newCustomer();
  const both = [claim(device), claim(device, other.token)];
  await until('both are asked about', () => held.length === 2);
  for (const answer of held) answer();
  const answers = await Promise.all(both.map(async (one) => [(await one).status, await (await one).text()]));
  assert.equal(answers.map(([status]) => status).sort(), [200, 400]);
  assert.ok(answers.some(([, text]) => text === '"CLAIMED"'));
});

test('it takes its time, and the gateway that opened the window changes hands: that window is over', async () => {
  const { api, customer } = stage;
  const gateway = await stage.device({ gateway: true });
  const client = await RawMqttClient.connect(stage.world.mqttPort, 5, gateway.accessToken);
  const opens = async () => {
    const packet = { cmd: 'publish', topic: 'v1/gateway/claim', qos: 1, messageId: 7 } as const;
    client.send({ ...packet, payload: '{"lamp": {"secretKey": "right"}}', dup: false, retain: false });
    await client.next('puback');
  };
  await opens(); // creates it
  await stage.assign(gateway, customer);
  await opens(); // as the customer's gateway
  await client.close();
  const giveBack = () => api.must('DELETE', claimPath(gateway.name), customer.token);
  answerer = (one, response) => {
    void giveBack().then(() => says({ allow: true })(one, response));
  };
  const lamp = { ...gateway, name: 'lamp', id: (await api.device(stage.admin, 'lamp')).id.id };
  const answer = await claim(lamp);
  assert.is(`${answer.status} ${await answer.text()}`, '400 "FAILURE"');
  assert.is(asked.length, 1);
  assert.is(await stage.ownerOf(lamp.id), null);
});

test.run();
