/**
 * Traces as an operator turns them on: the SDK of `config/examples/opentelemetry` is loaded before the real server, and what it sends
 * arrives by OTLP over HTTP, also what it still held when the server stopped. Without it nothing is sent.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cast } from '../kit/api.ts';
import { claimPacket, RawMqttClient } from '../kit/mqtt-client.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { startTraceCollector, tracesEnvironment } from '../kit/trace-collector.ts';

const SYSADMIN_PASSWORD = 'traces-sysadmin-password';

test.after(cleanUp);

async function claimOnce(env: Readonly<Record<string, string>>) {
  const server = await startServer({ env: { ...env, SYSADMIN_PASSWORD, OTEL_SERVICE_NAME: 'claims' } });
  const { api, tenant, customers } = await cast(server.url, SYSADMIN_PASSWORD, 1);
  await api.createDevice(tenant, 'pump', 'token-of-pump');
  const device = await RawMqttClient.connect(server.mqttPort, 4, 'token-of-pump');
  device.send(claimPacket(1, 1, { secretKey: 'right', durationMs: 600_000 }));
  await device.next('puback');
  assert.is((await api.confirm(customers[0]?.token ?? '', 'pump', 'right')).status, 200);
  await device.close();
  assert.is((await server.stop()).code, 0);
  return server.log().some(({ msg }) => msg === 'traces: an OpenTelemetry SDK is loaded');
}

test('traces: with the SDK of the example a claim arrives as one trace; without it nothing does', async () => {
  const collector = await startTraceCollector();
  const { NODE_OPTIONS, ...rest } = tracesEnvironment(collector.url);
  assert.ok(await claimOnce({ ...rest, NODE_OPTIONS }), 'the log says so');
  const spans = collector.spans();
  const publication = spans.find(({ name }) => name === 'process v1/devices/me/claim');
  const confirm = spans.find(({ name }) => name === 'POST /api/customer/device/:deviceName/claim');
  assert.ok(publication !== undefined && confirm?.traceId === publication.traceId);
  const attributes = collector.exported[0]?.resourceSpans[0]?.resource.attributes;
  assert.equal(attributes?.find(({ key }) => key === 'service.name')?.value, { stringValue: 'claims' });

  const before = spans.length;
  assert.not(await claimOnce(rest));
  assert.is(collector.spans().length, before);
  await collector.stop();
});

test.run();
