/** A handler's answer as a value, and how it becomes an HTTP response. */
import { unreachable } from '../../actors/base/unreachable.ts';
import type { ReasonCode } from '../../actors/claiming/reasons.ts';

export type Reply = JsonReply | TextReply | HtmlReply | StreamReply | EmptyReply | RedirectReply | Problem;

export interface JsonReply {
  readonly type: 'json';
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Headers;
}

export interface TextReply {
  readonly type: 'text';
  readonly status: number;
  readonly body: string;
  readonly headers?: Headers;
}

interface HtmlReply {
  readonly type: 'html';
  readonly body: string;
  /** Content-Security-Policy. */
  readonly policy: string;
}

/** A body too long for memory, or one that lasts as long as somebody listens. */
interface StreamReply {
  readonly type: 'stream';
  readonly contentType: string;
  readonly body: ReadableStream<Uint8Array>;
  readonly headers?: Headers;
}

export interface EmptyReply {
  readonly type: 'empty';
  readonly status: number;
}

interface RedirectReply {
  readonly type: 'redirect';
  readonly location: string;
}

/** What went wrong, for ThingsBoard's error envelope (see `errors.ts`). */
export interface Problem {
  readonly type: 'problem';
  readonly status: number;
  readonly errorCode: number;
  readonly message: string;
  /** The same code on every door; absent where a stranger asks, or nothing is refused. */
  readonly reason?: ReasonCode;
  /** When the caller may try again. */
  readonly retryAfterSeconds?: number;
  /** In the envelope also where a route answers problems as plain text. */
  readonly enveloped?: true;
  readonly more?: ProblemFields;
}

/** Whether a step towards an answer ended in a problem. */
export function isProblem(value: object): value is Problem {
  return 'type' in value && value.type === 'problem';
}

/** Fields after those of the envelope. */
export type ProblemFields = Readonly<Record<string, unknown>>;

export const json = (body: unknown, status = 200): JsonReply => ({ type: 'json', status, body });
export const text = (body: string, status = 200): TextReply => ({ type: 'text', status, body });
export const empty: EmptyReply = { type: 'empty', status: 200 };

/** Of a long answer, made as they are read; without what only `for await` needs. */
export type Parts<Part> = Pick<AsyncGenerator<Part, void, void>, 'next' | 'return'>;

/** A body made piece by piece, as fast as it is read. */
export function streamOf(parts: Parts<string | Uint8Array>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await parts.next();
      if (next.done) controller.close();
      else controller.enqueue(typeof next.value === 'string' ? encoder.encode(next.value) : next.value);
    },
    async cancel() {
      await parts.return(undefined);
    },
  });
}

export type Headers = Record<string, string>;

/** Answers are for whoever asked: many carry tokens, credentials or personal data, and no cache keeps any. */
const NO_STORE = { 'Cache-Control': 'no-store' } as const;

/** What goes over the wire. `headers` is the answer's own. */
export interface ResponseParts {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string | ReadableStream<Uint8Array> | null;
}

export function responseOf({ status, headers, body }: ResponseParts): Response {
  return new Response(body, { status, headers });
}

export function toResponse(reply: Reply, headers: Headers, nowMs: number): Response {
  return responseOf(partsOf(reply, headers, nowMs));
}

/**
 * @param headers sent besides the reply's own
 * @param nowMs the timestamp of an envelope
 */
export function partsOf(reply: Reply, headers: Headers, nowMs: number): ResponseParts {
  switch (reply.type) {
    case 'json':
      return {
        status: reply.status,
        body: JSON.stringify(reply.body),
        headers: { 'Content-Type': 'application/json', ...NO_STORE, ...reply.headers, ...headers },
      };
    case 'text':
      return {
        status: reply.status,
        body: reply.body,
        headers: {
          'Content-Type': 'text/plain;charset=UTF-8',
          ...NO_STORE,
          ...reply.headers,
          ...headers,
        },
      };
    case 'html':
      return {
        status: 200,
        body: reply.body,
        headers: {
          'Content-Type': 'text/html;charset=UTF-8',
          'Content-Security-Policy': reply.policy,
          'X-Content-Type-Options': 'nosniff',
          'Referrer-Policy': 'no-referrer',
          ...NO_STORE,
          ...headers,
        },
      };
    case 'stream':
      return {
        status: 200,
        body: reply.body,
        // Asks proxies not to buffer the answer.
        headers: {
          'Content-Type': reply.contentType,
          'X-Accel-Buffering': 'no',
          ...NO_STORE,
          ...reply.headers,
          ...headers,
        },
      };
    case 'empty':
      return {
        status: reply.status,
        body: null,
        headers: { 'Content-Length': '0', ...NO_STORE, ...headers },
      };
    case 'redirect':
      return {
        status: 303,
        body: null,
        headers: { Location: reply.location, 'Content-Length': '0', ...NO_STORE, ...headers },
      };
    case 'problem':
      return {
        status: reply.status,
        body: envelope(reply, nowMs),
        headers: { 'Content-Type': 'application/json', ...NO_STORE, ...told(reply), ...headers },
      };
    default:
      return unreachable(reply);
  }
}

export const RETRY_AFTER_HEADER = 'Retry-After';

/** The code of the reason, also where the body is a text. */
export const REASON_HEADER = 'Refusal-Reason';

/** What a problem says beside its body. */
export function told({ retryAfterSeconds, reason }: Problem): Headers {
  return {
    ...(retryAfterSeconds === undefined ? {} : { [RETRY_AFTER_HEADER]: String(retryAfterSeconds) }),
    ...(reason === undefined ? {} : { [REASON_HEADER]: reason }),
  };
}

function envelope({ status, message, errorCode, reason, more }: Problem, timestamp: number): string {
  return JSON.stringify({ status, message, errorCode, timestamp, reason, ...more });
}
