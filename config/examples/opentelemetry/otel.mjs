// Loads an OpenTelemetry SDK before claimd: node --import /etc/claimd/otel/otel.mjs …, or NODE_OPTIONS="--import …".
// Spans go to OTEL_EXPORTER_OTLP_ENDPOINT (default http://localhost:4318) by OTLP over HTTP; OTEL_SERVICE_NAME names this server.
import { isMainThread } from 'node:worker_threads';
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

// claimd hands contexts on by itself. So there is no context manager, which would cost each claim something.
if (isMainThread) {
  const name = process.env.OTEL_SERVICE_NAME ?? 'claimd';
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({
      resource: defaultResource().merge(resourceFromAttributes({ 'service.name': name })),
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    }),
  );
}
