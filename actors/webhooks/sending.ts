/**
 * Sends a message to a webhook, and says what its answer means. Whoever runs the counterpart may lie, hang or send without end;
 * `../outbound/request.ts` bounds all that. What is kept of an answer is its status and its beginning, for whoever set the
 * webhook up; of a request that never got out, one word.
 */
import type { Clock } from '../base/clock.ts';
import type { CredentialSecrets } from '../base/secret.ts';
import { carrierOf, type Tracing } from '../base/tracing.ts';
import type { OutboundAnswer, SendOutbound } from '../outbound/request.ts';
import { parseSigningSecret, readSigningPair, signedHeaders } from '../outbound/signature.ts';
import { isForAll, typesNamed } from '../outbox/event-types.ts';
import type { Delivery, Message, Target, Told } from '../outbox/message.ts';
import type { Webhook } from './model.ts';
import { payloadOf } from './payload.ts';

export interface SendingNeeds {
  readonly send: SendOutbound;
  readonly secrets: Pick<CredentialSecrets, 'unsealCredential'>;
  readonly clock: Clock;
  /** What this server is called. */
  readonly server: string;
  /** Makes spans; without it, the trace of the event is handed on as it is. */
  readonly tracing?: Tracing | undefined;
  /** For a whole request. */
  readonly timeoutMs: number;
}

const ANSWER_BYTES_MAX = 16 * 1024;
/** What the log keeps of an answer that refuses. */
const ANSWER_CHARS_KEPT = 256;
/** The counterpart as a whole has trouble: Standard Webhooks 1.0.0, "Response status codes". */
const BUSY = [429, 502, 503, 504];
const GONE = 410;

/** A webhook as the outbox sees it. */
export function targetOf(webhook: Webhook, needs: SendingNeeds): Target {
  const { id, tenantId, version, off } = webhook;
  const wants = filterOf(webhook);
  return {
    id,
    tenantId,
    version,
    isActive: off === null,
    wants: (message) => message.tenantId === tenantId && wants(message),
    deliver: (message) => deliver(webhook, message, needs),
  };
}

function filterOf({ events, profileIds, customerIds }: Webhook): (message: Message) => boolean {
  const types = new Set(events.flatMap(typesNamed));
  return ({ type, profileId, customerIds: about }) => {
    if (events.length === 0 ? !isForAll(type) : !types.has(type)) return false;
    // Of a device that is gone nobody knows the profile any more: better told than kept back.
    if (profileIds.length > 0 && profileId !== undefined && !profileIds.includes(profileId)) return false;
    return customerIds.length === 0 || about.some((customerId) => customerIds.includes(customerId));
  };
}

export async function deliver(webhook: Webhook, message: Message, needs: SendingNeeds): Promise<Delivery> {
  const { send, clock, server, timeoutMs, tracing } = needs;
  const keys = keysOf(webhook, needs);
  if (keys === undefined) return failed({ outcome: 'secret-lost', answer: '', tookMs: 0 });
  const { body, headers } = payloadOf(message, webhook.format, server);
  const span = spanOf(tracing, message);
  const trace = span?.text ?? message.trace;
  const begun = clock.elapsed();
  const answer = await send({
    method: 'POST',
    url: new URL(webhook.url),
    tenantId: webhook.tenantId,
    headers: {
      ...headers,
      'user-agent': 'claimd',
      ...(trace === undefined ? {} : carrierOf(trace)),
      ...signedHeaders(keys.symmetric, message.id, clock.now(), body, keys.pairs),
    },
    body,
    timeoutMs,
    answerBytesMax: ANSWER_BYTES_MAX,
  });
  const status = answer.type === 'answered' ? { 'http.response.status_code': answer.status } : {};
  const delivery = deliveryOf(answer, Math.round(clock.elapsed() - begun), clock.now());
  span?.end(status, delivery.type === 'failed' ? delivery.told.outcome : undefined);
  return delivery;
}

/** One attempt, in the trace of what happened. */
function spanOf(tracing: Tracing | undefined, { trace, type }: Message) {
  if (trace === undefined) return undefined;
  const attributes = { 'http.request.method': 'POST', 'claimd.event.type': type };
  return tracing?.start({ kind: 'client', name: 'POST webhook', parent: trace, attributes });
}

/** Undefined: the key that sealed them is gone. */
function keysOf({ id, secrets: sealed, pair }: Webhook, { secrets, clock }: SendingNeeds) {
  try {
    const now = clock.now();
    const signing = sealed.filter(({ until }) => until === null || now < until);
    const symmetric = signing.map((one) => parseSigningSecret(secrets.unsealCredential(id, one.sealed)));
    const pairs = pair === null ? [] : [readSigningPair(secrets.unsealCredential(id, pair.sealed))];
    return { symmetric: symmetric.filter((key) => key !== undefined), pairs };
  } catch {
    return undefined;
  }
}

function deliveryOf(answer: OutboundAnswer, tookMs: number, now: number): Delivery {
  if (answer.type === 'failed') return failed({ outcome: answer.why, answer: '', tookMs });
  const { status, headers, body } = answer;
  if (status >= 200 && status < 300)
    return { type: 'delivered', told: { outcome: String(status), answer: '', tookMs } };
  const told = { outcome: String(status), answer: beginningOf(body), tookMs };
  const askedMs = askedFor(headers['retry-after'], now);
  if (status === GONE) return { ...failed(told), all: 'gone' };
  if (BUSY.includes(status) || askedMs > 0) return { ...failed(told, askedMs), all: 'busy' };
  return failed(told);
}

function failed(told: Told, askedMs = 0) {
  return { type: 'failed', told, askedMs } as const;
}

function beginningOf(body: Buffer): string {
  const text = body.toString('utf8', 0, 4 * ANSWER_CHARS_KEPT).slice(0, ANSWER_CHARS_KEPT);
  return text.replaceAll(/\p{C}+/gu, ' ');
}

/** `Retry-After` in ms: seconds, or a date (RFC 9110 §10.2.3); 0 for anything else. */
function askedFor(value: string | readonly string[] | undefined, now: number): number {
  if (typeof value !== 'string') return 0;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? 0 : Math.max(0, at - now);
}
