/**
 * Traces as an operator turns them on: the SDK of `config/examples/opentelemetry` is loaded before the real server, and what it sends
 * arrives by OTLP over HTTP, also what it still held when the server stopped. Without it nothing is sent.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cast } from '../kit/api.ts';
import { claimPacket, RawMqttClient } from '../kit/mqtt-client.ts';
import { cleanUp, startServer } from '../kit/process.ts';

const SDK = fileURLToPath(new URL('../../../config/examples/opentelemetry/otel.mjs', import.meta.url));
const SYSADMIN_PASSWORD = 'traces-sysadmin-password';

test.after(cleanUp);

/** OTLP/HTTP in JSON, as far as this test looks. */
interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: unknown }[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly { readonly name: string; readonly traceId: string }[];
    }[];
  }[];
}

async function startCollector() {
  const exported: Exported[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      exported.push(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    exported,
    spans: () =>
      exported.flatMap((one) =>
        one.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      ),
    stop() {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}

async function claimOnce(endpoint: string, env: Readonly<Record<string, string>>) {
  const server = await startServer({
    env: {
      ...env,
      SYSADMIN_PASSWORD,
      TRACING_SAMPLE_RATIO: '1',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_SERVICE_NAME: 'claims',
    },
  });
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
  const collector = await startCollector();
  assert.ok(await claimOnce(collector.url, { NODE_OPTIONS: `--import ${SDK}` }), 'the log says so');
  const spans = collector.spans();
  const publication = spans.find(({ name }) => name === 'process v1/devices/me/claim');
  const confirm = spans.find(({ name }) => name === 'POST /api/customer/device/:deviceName/claim');
  assert.ok(publication !== undefined && confirm?.traceId === publication.traceId);
  const attributes = collector.exported[0]?.resourceSpans[0]?.resource.attributes;
  assert.equal(attributes?.find(({ key }) => key === 'service.name')?.value, { stringValue: 'claims' });

  const before = spans.length;
  assert.not(await claimOnce(collector.url, {}));
  assert.is(collector.spans().length, before);
  await collector.stop();
});

test.run();
