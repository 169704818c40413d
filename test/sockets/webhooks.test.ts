/**
 * Webhooks end to end: a running server tells counterparts over real connections what happens. Signatures are checked by the
 * independent library that receivers use. Counterparts that hang, lie or lead back inside never touch a claim.
 */

import type { ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { claimPath } from '../kit/api.ts';
import { firstHeard, type Heard, type Receiver, startReceiver, withStatus } from '../kit/receiver.ts';
import { pause, until } from '../kit/until.ts';
import { createStage, type Stage, type StagedDevice } from '../wire/stage.ts';

const test = suite('webhooks');

let stage: Stage;
let receivers: Receiver[] = [];

test.before(async () => {
  stage = await createStage({
    options: { 'outbound.allowHttp': 'true', 'outbound.allowedNetworks': '127.0.0.1' },
  });
});

test.after(() => stage.stop());

test.after.each(async () => {
  for (const { id } of (await stage.api.get<{ data: { id: string }[] }>('/api/webhooks', stage.admin)).data) {
    await stage.api.must('DELETE', `/api/webhook/${id}`, stage.admin);
  }
  await Promise.all(receivers.map((receiver) => receiver.stop()));
  receivers = [];
});

async function receiver(): Promise<Receiver> {
  const made = await startReceiver();
  receivers.push(made);
  return made;
}

interface Made {
  readonly id: string;
  readonly secret: string;
  readonly publicKey: string | null;
}

const hook = (url: string, more: object = {}) =>
  stage.api.post<Made>('/api/webhook', stage.admin, { url, ...more });

interface State {
  readonly delivered: number;
  readonly devicesWaiting: number;
  readonly attempts: readonly {
    readonly outcome: string;
    readonly messageId: string;
    readonly delivered: boolean;
  }[];
}
const stateOf = (id: string) => stage.api.get<State>(`/api/webhook/${id}/attempts`, stage.admin);

async function claimed(): Promise<StagedDevice> {
  const device = await stage.device();
  await stage.api.initiate(device.accessToken, { secretKey: 'right', durationMs: 600_000 });
  await claim(device);
  return device;
}

async function claim(device: StagedDevice): Promise<void> {
  await stage.api.must('POST', claimPath(device.name), stage.customer.token, { secretKey: 'right' });
}

const typesHeard = ({ heard }: Receiver) =>
  heard.map(({ body }) => (JSON.parse(body) as { type: string }).type);

test("a device's life arrives in its order, signed so that the receivers' library accepts it", async () => {
  const there = await receiver();
  const { secret } = await hook(`${there.url}/hook`);
  const device = await claimed();
  await until('all is heard', () => there.heard.length >= 3);
  assert.equal(typesHeard(there), ['device.created', 'device.window.opened', 'device.claimed']);
  for (const { body, headers } of there.heard) {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    assert.throws(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>));
  }
  assert.equal(
    there.heard.map(({ id }) => id),
    [1, 2, 3].map((number) => `evt_${device.id}_${number}`),
  );
  const { data } = JSON.parse(there.heard[2]?.body ?? '') as { data: Record<string, unknown> };
  assert.is(data.customerId, stage.customer.id);
  assert.is(data.deviceName, device.name);
  const all = there.heard.map(({ body }) => body).join();
  for (const secretText of ['right', device.accessToken, 'igest']) assert.not.match(all, secretText);
});

test('only what it asks for: types, a customer', async () => {
  const [claims, others] = [await receiver(), await receiver()];
  await hook(claims.url, { events: ['device.claimed'] });
  await hook(others.url, { customerIds: [stage.otherCustomer.id] });
  const device = await claimed();
  await stage.assign(device, stage.otherCustomer);
  await until('both have heard', () => claims.heard.length === 1 && others.heard.length === 1);
  assert.equal(typesHeard(claims), ['device.claimed']);
  assert.equal(typesHeard(others), ['device.assigned']);
});

test('while a secret is replaced both sign, and the old one not when it is replaced at once', async () => {
  const there = await receiver();
  const { id, secret: first } = await hook(there.url);
  const rotate = (graceSeconds: number) =>
    stage.api.post<Made>(`/api/webhook/${id}/secret/rotate`, stage.admin, { graceSeconds });
  const { secret: second } = await rotate(60);
  const fits = (secret: string): boolean => {
    const { body, headers } = there.heard.at(-1) ?? { body: '', headers: {} };
    try {
      new Webhook(secret).verify(body, headers as Record<string, string>);
      return true;
    } catch {
      return false;
    }
  };
  const tried = () => stage.api.post(`/api/webhook/${id}/test`, stage.admin, {});
  await tried();
  assert.equal([fits(first), fits(second)], [true, true]);
  const { secret: third } = await rotate(0);
  await tried();
  assert.equal([fits(first), fits(second), fits(third)], [false, false, true]);
});

test('CloudEvents: whole in the body, or with the attributes as headers', async () => {
  const [whole, split] = [await receiver(), await receiver()];
  await hook(whole.url, { format: 'structured' });
  await hook(split.url, { format: 'binary' });
  const device = await stage.device();
  await until('both have heard', () => whole.heard.length === 1 && split.heard.length === 1);
  const event = JSON.parse(whole.heard[0]?.body ?? '') as Record<string, unknown>;
  assert.is(whole.heard[0]?.headers['content-type'], 'application/cloudevents+json; charset=UTF-8');
  assert.equal([event.specversion, event.id, event.type], ['1.0', `evt_${device.id}_1`, 'device.created']);
  assert.is(event.sequence, '000000000001');
  assert.match(String(event.source), new RegExp(`/devices/${device.id}$`));
  const [{ headers, body }] = split.heard as [Heard];
  assert.equal([headers['ce-id'], headers['ce-type']], [`evt_${device.id}_1`, 'device.created']);
  assert.is(headers['content-type'], 'application/json');
  assert.equal(JSON.parse(body), event.data);
});

test('a device whose message is refused waits with all that follows, and the others go on', async () => {
  const there = await receiver();
  const { id } = await hook(there.url);
  const bad = await stage.device();
  await until('its creation is heard', () => there.heard.length === 1);
  const ofBad = () => there.heard.filter(({ id: one }) => one.startsWith(`evt_${bad.id}_`));
  there.answer((heard, response) => withStatus(ofBad().includes(heard) ? 500 : 204)(heard, response));
  await stage.api.initiate(bad.accessToken, { secretKey: 'right', durationMs: 600_000 });
  await until('it waits', async () => (await stateOf(id)).devicesWaiting === 1);
  await claim(bad);
  const good = await claimed();
  await until('the other is heard', () => firstHeard(there.heard).includes(`evt_${good.id}_3`));
  assert.not.ok(ofBad().some(({ id: one }) => one.endsWith('_3')));
  there.answer(withStatus(204));
  // Asked for, so it is tried at once and not after five minutes.
  await stage.api.post(`/api/webhook/${id}/recover`, stage.admin, {});
  await until('it is heard after all', () => firstHeard(ofBad()).length === 3);
  assert.equal(
    firstHeard(ofBad()),
    [1, 2, 3].map((number) => `evt_${bad.id}_${number}`),
  );
});

test('410 switches it off, and switched on again it goes on where it was', async () => {
  const there = await receiver();
  const { id } = await hook(there.url);
  there.answer(withStatus(410));
  const device = await stage.device();
  const isOff = async () => {
    const { disabledBecause } = await stage.api.get<{ disabledBecause: string | null }>(
      `/api/webhook/${id}`,
      stage.admin,
    );
    return disabledBecause === 'gone';
  };
  await until('it is off', isOff);
  const meanwhile = await stage.device();
  there.answer(withStatus(204));
  await stage.api.post(`/api/webhook/${id}/enable`, stage.admin, {});
  for (const { id: deviceId } of [device, meanwhile]) {
    await until('it is heard', () =>
      there.heard.some((one) => one.id === `evt_${deviceId}_1` && one.status === 204),
    );
  }
});

test('what is busy is left alone for as long as it asks', async () => {
  const there = await receiver();
  const { id } = await hook(there.url);
  there.answer(withStatus(429, { 'retry-after': '3600' }));
  const before = Date.now();
  await stage.device();
  const rests = async () =>
    (await stage.api.get<{ restsUntil: number | null }>(`/api/webhook/${id}/attempts`, stage.admin))
      .restsUntil;
  await until('it rests', async () => (await rests()) !== null);
  assert.ok(((await rests()) ?? 0) >= before + 3_600_000);
});

test('it does not follow redirects, and reads little of an answer without end', async () => {
  const [inner, outer] = [await receiver(), await receiver()];
  const { id } = await hook(outer.url);
  const tried = () =>
    stage.api.post<{ delivered: boolean; outcome: string; answer: string }>(
      `/api/webhook/${id}/test`,
      stage.admin,
      {},
    );
  outer.answer(withStatus(302, { location: `${inner.url}/inside` }));
  assert.equal([(await tried()).outcome, inner.heard.length], ['302', 0]);
  outer.answer((_heard, response) => {
    response.writeHead(500);
    const more = (): void => {
      while (response.write('x'.repeat(65_536)));
      response.once('drain', more);
    };
    more();
  });
  const endless = await tried();
  assert.is(endless.outcome, '500');
  assert.ok(endless.answer.length <= 256);
});

test('URLs that lead inside are refused, and all say the same', async () => {
  for (const url of [
    'http://10.0.0.1/',
    'http://[::1]/',
    'http://169.254.169.254/latest/meta-data',
    'ftp://example.org/',
    'http://user:pw@example.org/',
    'nonsense',
  ]) {
    const { status } = await stage.api.send('POST', '/api/webhook', stage.admin, { url });
    assert.is(status, 400, url);
  }
});

test('what was sent is sent once more, by one event and by a time; under the same ids', async () => {
  const there = await receiver();
  const { id } = await hook(there.url);
  const before = Date.now();
  const device = await claimed();
  await until('all is heard', () => there.heard.length >= 3);
  const messageId = `evt_${device.id}_3`;
  await until('it is in the log', async () => (await stateOf(id)).attempts.length >= 3);
  await stage.api.post(`/api/webhook/${id}/attempts/${messageId}/resend`, stage.admin, {});
  assert.is(there.heard.at(-1)?.id, messageId);
  await stage.api.post(`/api/webhook/${id}/replay`, stage.admin, {
    since: before,
    types: ['device.window.*'],
  });
  await until('it is sent again', () => there.heard.length >= 5);
  assert.is(there.heard[4]?.id, `evt_${device.id}_2`);
  const unknown = await stage.api.send(
    'POST',
    `/api/webhook/${id}/attempts/evt_${device.id}_99/resend`,
    stage.admin,
    {},
  );
  assert.is(unknown.status, 400);
});

test('counterparts that hang, are dead or refuse do not touch claims, nor a good counterpart', async () => {
  const hanging = await receiver();
  hanging.answer(() => {});
  const refusing = await receiver();
  refusing.answer(withStatus(500));
  for (let n = 0; n < 6; n += 1) {
    await hook(`${hanging.url}/${n}`);
    await hook(`${refusing.url}/${n}`);
    await hook(`http://127.0.0.1:1/${n}`);
  }
  const good = await receiver();
  await hook(good.url, { events: ['device.claimed'] });
  for (let n = 0; n < 20; n += 1) await claimed();
  await until('all are heard', () => new Set(good.heard.map(({ id }) => id)).size === 20);
});

test('tests and resends share the connections of the tenant: one too many is told to wait, and none hangs on', async () => {
  const hanging = await receiver();
  const held: ServerResponse[] = [];
  hanging.answer((_heard, response) => void held.push(response));
  const { id } = await hook(hanging.url);
  const ask = () => stage.api.send('POST', `/api/webhook/${id}/test`, stage.admin, {});
  let isOver = false;
  // What is under way of an earlier law has a place for a moment longer, and who hangs for long is given up.
  const askAlways = async () => {
    for (;;) {
      const reply = await ask();
      if (reply.status === 429) await pause(5);
      else if (isOver) return reply;
    }
  };
  const under = Array.from({ length: 64 }, askAlways);
  await until('all are under way', () => held.length >= 64);
  await until('one too many is told to wait', async () => (await ask()).status === 429);
  isOver = true;
  hanging.answer(withStatus(204));
  for (const response of held) response.writeHead(204).end();
  for (const one of await Promise.all(under)) assert.is(one.status, 200, one.body);
  assert.is((await ask()).status, 200);
});

test.run();
