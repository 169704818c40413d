/**
 * The operator's policy hook (rule C12): before a claim is final, a signed request asks a URL of the operator's whether it may
 * be. It fails closed: whatever is no clear yes in time is no claim, and what is no clear answer is "ask again later". Nothing
 * it says is kept: the next claim asks again.
 *
 * Request, signed as Standard Webhooks says (`../outbound/signature.ts`):
 *   {"type": "claim.requested", "timestamp": "…", "data": {"device": {"id", "name", "type"}, "tenantId", "customerId", "userId",
 *    "evidence", "ownerEpoch"}}
 * Answer, 200 and JSON: {"allow": true}, or {"allow": false, "reason": "a-code", "message": "A sentence for the customer."}
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { isJsonObject, parsedJson } from '../base/json.ts';
import type { Log } from '../base/log.ts';
import { isCleanText } from '../base/text.ts';
import type { AskConsent, Consent, ConsentRequest } from '../fleet/consent.ts';
import type { OutboundAnswer, SendOutbound } from '../outbound/request.ts';
import { signedHeaders } from '../outbound/signature.ts';

export interface PolicyHookSettings {
  readonly url: URL;
  /** One, or two while the secret is changed. */
  readonly keys: readonly Buffer[];
  /** For the whole request, in ms. */
  readonly timeoutMs: number;
}

export interface PolicyHookNeeds {
  readonly send: SendOutbound;
  readonly clock: Clock;
  readonly log: Log;
}

const ANSWER_BYTES_MAX = 16 * 1024;
/** Requests under way at once; whoever comes beyond that asks again. */
const UNDER_WAY_MAX = 100;
const REASON = /^[a-z0-9][a-z0-9-]{0,63}$/;
const MESSAGE_MAX = 300;
/** The log has one line per so many ms about a hook that does not answer. */
const LOG_EVERY_MS = 10_000;

const UNAVAILABLE: Consent = { type: 'unavailable', reason: 'policy' };

export function createPolicyHook(
  { url, keys, timeoutMs }: PolicyHookSettings,
  { send, clock, log }: PolicyHookNeeds,
): AskConsent {
  let underWay = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;

  function complain(why: string): Consent {
    const now = clock.now();
    if (Math.abs(now - loggedAt) >= LOG_EVERY_MS) {
      loggedAt = now;
      log.warn({ why }, 'the policy hook gave no answer, so claims are not carried out');
    }
    return UNAVAILABLE;
  }

  return async (request) => {
    if (underWay >= UNDER_WAY_MAX) return complain('too many requests are under way');
    underWay += 1;
    try {
      const now = clock.now();
      const body = bodyOf(request, now);
      const signed = signedHeaders(keys, `claim_${randomUUID()}`, now, body);
      const answer = await send({
        method: 'POST',
        url,
        tenantId: null,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          'user-agent': 'claimd',
          ...signed,
        },
        body,
        timeoutMs,
        answerBytesMax: ANSWER_BYTES_MAX,
      });
      const consent = consentOf(answer);
      return typeof consent === 'string' ? complain(consent) : consent;
    } finally {
      underWay -= 1;
    }
  };
}

function bodyOf({ deviceId: id, command, needed }: ConsentRequest, now: number): string {
  const { tenantId, customerId, userId } = command;
  const { name, deviceType: type, evidence, ownerEpoch } = needed;
  const data = { device: { id, name, type }, tenantId, customerId, userId, evidence, ownerEpoch };
  return JSON.stringify({ type: 'claim.requested', timestamp: new Date(now).toISOString(), data });
}

/** What the hook said, or why that is no answer. */
function consentOf(answer: OutboundAnswer): Consent | string {
  if (answer.type === 'failed') return answer.why;
  if (answer.status !== 200) return `it answered ${answer.status}`;
  if (answer.isCut) return 'its answer is too long';
  const { 'content-type': contentType } = answer.headers;
  if (!/^application\/json\s*(;|$)/i.test(String(contentType)))
    return 'its answer is not of the type application/json';
  const said = parsedJson(answer.body.toString('utf8'));
  if (!isJsonObject(said) || typeof said.allow !== 'boolean')
    return 'its answer does not say "allow": true or false';
  if (said.allow) return { type: 'allowed' };
  const { reason, message } = said;
  const policyReason = typeof reason === 'string' && REASON.test(reason) ? reason : 'refused';
  const isFit = typeof message === 'string' && message.length <= MESSAGE_MAX && isCleanText(message);
  return {
    type: 'refused',
    refusal: { reason: 'policy-refused', policyReason, policyMessage: isFit ? message : null },
  };
}
