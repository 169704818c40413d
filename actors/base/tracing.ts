/**
 * Traces, by OpenTelemetry's API alone: spans are made only where the operator has loaded an SDK before this server starts
 * (`node --import`). Without one `openTracing` gives undefined, and all that is left on the way of a claim is a look at that.
 *
 * Whether something is traced is decided before a span is made: the sampled flag of who sent it, within a rate; where it says
 * nothing, a share of all. A context that is handed on or kept is a text, a `TraceText`. In a span there is no secret, no
 * token and no name of a device.
 */
import {
  type Attributes,
  type Context,
  createTraceState,
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import type { Clock } from './clock.ts';

/** `traceparent`, and behind a space `tracestate` if there is one (W3C Trace Context 1). Always of something that is sampled. */
export type TraceText = string;

/** What came with a request or a message, as it was sent: nothing of it is believed. */
interface SentTrace {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** Where a span belongs: in a trace that goes on, or in one of its own; with links to others. */
interface TraceOrigin {
  readonly parent?: TraceText;
  readonly links?: readonly TraceText[];
}

/** `silenced`: whoever sent it does not want it traced. `unknown`: it says nothing, and is not among the share that is traced. */
export type Sampling = TraceOrigin | 'silenced' | 'unknown';

interface NewSpan extends TraceOrigin {
  readonly kind: 'server' | 'client' | 'consumer' | 'producer';
  /** Of few different ones: no id and no name in it. */
  readonly name: string;
  readonly attributes: Attributes;
  /** When it began, in ms since 1970; absent: now. */
  readonly startedAt?: number;
}

export interface TraceSpan {
  /** Of this span, for what comes of it. Undefined: the SDK's own sampler has left it out. */
  readonly text: TraceText | undefined;
  /** @param error one word of few, for what failed */
  end(attributes: Attributes, error?: string): void;
}

export interface TracingSettings {
  /** Which share is traced of what comes without a context, between 0 and 1. */
  readonly sampleRatio: number;
  /** Whether a device's context is believed: its span goes on in the device's trace. Otherwise it is a link. */
  readonly followDevices: boolean;
  /** Spans a second at most that others want by their sampled flag. */
  readonly askedPerSecond: number;
}

export interface Tracing {
  /** Whether what was sent so is traced. */
  sample(sent: SentTrace, by: 'device' | 'client'): Sampling;
  start(span: NewSpan): TraceSpan;
  /** Has the SDK send what it holds back, for at most two seconds. */
  flush(): Promise<void>;
}

const FLUSH_MS = 2_000;

/** Undefined where no SDK is loaded. */
export function openTracing(
  settings: TracingSettings,
  clock: Clock,
  chance: () => number = Math.random,
): Tracing | undefined {
  const provider = trace.getTracerProvider();
  // One of another copy of the API is there only if somebody has registered it.
  const isThere =
    !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer('claimd') !== undefined;
  if (!isThere) return undefined;
  const tracer = provider.getTracer('claimd');
  const mayBeAsked = createRate(settings.askedPerSecond, clock);

  return {
    sample(sent, by) {
      const context = contextSent(sent);
      if (context === undefined) return chance() < settings.sampleRatio ? {} : 'unknown';
      if ((context.traceFlags & TraceFlags.SAMPLED) === 0) return 'silenced';
      if (!mayBeAsked()) return 'silenced';
      const text = textOf(context);
      return by === 'client' || settings.followDevices ? { parent: text } : { links: [text] };
    },

    start({ kind, name, attributes, parent, links = [], startedAt }) {
      const span = tracer.startSpan(
        name,
        {
          kind: KINDS[kind],
          attributes,
          links: links.map((text) => ({ context: contextOf(text) })),
          ...(startedAt === undefined ? {} : { startTime: startedAt }),
        },
        parent === undefined ? ROOT_CONTEXT : remote(contextOf(parent)),
      );
      const context = span.spanContext();
      return {
        text: span.isRecording() && context.traceFlags & TraceFlags.SAMPLED ? textOf(context) : undefined,
        end(more, error) {
          span.setAttributes(error === undefined ? more : { ...more, 'error.type': error });
          if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },

    async flush() {
      const actual = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
      if (!('forceFlush' in actual) || typeof actual.forceFlush !== 'function') return;
      const enough = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref());
      // Whoever collects spans may be away: that is no fault of this server's.
      await Promise.race([Promise.resolve(actual.forceFlush()).then(ignore, ignore), enough]);
    },
  };
}

function ignore(): void {}

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  producer: SpanKind.PRODUCER,
} as const;

/** The headers, or user properties, that hand a context on. */
export function carrierOf(text: TraceText): { readonly traceparent: string; readonly tracestate?: string } {
  const end = text.indexOf(' ');
  if (end === -1) return { traceparent: text };
  return { traceparent: text.slice(0, end), tracestate: text.slice(end + 1) };
}

function remote(context: SpanContext): Context {
  return trace.setSpanContext(ROOT_CONTEXT, context);
}

/** W3C Trace Context 1 §3.2.2; later versions may have more behind it. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const PARENT_CHARS_MAX = 256;
/** Of what is kept with an event. §3.3.1.5 wants 512 handed on at least. */
const STATE_CHARS_MAX = 512;
/** Printable ASCII alone: it becomes a header of others. */
const TRACESTATE = /^[\x20-\x7e]+$/;

/** Undefined where nothing was sent, or nothing that is valid: then a trace may begin here (§3.2.2.1). */
function contextSent({ traceparent, tracestate }: SentTrace): SpanContext | undefined {
  if (traceparent === undefined || traceparent.length > PARENT_CHARS_MAX) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(traceparent) ?? [];
  if (version === '00' && more !== undefined) return undefined;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED };
  if (!isSpanContextValid(context)) return undefined;
  const isState =
    tracestate !== undefined && tracestate.length <= STATE_CHARS_MAX && TRACESTATE.test(tracestate);
  return { ...context, isRemote: true, ...(isState ? { traceState: createTraceState(tracestate) } : {}) };
}

/** Of a text that was made here. */
function contextOf(text: TraceText): SpanContext {
  const context = contextSent(carrierOf(text));
  if (context === undefined) throw new Error('a trace context was kept that is none');
  return context;
}

function textOf({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceText {
  const state = traceState?.serialize() ?? '';
  const parent = `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')}`;
  return state === '' ? parent : `${parent} ${state}`;
}

/** So many a second, and no more of them saved up. */
function createRate(perSecond: number, clock: Clock): () => boolean {
  let left = perSecond;
  let seenAt = clock.elapsed();
  return () => {
    const now = clock.elapsed();
    left = Math.min(perSecond, left + ((now - seenAt) * perSecond) / 1_000);
    seenAt = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}
