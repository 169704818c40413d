/**
 * One request's span, if it has one. It begins as late as a handler asks for it, so that a claim can go on in the trace in which its
 * window was opened; and at the latest when the answer is known. No address of a request is in it: names and tokens are.
 */
import type { Clock } from '../actors/base/clock.ts';
import type { Sampling, TraceSpan, TraceText, Tracing } from '../actors/base/tracing.ts';
import type { Asked } from './wire/asked.ts';

export interface RequestTrace {
  /**
   * Begins the span, once.
   * @param earlier what the request goes on with; it is continued unless the caller has a trace of its own, which is then linked
   * @returns for what comes of the request; undefined where it is not traced
   */
  begin(earlier?: TraceText): TraceText | undefined;
  end(status: number): void;
  /** For the log; nothing where it is not traced. */
  ids(): { readonly traceId?: string; readonly spanId?: string };
}

/** The paths of devices: what they send is believed only where the operator says so. */
const FOR_DEVICES = '/api/v1/';
const SERVER_ERROR = 500;

export function traceRequest(
  tracing: Tracing,
  asked: Pick<Asked, 'header'>,
  { method, path }: { readonly method: string; readonly path: string },
  clock: Clock,
): RequestTrace {
  const startedAt = clock.now();
  const sent = { traceparent: asked.header('traceparent'), tracestate: asked.header('tracestate') };
  const sampling = tracing.sample(sent, path.startsWith(FOR_DEVICES) ? 'device' : 'client');
  let span: TraceSpan | undefined;

  return {
    begin(earlier) {
      const origin = originOf(sampling, earlier);
      if (span === undefined && origin !== undefined) {
        const attributes = { 'http.request.method': method, 'http.route': path };
        span = tracing.start({ ...origin, kind: 'server', name: `${method} ${path}`, attributes, startedAt });
      }
      return span?.text;
    },
    end(status) {
      this.begin();
      const error = status >= SERVER_ERROR ? String(status) : undefined;
      span?.end({ 'http.response.status_code': status }, error);
    },
    ids() {
      const [, traceId, spanId] = span?.text?.split('-') ?? [];
      return traceId === undefined || spanId === undefined ? {} : { traceId, spanId };
    },
  };
}

/** Undefined: it is not traced. */
function originOf(sampling: Sampling, earlier: TraceText | undefined) {
  if (sampling === 'silenced') return undefined;
  if (earlier === undefined) return sampling === 'unknown' ? undefined : sampling;
  if (sampling === 'unknown' || sampling.parent === undefined) {
    return { parent: earlier, ...(sampling === 'unknown' ? {} : { links: sampling.links ?? [] }) };
  }
  return { ...sampling, links: [earlier] };
}
