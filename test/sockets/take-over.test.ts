/**
 * Losing a device without giving it back, from outside: take-overs and factory resets over real sockets, and the attacks on
 * them that "Your IoTs Are (Not) Mine" (DSN 2019) and practice know. Rules N1 to N5.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { claimPath } from '../kit/api.ts';
import { createSettableClock, type SettableClock } from '../kit/awake-clock.ts';
import { RawCoapClient, uriPath } from '../kit/coap-client.ts';
import { CLAIM_RESPONSE_TOPIC, CLAIM_TOPIC, RawMqttClient } from '../kit/mqtt-client.ts';
import { until } from '../kit/until.ts';
import { showReply } from '../wire/doors.ts';
import { createStage, type Stage, type StagedDevice } from '../wire/stage.ts';

type Options = Readonly<Record<string, string>>;
type Play = (stage: Stage) => Promise<void>;

const all = suite('take-over');
let stage: Stage;
let clock: SettableClock;

/** Laws under one set of options share a server. */
function under(options: Options, laws: Readonly<Record<string, Play>>): void {
  const words = Object.entries(options)
    .map(([key, value]) => `${key.replace('security.claim.', '')}=${value}`)
    .join(', ');
  for (const [at, [name, play]] of Object.entries(laws).entries()) {
    all(`${words}: ${name}`, async () => {
      if (at === 0) {
        clock = createSettableClock();
        stage = await createStage({ options, clock });
      }
      try {
        await play(stage);
      } finally {
        if (at === Object.keys(laws).length - 1) await stage.stop();
      }
    });
  }
}

const LABEL = 'printed on the box';
const FRESH = 'shown on its display';

const takeOverPath = ({ name }: Pick<StagedDevice, 'name'>) =>
  `/api/customer/device/${encodeURIComponent(name)}/takeOver`;

/** What a customer hears who claims: `200 SUCCESS`, or `400 "FAILURE" take-over-pending`. */
async function claim(
  token: string,
  { name }: Pick<StagedDevice, 'name'>,
  secretKey: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answer = await fetch(`${stage.world.url}${claimPath(name)}`, {
    method: 'POST',
    headers: { 'X-Authorization': `Bearer ${token}`, ...headers },
    body: JSON.stringify({ secretKey }),
  });
  const why = answer.headers.get('claim-refusal');
  const shown = showReply(answer.status, await answer.text());
  return why === null ? shown : `${shown} ${why}`;
}

const open = async ({ accessToken }: StagedDevice, secretKey = FRESH) =>
  (await stage.api.initiate(accessToken, { secretKey })).status;

const reset = (device: StagedDevice, more: object = {}) =>
  stage.api.initiate(device.accessToken, { secretKey: FRESH, reset: true, ...more });

async function ownedDevice(by = stage.customer): Promise<StagedDevice> {
  const device = await stage.device();
  await stage.assign(device, by);
  return device;
}

/** The other customer has asked for the device, with what its display showed. */
async function askedFor(): Promise<StagedDevice> {
  const device = await ownedDevice();
  assert.is(await open(device), 200);
  assert.is(await claim(stage.otherCustomer.token, device, FRESH), '400 "FAILURE" take-over-pending');
  return device;
}

const isOwnedBy = (device: StagedDevice, { id }: { readonly id: string }) =>
  until(`${device.name} has its next owner`, async () => (await stage.ownerOf(device.id)) === id);

/** So long has the owner to object, which no test takes by itself, however slow the machine is. */
const NOTICE_MS = 600_000;

/** Longer than a take-over of this stage takes, seen at another one that was asked for later. */
async function laterOneHappens(): Promise<void> {
  const later = await askedFor();
  clock.pass(NOTICE_MS);
  await isOwnedBy(later, stage.otherCustomer);
}

under(
  {},
  {
    async 'an owned device opens no window and is taken over by nobody'() {
      const device = await ownedDevice();
      assert.is(await open(device), 409);
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '400 "CLAIMED" already-claimed');
    },

    async 'a reset of an owned device is refused, and of another it opens a window as without the field'() {
      const { body, status } = await reset(await ownedDevice());
      assert.equal([status, JSON.parse(body).reason], [409, 'reset-not-allowed']);
      const free = await stage.device();
      assert.is((await reset(free)).status, 200);
      assert.is(await claim(stage.customer.token, free, FRESH), '200 SUCCESS');
    },
  },
);

under(
  { 'security.claim.takeOver': 'at-once' },
  {
    async 'who has what the device shows owns it at once; who has not hears what was so before'() {
      const device = await ownedDevice();
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '400 "CLAIMED" already-claimed');
      assert.is(await open(device), 200);
      assert.is(await claim(stage.otherCustomer.token, device, 'a guess'), '400 "FAILURE" wrong-secret');
      assert.is(await claim(stage.customer.token, device, FRESH), '400 "CLAIMED" already-yours');
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '200 SUCCESS');
      assert.is(await stage.ownerOf(device.id), stage.otherCustomer.id);
    },

    async 'attack: a gateway takes over: its window does not open, not even the tenant’s own gateway’s'() {
      const device = await ownedDevice();
      const gateway = await stage.device({ gateway: true });
      const client = await RawMqttClient.connect(stage.world.mqttPort, 5, gateway.accessToken);
      await client.subscribe('v1/gateway/claim/response', 0);
      const entries = { [device.name]: { secretKey: FRESH } };
      client.send(published('v1/gateway/claim', entries));
      await client.next('puback');
      const told = await messageOf(client);
      assert.equal(told, { [device.name]: { status: 'refused', reason: 'already-claimed' } });
      await client.close();
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '400 "CLAIMED" already-claimed');
    },

    async 'attack: the stolen label: a server key or the printed secret takes nothing over without the device'() {
      const device = await stage.device();
      const path = `/api/plugins/telemetry/${device.id}/SERVER_SCOPE`;
      const key = { secretKey: LABEL, expirationTime: Date.now() + 600_000 };
      await stage.api.must('POST', path, stage.admin, { claimingData: key });
      assert.is(await claim(stage.customer.token, device, LABEL), '200 SUCCESS');
      // The tenant sets it anew, for a label that is printed again.
      await stage.api.must('POST', path, stage.admin, { claimingData: key });
      assert.is(await claim(stage.otherCustomer.token, device, LABEL), '400 "CLAIMED" already-claimed');
    },

    async 'attack: the empty secret, which everybody has, is none'() {
      const device = await ownedDevice();
      const { status, body } = await stage.api.initiate(device.accessToken, {});
      assert.equal([status, JSON.parse(body).reason], [409, 'secret-too-short']);
      assert.is(await claim(stage.otherCustomer.token, device, ''), '400 "CLAIMED" already-claimed');
    },

    async 'attack: an ex-owner takes back by a window that it had opened before: it ended with the ownership'() {
      const { customer: seller, otherCustomer: buyer } = stage;
      const device = await ownedDevice(seller);
      const forYears = { secretKey: 'the seller’s own', durationMs: 20 * 365 * 86_400_000 };
      assert.is((await stage.api.initiate(device.accessToken, forYears)).status, 200);
      const offer = await stage.api.must('POST', transferPath(device), seller.token, {});
      const { code } = JSON.parse(offer) as { code: string };
      await stage.api.must('POST', '/api/transfer/accept', buyer.token, { code });
      assert.is(await stage.ownerOf(device.id), buyer.id);
      assert.is(await claim(seller.token, device, 'the seller’s own'), '400 "CLAIMED" already-claimed');
    },

    async 'two take it over at once: one does, and the other hears that it is owned'() {
      const device = await ownedDevice();
      assert.is(await open(device), 200);
      const others = [stage.otherCustomer, await stage.newCustomer(), await stage.newCustomer()];
      const heard = await Promise.all(others.map(({ token }) => claim(token, device, FRESH)));
      assert.equal(heard.toSorted(), [
        '200 SUCCESS',
        '400 "CLAIMED" already-claimed',
        '400 "CLAIMED" already-claimed',
      ]);
    },

    async 'a device that the tenant has forbidden is taken over by nobody, with a window that was open before'() {
      const device = await ownedDevice();
      assert.is(await open(device), 200);
      await stage.bringAbout(device, 'it may not be claimed');
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '400 "CLAIMED" already-claimed');
    },
  },
);

under(
  { 'security.claim.takeOver': 'after-notice', 'security.claim.takeOverNotice': String(NOTICE_MS) },
  {
    async 'nobody objects: it is pending, heard as such, and done'() {
      const device = await askedFor();
      const { otherCustomer: newcomer } = stage;
      const asked = { Prefer: 'respond-async' };
      const answer = await fetch(`${stage.world.url}${claimPath(device.name)}`, {
        method: 'POST',
        headers: { 'X-Authorization': `Bearer ${newcomer.token}`, ...asked },
      });
      assert.is(answer.status, 202);
      assert.is(answer.headers.get('preference-applied'), 'respond-async');
      const { response, takeOver } = (await answer.json()) as { response: string; takeOver: object };
      assert.is(response, 'PENDING');
      assert.equal(Object.keys(takeOver), ['askedAt', 'completesAt', 'ownerEpoch', 'customerId']);
      clock.pass(NOTICE_MS);
      await isOwnedBy(device, newcomer);
      const info = JSON.parse(await stage.api.must('GET', `/api/device/info/${device.id}`, newcomer.token));
      assert.equal([info.ownedBy, info.takeOver], ['take-over', null]);
    },

    async 'a newcomer whose user was switched off meanwhile gets nothing'() {
      const device = await ownedDevice();
      const newcomer = await stage.newCustomer();
      assert.is(await open(device), 200);
      assert.match(await claim(newcomer.token, device, FRESH), /^400 "FAILURE"/);
      await stage.api.must('DELETE', `/api/customer/${newcomer.id}`, stage.admin);
      await laterOneHappens();
      assert.is(await stage.ownerOf(device.id), stage.customer.id);
    },

    async 'attack: a take-over during a transfer: it ends with the ownership, and does not happen to the buyer'() {
      const device = await askedFor();
      const buyer = await stage.newCustomer();
      const offer = await stage.api.must('POST', transferPath(device), stage.customer.token, {});
      const { code } = JSON.parse(offer) as { code: string };
      await stage.api.must('POST', '/api/transfer/accept', buyer.token, { code });
      await laterOneHappens();
      assert.is(await stage.ownerOf(device.id), buyer.id);
    },
  },
);

under(
  { 'security.claim.takeOver': 'after-notice' },
  {
    async 'the owner sees that somebody wants it, not who; the tenant sees both; the owner objects'() {
      const device = await askedFor();
      const { api, customer: owner, otherCustomer: newcomer, admin } = stage;
      const seenBy = async (token: string) =>
        JSON.parse(await api.must('GET', takeOverPath(device), token)).customerId?.id ?? null;
      assert.equal(
        [await seenBy(owner.token), await seenBy(admin), await seenBy(newcomer.token)],
        [null, newcomer.id, newcomer.id],
      );
      const stranger = await stage.newCustomer();
      for (const method of ['GET', 'DELETE']) {
        assert.is((await api.send(method, takeOverPath(device), stranger.token)).status, 403);
      }
      await api.must('DELETE', takeOverPath(device), owner.token);
      await api.must('DELETE', takeOverPath(device), owner.token); // twice is as good as once
      assert.is((await api.send('GET', takeOverPath(device), owner.token)).status, 404);
      // Its secret is used up, so who wants it again has to have the device in hand again.
      assert.is(await claim(newcomer.token, device, FRESH), '400 "CLAIMED" already-claimed');
      assert.is(await stage.ownerOf(device.id), owner.id);
    },

    async 'the owner closes a window that waits to be taken over, and keeps the device'() {
      const device = await ownedDevice();
      assert.is(await open(device), 200);
      await stage.api.must('DELETE', takeOverPath(device), stage.customer.token);
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '400 "CLAIMED" already-claimed');
      assert.is(await stage.ownerOf(device.id), stage.customer.id);
    },

    async 'two ask at once: one is heard, and asking again says so; the other hears that it is owned'() {
      const device = await ownedDevice();
      assert.is(await open(device), 200);
      const others = [stage.otherCustomer, await stage.newCustomer()];
      const heard = await Promise.all(others.map(({ token }) => claim(token, device, FRESH)));
      assert.equal(heard.toSorted(), ['400 "CLAIMED" already-claimed', '400 "FAILURE" take-over-pending']);
    },

    async 'it ends with the ownership: given back, the next one claims it as ever'() {
      const device = await askedFor();
      await stage.api.must('DELETE', claimPath(device.name), stage.customer.token);
      assert.is(await open(device), 200);
      const next = await stage.newCustomer();
      assert.is(await claim(next.token, device, FRESH), '200 SUCCESS');
    },
  },
);

under(
  { 'security.claim.deviceReset': 'release-and-open' },
  {
    async 'a reset over HTTP leaves the owner and opens the window, by one message'() {
      const device = await ownedDevice();
      assert.is((await reset(device)).status, 200);
      assert.is(await stage.ownerOf(device.id), null);
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '200 SUCCESS');
    },

    async 'over CoAP'() {
      const device = await ownedDevice();
      const client = await RawCoapClient.open(stage.world.coapPort);
      const payload = Buffer.from(JSON.stringify({ secretKey: FRESH, reset: true }));
      const options = uriPath('api', 'v1', device.accessToken, 'claim');
      assert.is((await client.request({ code: 2, options: [...options], payload })).code, 0x41); // 2.01
      await client.close();
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '200 SUCCESS');
    },

    async 'over MQTT, as JSON and as protobuf'() {
      for (const payload of [
        JSON.stringify({ secretKey: FRESH, reset: true }),
        Buffer.concat([Buffer.from([0x0a, FRESH.length]), Buffer.from(FRESH), Buffer.from([0x18, 1])]),
      ]) {
        const isJson = typeof payload === 'string';
        const device = await stage.device({ profile: isJson ? undefined : 'MQTT PROTOBUF' });
        await stage.assign(device, stage.customer);
        const { puback, message } = await publish(device, payload);
        assert.is(puback, 0);
        assert.is(message.status, 'opened');
        assert.is(message.ownerEpoch, 2);
        assert.is(await claim(stage.otherCustomer.token, device, FRESH), '200 SUCCESS');
      }
    },

    async 'all of it or nothing: a duration that cannot be stored releases nobody'() {
      const device = await ownedDevice();
      assert.is((await reset(device, { durationMs: Number.MAX_SAFE_INTEGER })).status, 400);
      assert.is(await stage.ownerOf(device.id), stage.customer.id);
    },

    async 'attack: the reset flood: once an hour, and the owner in between keeps the device'() {
      const device = await ownedDevice();
      assert.is((await reset(device)).status, 200);
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '200 SUCCESS');
      for (let n = 0; n < 20; n += 1) {
        const { status, body } = await reset(device);
        assert.equal([status, JSON.parse(body).reason], [429, 'rate-limited']);
      }
      assert.is(await stage.ownerOf(device.id), stage.otherCustomer.id);
    },

    async 'attack: a replayed reset: what is delivered twice does not reset twice'() {
      const device = await ownedDevice();
      const payload = JSON.stringify({ secretKey: FRESH, reset: true });
      assert.is((await publish(device, payload)).puback, 0);
      // The acknowledgement was lost, and nobody has claimed it yet: the same again is the same again.
      assert.equal((await publish(device, payload, true)).message.status, 'opened');
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '200 SUCCESS');
      const { puback, message } = await publish(device, payload, true);
      assert.equal([puback, message.reason], [0x87, 'reset-repeated']);
      assert.is(await stage.ownerOf(device.id), stage.otherCustomer.id);
    },

    async 'attack: a replayed reset of a device that nobody owned takes it from nobody'() {
      const device = await stage.device();
      const payload = JSON.stringify({ secretKey: FRESH, reset: true });
      assert.is((await publish(device, payload)).puback, 0);
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '200 SUCCESS');
      assert.is((await publish(device, payload, true)).message.reason, 'reset-repeated');
      assert.is((await reset(device)).status, 429); // a retry that does not say that it is one
      assert.is(await stage.ownerOf(device.id), stage.otherCustomer.id);
    },

    async 'attack: a gateway resets what it speaks for: never'() {
      const device = await ownedDevice();
      const gateway = await stage.device({ gateway: true });
      const client = await RawMqttClient.connect(stage.world.mqttPort, 5, gateway.accessToken);
      await client.subscribe('v1/gateway/claim/response', 0);
      client.send(published('v1/gateway/claim', { [device.name]: { secretKey: FRESH, reset: true } }));
      await client.next('puback');
      const told = await messageOf(client);
      assert.equal(told, { [device.name]: { status: 'refused', reason: 'reset-not-allowed' } });
      await client.close();
      assert.is(await stage.ownerOf(device.id), stage.customer.id);
    },

    async 'a device that the tenant has forbidden stays where it is'() {
      const device = await ownedDevice();
      await stage.bringAbout(device, 'it may not be claimed');
      const { status, body } = await reset(device);
      assert.equal([status, JSON.parse(body).reason], [409, 'claiming-not-allowed']);
      assert.is(await stage.ownerOf(device.id), stage.customer.id);
    },
  },
);

under(
  { 'security.claim.deviceReset': 'release' },
  {
    async 'a reset releases and opens nothing, and a profile may say otherwise'() {
      const device = await ownedDevice();
      const { puback, message } = await publish(device, JSON.stringify({ secretKey: FRESH, reset: true }));
      assert.equal([puback, message], [0, { status: 'released', ownerEpoch: 2 }]);
      assert.is(await stage.ownerOf(device.id), null);
      assert.is(await claim(stage.otherCustomer.token, device, FRESH), '400 "FAILURE" no-window');
    },
  },
);

const transferPath = ({ name }: StagedDevice) => `/api/customer/device/${encodeURIComponent(name)}/transfer`;

function published(topic: string, payload: object | string | Buffer, dup = false) {
  const text = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
  return { cmd: 'publish', topic, qos: 1, messageId: 7, dup, retain: false, payload: text } as const;
}

async function messageOf(client: RawMqttClient): Promise<Record<string, unknown>> {
  const [packet] = (await client.untilPong()).filter(({ cmd }) => cmd === 'publish');
  return packet?.cmd === 'publish' ? JSON.parse(packet.payload.toString()) : {};
}

/** A claim message by QoS 1: the reason code of its PUBACK, and what came on the response topic. */
async function publish({ accessToken }: StagedDevice, payload: string | Buffer, dup = false) {
  const client = await RawMqttClient.connect(stage.world.mqttPort, 5, accessToken);
  try {
    await client.subscribe(CLAIM_RESPONSE_TOPIC, 0);
    client.send(published(CLAIM_TOPIC, payload, dup));
    const { reasonCode = 0 } = await client.next('puback');
    return { puback: reasonCode, message: await messageOf(client) };
  } finally {
    await client.close();
  }
}

all.run();
