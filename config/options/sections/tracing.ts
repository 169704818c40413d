/** Traces: which spans are made where an OpenTelemetry SDK is loaded. Where they go is the SDK's business (`OTEL_…`). */
import { count, flag, section, text } from './declare.ts';

export const tracing = section('Traces', {
  sampleRatio: text({
    key: 'tracing.sampleRatio',
    env: 'TRACING_SAMPLE_RATIO',
    default: '0.01',
    pattern: /^(0|1|0?\.\d{1,9}|0\.\d{1,9}|1\.0{1,9})$/,
    expected: 'a number between 0 and 1, such as 0.01',
    why: 'Which share is traced of what comes without a trace context. Nothing is traced unless an OpenTelemetry SDK is loaded before the server (node --import).',
  }),
  followDevices: flag({
    key: 'tracing.followDevices',
    env: 'TRACING_FOLLOW_DEVICES',
    default: false,
    why: "Whether the trace context that a device sends is believed, so that spans go on in the device's own trace. Otherwise they are in a trace of this server's, with a link to the device's.",
  }),
  askedPerSecond: count({
    key: 'tracing.askedPerSecond',
    env: 'TRACING_ASKED_PER_SECOND',
    default: 50,
    min: 0,
    max: 1_000_000,
    why: 'Spans a second at most that devices and clients ask for by their sampled flag. What is above that is not traced.',
  }),
});
