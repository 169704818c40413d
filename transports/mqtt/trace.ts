/** The span of a device's publication, and the trace context in user properties (W3C Trace Context for MQTT, working draft). */
import type { TraceSpan, Tracing } from '../../actors/base/tracing.ts';

/** As the codec reads them: of several with one name it makes a list. */
type UserProperties = Readonly<Record<string, string | readonly string[]>>;

export interface TracedPublication {
  /** What it goes to, without what names a device. */
  readonly destination: string;
  readonly version: number;
  readonly userProperties: UserProperties | undefined;
}

/** Undefined: it is not traced. */
export function tracePublication(
  tracing: Tracing | undefined,
  { destination, version, userProperties }: TracedPublication,
): TraceSpan | undefined {
  if (tracing === undefined) return undefined;
  const sent = {
    traceparent: firstOf(userProperties?.traceparent),
    tracestate: firstOf(userProperties?.tracestate),
  };
  const origin = tracing.sample(sent, 'device');
  if (origin === 'silenced' || origin === 'unknown') return undefined;
  return tracing.start({
    ...origin,
    kind: 'consumer',
    name: `process ${destination}`,
    attributes: {
      'messaging.system': 'mqtt',
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'publish',
      'messaging.destination.template': destination,
      'network.protocol.name': 'mqtt',
      'network.protocol.version': VERSIONS[version] ?? String(version),
    },
  });
}

const VERSIONS: Readonly<Record<number, string>> = { 3: '3.1', 4: '3.1.1', 5: '5' };

function firstOf(values: string | readonly string[] | undefined): string | undefined {
  return typeof values === 'string' ? values : values?.[0];
}
