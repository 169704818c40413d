/** A collector of traces for tests: it takes what the SDK of `config/examples/opentelemetry` sends by OTLP over HTTP, in JSON. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const SDK = fileURLToPath(new URL('../../../config/examples/opentelemetry/otel.mjs', import.meta.url));

/** What a server needs to send its spans to a collector: all of them. */
export const tracesEnvironment = (collectorUrl: string) => ({
  NODE_OPTIONS: `--import ${SDK}`,
  OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl,
  TRACING_SAMPLE_RATIO: '1',
});

/** OTLP/HTTP in JSON, as far as tests look. */
interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: unknown }[] };
    readonly scopeSpans: readonly { readonly spans: readonly ExportedSpan[] }[];
  }[];
}

interface ExportedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
}

export interface TraceCollector {
  readonly url: string;
  readonly exported: readonly Exported[];
  spans(): readonly ExportedSpan[];
  stop(): Promise<void>;
}

export async function startTraceCollector(): Promise<TraceCollector> {
  const exported: Exported[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      exported.push(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.keepAliveTimeout = 0; // or it might close a connection on which something is just being asked
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    exported,
    spans: () =>
      exported.flatMap((one) =>
        one.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      ),
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
