/**
 * Attacks through a gateway, from outside: over real sockets against the whole server. Rules O8 and O9. Each was
 * carried out with success before the rule was kept.
 */
import { suite, test } from 'uvu';
import * as assert from 'uvu/assert';
import { RawMqttClient } from '../kit/mqtt-client.ts';
import { until } from '../kit/until.ts';
import { showReply } from '../wire/doors.ts';
import { createStage, type Stage, type StagedDevice } from '../wire/stage.ts';

const HIS = "of the attacker's choice";

let stage: Stage;

interface Told {
  readonly status: string;
  readonly reason?: string;
}

/** What a gateway hears of each device when it asks for their windows. */
async function asks(
  { accessToken }: StagedDevice,
  names: readonly string[],
  secretKey = HIS,
): Promise<Readonly<Record<string, Told>>> {
  const client = await connected(accessToken);
  try {
    return await asksOver(client, names, secretKey);
  } finally {
    await client.close();
  }
}

async function connected(accessToken: string): Promise<RawMqttClient> {
  const client = await RawMqttClient.connect(stage.world.mqttPort, 5, accessToken);
  await client.subscribe('v1/gateway/claim/response', 0);
  return client;
}

function claiming(names: readonly string[], secretKey: string) {
  const payload = JSON.stringify(Object.fromEntries(names.map((name) => [name, { secretKey }])));
  const packet = { cmd: 'publish', topic: 'v1/gateway/claim', qos: 1, messageId: 7 } as const;
  return { ...packet, payload, dup: false, retain: false };
}

async function asksOver(
  client: RawMqttClient,
  names: readonly string[],
  secretKey = HIS,
): Promise<Readonly<Record<string, Told>>> {
  client.send(claiming(names, secretKey));
  await client.next('puback');
  const outcomes: Record<string, Told> = {};
  while (Object.keys(outcomes).length < names.length) {
    const { payload: answer } = await client.next('publish');
    Object.assign(outcomes, JSON.parse(answer.toString()));
  }
  return outcomes;
}

/** What a gateway reads of a device behind it: the shared attribute `home`; undefined: nothing. */
async function reads({ accessToken }: StagedDevice, device: string): Promise<unknown> {
  const client = await RawMqttClient.connect(stage.world.mqttPort, 5, accessToken);
  try {
    await client.subscribe('v1/gateway/attributes/response', 0);
    const payload = JSON.stringify({ id: 1, device, client: false, key: 'home' });
    const packet = { cmd: 'publish', topic: 'v1/gateway/attributes/request', qos: 1, messageId: 7 } as const;
    client.send({ ...packet, payload, dup: false, retain: false });
    await client.next('puback');
    const { payload: answer } = await client.next('publish');
    return JSON.parse(answer.toString()).value;
  } finally {
    await client.close();
  }
}

/** Its owner writes where it is at home. */
async function settles(owner: string, name: string, home: string): Promise<void> {
  const { id } = await stage.api.device(stage.admin, name);
  await stage.api.must('POST', `/api/plugins/telemetry/${id.id}/SHARED_SCOPE`, owner, { home });
}

async function confirm(token: string, name: string, secretKey = HIS): Promise<string> {
  const { status, body } = await stage.api.confirm(token, name, secretKey);
  return showReply(status, body);
}

const gateway = () => stage.device({ gateway: true });

async function ownedGateway(): Promise<StagedDevice> {
  const made = await gateway();
  await stage.assign(made, stage.customer);
  return made;
}

const NOT_BEHIND = { status: 'refused', reason: 'not-behind-gateway' };

const attacks = suite('gateway attacks');
attacks.before(async () => {
  stage = await createStage();
});
attacks.after(() => stage.stop());

attacks("a customer's gateway gets none of the tenant's stock by naming serial numbers", async () => {
  const { customer } = stage;
  const his = await ownedGateway();
  const stock = await Promise.all([stage.device(), stage.device(), stage.device()]);
  const names = stock.map(({ name }) => name);
  const told = await asks(his, names);
  for (const { id, name } of stock) {
    assert.equal(told[name], NOT_BEHIND);
    assert.is(await stage.windowOf(id), null);
    assert.is(await confirm(customer.token, name), '400 "FAILURE"');
  }
});

attacks('nor does it replace the window that a device has opened for its buyer', async () => {
  const { api, otherCustomer: buyer } = stage;
  const his = await ownedGateway();
  const device = await stage.device();
  await api.initiate(device.accessToken, { secretKey: 'on the box' });
  assert.equal((await asks(his, [device.name]))[device.name], NOT_BEHIND);
  assert.is(await confirm(buyer.token, device.name, 'on the box'), '200 SUCCESS');
});

attacks(
  'it learns nothing of devices that are not behind it: owned, forbidden and free ones look alike',
  async () => {
    const { api, admin, otherCustomer } = stage;
    const his = await ownedGateway();
    const [free, owned, forbidden] = [await stage.device(), await stage.device(), await stage.device()];
    await stage.assign(owned, otherCustomer);
    const path = `/api/plugins/telemetry/${forbidden.id}/SERVER_SCOPE`;
    await api.must('POST', path, admin, { claimingAllowed: false });
    const told = await asks(his, [free.name, owned.name, forbidden.name]);
    for (const { name } of [free, owned, forbidden]) assert.equal(told[name], NOT_BEHIND);
  },
);

attacks("a gateway of the tenant's own speaks for all of the tenant, as in ThingsBoard", async () => {
  const device = await stage.device();
  assert.is((await asks(await gateway(), [device.name]))[device.name]?.status, 'opened');
  assert.is(await confirm(stage.customer.token, device.name), '200 SUCCESS');
});

attacks('a gateway that a customer claimed still speaks for what it brought up before', async () => {
  const bought = await gateway();
  await asks(bought, ['sensor of the set']);
  await stage.assign(bought, stage.customer);
  assert.is((await asks(bought, ['sensor of the set'], 'new'))['sensor of the set']?.status, 'opened');
  assert.is(await confirm(stage.customer.token, 'sensor of the set', 'new'), '200 SUCCESS');
});

attacks('what an owner gave back, the gateway that brought it up speaks for no longer', async () => {
  const { api, admin, customer } = stage;
  const his = await ownedGateway();
  await asks(his, ['sold on']); // created, and the customer's
  await api.must('DELETE', '/api/customer/device/sold%20on/claim', customer.token);
  assert.equal((await asks(his, ['sold on']))['sold on'], NOT_BEHIND);
  assert.is(await confirm(customer.token, 'sold on'), '400 "FAILURE"');
  assert.is((await api.device(admin, 'sold on')).name, 'sold on');
});

attacks('nor what its owner has handed over, or the tenant has given to another', async () => {
  const { api, customer: seller, otherCustomer: buyer } = stage;
  const his = await ownedGateway();
  await asks(his, ['handed over', 'given away']); // created, and the seller's
  await settles(seller.token, 'handed over', 'Rome');
  assert.is(await reads(his, 'handed over'), 'Rome');
  const path = '/api/customer/device/handed%20over/transfer';
  const { transferId } = await api.post<{ transferId: string }>(path, seller.token, { to: buyer.id });
  await api.must('POST', `/api/transfer/${transferId}/accept`, buyer.token);
  await stage.assign((await api.device(stage.admin, 'given away')).id, buyer);
  for (const name of ['handed over', 'given away']) {
    await settles(buyer.token, name, 'Paris');
    assert.is(await reads(his, name), undefined, name);
    assert.equal((await asks(his, [name]))[name], NOT_BEHIND);
  }
});

attacks("who buys a gateway reads nothing of what its last owner's devices are told", async () => {
  const { api, customer: seller, otherCustomer: buyer } = stage;
  const sold = await ownedGateway();
  await asks(sold, ['kept']);
  await settles(seller.token, 'kept', 'Rome');
  await api.must('DELETE', `/api/customer/device/${encodeURIComponent(sold.name)}/claim`, seller.token);
  assert.is(await reads(sold, 'kept'), undefined, 'given back');
  await stage.assign(sold, buyer);
  assert.is(await reads(sold, 'kept'), undefined, 'and sold');
  assert.equal((await asks(sold, ['kept'])).kept, NOT_BEHIND);
});

attacks("an ex-owner's gateway is not the tenant's own after its give-back", async () => {
  const { api, customer } = stage;
  const his = await ownedGateway();
  const device = await stage.device();
  await api.must('DELETE', `/api/customer/device/${encodeURIComponent(his.name)}/claim`, customer.token);
  assert.equal((await asks(his, [device.name]))[device.name], NOT_BEHIND);
});

attacks('it is again when the tenant has given it other credentials since', async () => {
  const { api, admin, customer } = stage;
  const his = await ownedGateway();
  await api.must('DELETE', `/api/customer/device/${encodeURIComponent(his.name)}/claim`, customer.token);
  const credentials = await api.get<object>(`/api/device/${his.id}/credentials`, admin);
  await api.must('POST', '/api/device/credentials', admin, { ...credentials, credentialsId: 'fresh-token' });
  const device = await stage.device();
  const told = await asks({ ...his, accessToken: 'fresh-token' }, [device.name]);
  assert.is(told[device.name]?.status, 'opened');
});

attacks('a window that a gateway opened under its last owner opens nothing under the next', async () => {
  const { api, customer: seller, otherCustomer: buyer } = stage;
  const sold = await gateway();
  await asks(sold, ['lamp', 'plug']);
  await stage.assign(sold, seller);
  await asks(sold, ['lamp', 'plug']); // with a secret of the seller's
  await api.must('DELETE', `/api/customer/device/${encodeURIComponent(sold.name)}/claim`, seller.token);
  assert.is(await confirm(seller.token, 'lamp'), '400 "FAILURE"', 'given back');
  await stage.assign(sold, buyer);
  assert.is(await confirm(seller.token, 'lamp'), '400 "FAILURE"', 'and sold');
  assert.is((await asks(sold, ['lamp'], "the buyer's")).lamp?.status, 'opened');
  assert.is(await confirm(buyer.token, 'lamp', "the buyer's"), '200 SUCCESS');
});

attacks('a gateway that asks in vain does not use up what windows the device may open', async () => {
  const limited = await createStage({ options: { 'security.claim.windows.perDevice': '2' } });
  const unlimited = stage;
  stage = limited;
  try {
    const his = await ownedGateway();
    const device = await limited.device();
    for (let n = 0; n < 3; n += 1) assert.equal((await asks(his, [device.name]))[device.name], NOT_BEHIND);
    assert.is((await limited.api.initiate(device.accessToken, {})).status, 200);
  } finally {
    stage = unlimited;
    await limited.stop();
  }
});

attacks(
  "a customer cannot make its device a gateway, also not with ThingsBoard's other words for true",
  async () => {
    const { api, customer } = stage;
    const device = await stage.device();
    await stage.assign(device, customer);
    for (const gatewayIs of [true, 'true', ' true ', 1]) {
      const body = { id: { id: device.id }, name: device.name, additionalInfo: { gateway: gatewayIs } };
      assert.is((await api.send('POST', '/api/device', customer.token, body)).status, 403, String(gatewayIs));
    }
  },
);

attacks('the text "true" makes a gateway, as in ThingsBoard', async () => {
  const { api, admin } = stage;
  const made = await stage.device();
  const body = { id: { id: made.id }, name: made.name, additionalInfo: { gateway: 'true' } };
  await api.must('POST', '/api/device', admin, body);
  const device = await stage.device();
  assert.is((await asks(made, [device.name]))[device.name]?.status, 'opened');
});

attacks(
  'a gateway that takes a name printed on a box: its tenant hears of it, and has the name back by deleting',
  async () => {
    const { api, admin } = stage;
    await asks(await ownedGateway(), ['SN-0042']);
    const job = await api.post<{ id: string }>('/api/deviceImport', admin, {});
    const path = `/api/deviceImport/${job.id}`;
    await api.post(`${path}/rows`, admin, { from: 0, rows: [{ name: 'SN-0042' }, { name: 'SN-0043' }] });
    await api.must('POST', `${path}/start?dryRun=false`, admin);
    const state = async () => (await api.get<{ state: string }>(path, admin)).state;
    await until('the import is through', async () => (await state()) === 'DONE');
    assert.match(await api.must('GET', `${path}/rows?page=0&pageSize=10`, admin), 'a gateway brought it up');
    const { id } = await api.device(admin, 'SN-0042');
    await api.must('DELETE', `/api/device/${id.id}`, admin);
    await api.post('/api/device', admin, { name: 'SN-0042' });
  },
);

attacks("a profile widens it to ThingsBoard's rule", async () => {
  const { api, admin } = stage;
  const profile = await api.post('/api/deviceProfile', admin, {
    name: 'installer gateway',
    claiming: { gatewayScope: 'tenant' },
  });
  const his = await ownedGateway();
  const body = { id: { id: his.id }, name: his.name, deviceProfileId: profile.id };
  await api.must('POST', '/api/device', admin, { ...body, additionalInfo: { gateway: true } });
  const device = await stage.device();
  assert.is((await asks(his, [device.name]))[device.name]?.status, 'opened');
});

attacks.run();

test('gateway attacks: quarantine: the session of a gateway that changed hands speaks for nobody', async () => {
  stage = await createStage({ options: { 'security.claim.onOwnerChange': 'quarantine' } });
  try {
    const sold = await gateway();
    const session = await connected(sold.accessToken);
    assert.is((await asksOver(session, ['lamp'])).lamp?.status, 'opened');
    await stage.assign(sold, stage.customer);
    const told = await asksOver(session, ['lamp', 'brand new']);
    for (const name of ['lamp', 'brand new']) assert.equal(told[name], NOT_BEHIND);
    assert.is(await stage.find('brand new'), undefined, 'nor does it create anything');
    await session.close();
  } finally {
    await stage.stop();
  }
});

test('gateway attacks: rotate: the session of a gateway that changed hands ends with its next message', async () => {
  stage = await createStage({ options: { 'security.claim.onOwnerChange': 'rotate' } });
  try {
    const sold = await gateway();
    const session = await connected(sold.accessToken);
    await stage.assign(sold, stage.customer);
    session.send(claiming(['brand new'], HIS));
    await session.untilClosed();
    assert.is(await stage.find('brand new'), undefined);
  } finally {
    await stage.stop();
  }
});

test('gateway attacks: a gateway creates as many devices as it may, and hears why no more; its tenant goes on', async () => {
  stage = await createStage({ options: { 'quota.devicesPerGateway': '5', 'quota.devicesPerTenant': '9' } });
  try {
    const { api, admin, customer } = stage;
    const his = await gateway();
    const names = Array.from({ length: 40 }, (_, n) => `flood ${n}`);
    const told = await asks(his, names);
    const opened = names.filter((name) => told[name]?.status === 'opened');
    assert.is(opened.length, 5);
    for (const name of names) {
      if (!opened.includes(name)) assert.equal(told[name], { status: 'refused', reason: 'too-many-devices' });
    }
    // What is there is served all the same, and who comes another way is not kept out.
    assert.is((await asks(his, opened))[String(opened[0])]?.status, 'opened');
    for (let n = 0; n < 3; n += 1) await stage.device();
    const { status, body } = await api.send('POST', '/api/device', admin, { name: 'one too many' });
    assert.is(status, 400);
    assert.match(body, 'There may not be more than 9 devices');
    assert.is(await confirm(customer.token, String(opened[0])), '200 SUCCESS');
  } finally {
    await stage.stop();
  }
});

test.run();
