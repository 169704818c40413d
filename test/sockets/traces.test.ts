/**
 * Traces, over real connections and with a real SDK: from a device's publication to its owner and on to a webhook it is one trace. What
 * strangers send as context is not believed, asks for no more than a rate, and no secret and no name gets into a span.
 */
import { trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { showCode } from '../../transports/coap/codes.ts';
import { claimPath } from '../kit/api.ts';
import { claimPath as coapClaimPath, RawCoapClient } from '../kit/coap-client.ts';
import { send } from '../kit/http.ts';
import { CLAIM_TOPIC, RawMqttClient } from '../kit/mqtt-client.ts';
import { type Heard, type Receiver, startReceiver } from '../kit/receiver.ts';
import { until } from '../kit/until.ts';
import { createStage, type Stage, type StagedDevice } from '../wire/stage.ts';

const test = suite('traces');
const spans = new InMemorySpanExporter();
const OUTBOUND = { 'outbound.allowHttp': 'true', 'outbound.allowedNetworks': '127.0.0.1' };
/** Nothing of claimd's own choice. */
const ONLY_ASKED = { ...OUTBOUND, 'tracing.sampleRatio': '0' };
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const SAMPLED = `00-${TRACE}-${SPAN}-01`;
const SECRET = 'a-secret-that-must-not-be-told';

let stage: Stage | undefined;
let receiver: Receiver | undefined;

test.before(() => {
  const spanProcessors = [new SimpleSpanProcessor(spans)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
});

test.after.each(async () => {
  await stage?.stop();
  await receiver?.stop();
  stage = undefined;
  receiver = undefined;
  spans.reset();
});

async function begin(options: Readonly<Record<string, string>>): Promise<Stage> {
  stage = await createStage({ options });
  receiver = await startReceiver();
  await stage.api.post('/api/webhook', stage.admin, { url: receiver.url });
  return stage;
}

const OPENING = { secretKey: SECRET, durationMs: 600_000 };

async function publish(
  on: Stage,
  device: StagedDevice,
  userProperties?: object,
  topic = CLAIM_TOPIC,
  payload: object = OPENING,
): Promise<void> {
  const client = await RawMqttClient.connect(on.world.mqttPort, 5, device.accessToken);
  client.send({
    cmd: 'publish',
    topic,
    payload: JSON.stringify(payload),
    qos: 1,
    dup: false,
    retain: false,
    messageId: 1,
    ...(userProperties === undefined ? {} : { properties: { userProperties } }),
  });
  assert.is((await client.next('puback')).reasonCode, 0);
  await client.close();
}

const claim = (on: Stage, device: StagedDevice, headers: Readonly<Record<string, string>> = {}) =>
  send(`${on.world.url}${claimPath(device.name)}`, {
    method: 'POST',
    token: on.customer.token,
    headers,
    body: { secretKey: SECRET },
  });

async function heardOf(device: StagedDevice, type: string): Promise<Heard> {
  const mine = () =>
    receiver?.heard.find(({ id, body }) => id.includes(device.id) && body.includes(`"${type}"`));
  await until(`${type} is heard`, () => mine() !== undefined);
  const heard = mine();
  if (heard === undefined) throw new Error('it was heard');
  return heard;
}

const named = (name: string) => spans.getFinishedSpans().filter((span) => span.name.startsWith(name));
const traceOf = (heard: Heard) => String(heard.headers.traceparent).split('-')[1];

test("from a device's publication to its owner and on to the webhook it is one trace, and none of it names anybody", async () => {
  const on = await begin({ ...OUTBOUND, 'tracing.sampleRatio': '1' });
  const device = await on.device();
  await publish(on, device);
  assert.is((await claim(on, device)).status, 200);
  const claimed = await heardOf(device, 'device.claimed');

  const [published] = named(`process ${CLAIM_TOPIC}`);
  const [confirmed] = named('POST /api/customer/device/:deviceName/claim');
  const traceId = published?.spanContext().traceId ?? '';
  assert.is(published?.parentSpanContext, undefined, 'it begins at the device');
  assert.is(confirmed?.spanContext().traceId, traceId);
  assert.is(confirmed?.parentSpanContext?.spanId, published?.spanContext().spanId);
  // A span ends when its answer is there, a moment after the receiver has heard.
  const toldIn = () => named('POST webhook').filter((span) => span.spanContext().traceId === traceId);
  await until('the spans of both messages have ended', () => toldIn().length === 2);
  const told = toldIn();
  assert.equal(told.map((span) => span.attributes['claimd.event.type']).sort(), [
    'device.claimed',
    'device.window.opened',
  ]);
  const ofClaim = told.find((span) => span.attributes['claimd.event.type'] === 'device.claimed');
  assert.is(ofClaim?.parentSpanContext?.spanId, confirmed?.spanContext().spanId);
  assert.is(claimed.headers.traceparent, `00-${traceId}-${ofClaim?.spanContext().spanId}-01`);

  const all = spans.getFinishedSpans().map(({ name, attributes, links }) => ({ name, attributes, links }));
  const text = JSON.stringify(all);
  const secrets = [SECRET, device.name, device.accessToken, on.customer.token];
  for (const secret of secrets) assert.not(text.includes(secret), `${secret} is in a span`);
});

test('a caller has a trace of its own: the claim and the webhook are in it, and the publication is linked', async () => {
  const on = await begin({ ...ONLY_ASKED, 'tracing.followDevices': 'true' });
  const device = await on.device();
  await publish(on, device, { traceparent: SAMPLED, tracestate: 'vendor=1' });
  const other = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  assert.is((await claim(on, device, { traceparent: other })).status, 200);
  const opened = await heardOf(device, 'device.window.opened');
  assert.is(traceOf(opened), TRACE, "believed, the device's trace goes on");
  assert.is(opened.headers.tracestate, 'vendor=1');
  assert.is(traceOf(await heardOf(device, 'device.claimed')), 'a'.repeat(32));
  const [confirmed] = named('POST /api/customer');
  assert.equal(
    confirmed?.links.map(({ context }) => context.traceId),
    [TRACE],
  );
  const created = await heardOf(device, 'device.created');
  assert.is(created.headers.traceparent, undefined, 'nobody has asked for that one');
});

test("a gateway's message is one trace with all windows that it opens; no name of a device is in its span", async () => {
  const on = await begin({ ...ONLY_ASKED, 'tracing.followDevices': 'true' });
  const gateway = await on.device({ gateway: true });
  const behind = [await on.device(), await on.device()];
  const entries = { ...Object.fromEntries(behind.map(({ name }) => [name, OPENING])) };
  await publish(on, gateway, { traceparent: SAMPLED }, 'v1/gateway/claim', entries);
  const [published, ...more] = named('process v1/gateway/claim');
  assert.is(more.length, 0);
  assert.is(published?.spanContext().traceId, TRACE);
  assert.equal(
    [published?.attributes['claimd.gateway.devices'], published?.attributes['claimd.gateway.opened']],
    [2, 2],
  );
  for (const device of behind) {
    assert.is(traceOf(await heardOf(device, 'device.window.opened')), TRACE);
    assert.is((await claim(on, device)).status, 200);
    assert.is(traceOf(await heardOf(device, 'device.claimed')), TRACE);
  }
  const text = JSON.stringify(spans.getFinishedSpans().map(({ name, attributes }) => ({ name, attributes })));
  for (const { name } of behind) assert.not.match(text, name);
  assert.not.match(text, SECRET);

  const another = { [(await on.device()).name]: OPENING };
  await publish(on, gateway, undefined, 'v1/gateway/claim', another);
  assert.is(
    named('process v1/gateway/claim').length,
    1,
    'without a context it is among the share, which is none',
  );
});

test('over CoAP a trace begins where one is chosen, and goes on to the owner and the webhook', async () => {
  const on = await begin({ ...OUTBOUND, 'tracing.sampleRatio': '1' });
  const device = await on.device();
  const client = await RawCoapClient.open(on.world.coapPort);
  const answer = await client.request({
    options: coapClaimPath(device.accessToken),
    payload: Buffer.from(JSON.stringify(OPENING)),
  });
  assert.is(showCode(answer.code), '2.01');
  await client.close();
  const [opened] = named('POST api/v1/+/claim');
  const traceId = opened?.spanContext().traceId;
  assert.is(opened?.attributes['claimd.outcome'], 'opened');
  assert.is((await claim(on, device)).status, 200);
  assert.is(traceOf(await heardOf(device, 'device.window.opened')), traceId);
  assert.is(traceOf(await heardOf(device, 'device.claimed')), traceId);
});

test("a device's context is a link alone, unless the operator believes it; no flag, a wrong one and none at all ask for nothing", async () => {
  const on = await begin(ONLY_ASKED);
  const device = await on.device();
  await publish(on, device, { traceparent: ['nonsense', SAMPLED] });
  for (const traceparent of [
    `00-${TRACE}-${SPAN}-00`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `${SAMPLED}-more`,
    SAMPLED.toUpperCase(),
    'x'.repeat(4_000),
  ]) {
    await publish(on, device, { traceparent });
  }
  assert.is(named('process').length, 0);
  await publish(on, device, { traceparent: [SAMPLED, 'nonsense'], tracestate: 'vendor=1' });
  const [published, ...more] = named('process');
  assert.is(more.length, 0);
  assert.is(published?.parentSpanContext, undefined);
  assert.is.not(published?.spanContext().traceId, TRACE);
  assert.equal(
    published?.links.map(({ context }) => context.traceId),
    [TRACE],
  );
});

test('whoever asks for spans gets so many a second, and everything else all the same', async () => {
  const on = await begin({ ...ONLY_ASKED, 'tracing.askedPerSecond': '3' });
  const from = performance.now();
  let asked = 0;
  for (; asked < 200; asked += 1) {
    const headers = { traceparent: SAMPLED };
    const { status } = await send(`${on.world.url}/api/noauth/userPasswordPolicy`, {
      method: 'GET',
      headers,
    });
    assert.ok(status < 500);
  }
  const seconds = (performance.now() - from) / 1_000;
  const made = named('').length;
  assert.ok(made >= 3 && made <= 3 + Math.ceil(3 * seconds), `${made} of ${asked} in ${seconds} s`);
});

test.run();
