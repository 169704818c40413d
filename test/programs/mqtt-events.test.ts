/** Events in an MQTT topic tree, over a real Mosquitto: as CloudEvents by MQTT 5, and none lost while the broker is out of reach. */
import { trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { connectAsync, type IPublishPacket } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startMosquitto } from '../kit/mosquitto.ts';
import { cleanUp } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { openTcpProxy } from '../kit/tcp-proxy.ts';
import { until } from '../kit/until.ts';
import { createStage } from '../wire/stage.ts';

const test = suite('mqtt events');
const law = needing(['mosquitto'], test);
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

test.after(cleanUp);

async function listener(url: string) {
  const heard: { readonly topic: string; readonly text: string; readonly packet: IPublishPacket }[] = [];
  const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 });
  client.on('message', (topic, payload, packet) => heard.push({ topic, text: payload.toString(), packet }));
  await client.subscribeAsync('claimd/#', { qos: 1 });
  return { heard, end: () => client.endAsync(true) };
}

law(
  'a topic for each tenant, type and device; the attributes beside the data; and what happened while the broker was out of reach',
  async () => {
    const broker = await startMosquitto();
    const proxy = await openTcpProxy(broker.port);
    const stage = await createStage({
      options: {
        'transport.mqtt.broker.url': `mqtt://127.0.0.1:${proxy.port}`,
        'transport.mqtt.broker.event_topic': 'claimd/{tenant}/{type}/{device}',
      },
    });
    const first = await listener(broker.url);
    const device = await stage.device();
    await until('it is heard', () => first.heard.length > 0);
    const [{ topic, text, packet }] = first.heard as [(typeof first.heard)[number]];
    assert.match(topic, new RegExp(`^claimd/[0-9a-f-]{36}/device\\.created/${device.id}$`));
    const { properties } = packet;
    assert.is(properties?.contentType, 'application/json');
    const { id, type, specversion } = { ...properties?.userProperties };
    assert.equal([id, type, specversion], [`evt_${device.id}_1`, 'device.created', '1.0']);
    assert.is((JSON.parse(text) as { deviceName: string }).deviceName, device.name);

    proxy.sever();
    await stage.api.initiate(device.accessToken, { secretKey: 'right', durationMs: 600_000 });
    await stage.assign(device, stage.customer);
    proxy.mend();
    const types = () => [...new Set(first.heard.map((one) => one.topic.split('/')[2]))];
    await until('all are heard', () => types().length === 3);
    assert.equal(types(), ['device.created', 'device.window.opened', 'device.assigned']);
    await first.end();
    await stage.stop();
    await proxy.close();
    await broker.stop();
  },
);

law(
  'a trace comes in by user properties at the broker, and goes out with each event by those of its own',
  async () => {
    const spans = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
    );
    const broker = await startMosquitto();
    const stage = await createStage({
      options: {
        'transport.mqtt.broker.url': broker.url,
        'transport.mqtt.broker.event_topic': 'claimd/{tenant}/{type}/{device}',
        'tracing.sampleRatio': '0',
        'tracing.followDevices': 'true',
      },
    });
    const listening = await listener(broker.url);
    const device = await stage.device();
    const other = await stage.device();
    const created = ({ id }: typeof device) =>
      listening.heard.some(({ topic }) => topic.endsWith(`/device.created/${id}`));
    await until('the bridge is there', () => created(device) && created(other));
    const publisher = await connectAsync(broker.url, { protocolVersion: 5, reconnectPeriod: 0 });
    const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;
    const publish = ({ accessToken }: typeof device, userProperties?: Record<string, string>) =>
      publisher.publishAsync(`v1/devices/${accessToken}/claim`, '{"secretKey":"right"}', {
        qos: 1,
        ...(userProperties === undefined ? {} : { properties: { userProperties } }),
      });
    await publish(device, { traceparent, tracestate: 'vendor=1' });
    await publish(other);
    const opened = ({ id }: typeof device) =>
      listening.heard.find(({ topic }) => topic.endsWith(`/device.window.opened/${id}`));
    await until('both are heard', () => opened(device) !== undefined && opened(other) !== undefined);
    const properties = { ...opened(device)?.packet.properties?.userProperties };
    // A span is there when it has ended, which is when the broker has acknowledged: whoever listens may hear before.
    const finished = (is: (span: ReadableSpan) => boolean) => spans.getFinishedSpans().find(is);
    const sent = () =>
      finished((one) => properties.traceparent === `00-${TRACE}-${one.spanContext().spanId}-01`);
    const taken = () => finished(({ name }) => name.startsWith('process '));
    await until('both spans have ended', () => sent() !== undefined && taken() !== undefined);
    assert.is(sent()?.name, 'send events');
    assert.is(properties.tracestate, 'vendor=1');
    assert.equal(
      [taken()?.spanContext().traceId, sent()?.parentSpanContext?.spanId],
      [TRACE, taken()?.spanContext().spanId],
    );
    const without = { ...opened(other)?.packet.properties?.userProperties };
    assert.is(without.traceparent, undefined, 'nobody has asked for that one');
    await publisher.endAsync(true);
    await listening.end();
    await stage.stop();
    await broker.stop();
  },
);

test.run();
