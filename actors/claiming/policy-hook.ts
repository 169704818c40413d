/**
 * The operator's policy hook (rule C12): before a claim is final, a signed request asks a URL of the operator's whether it may
 * be. It fails closed: whatever is no clear yes in time is no claim, and what is no clear answer is "ask again later". No
 * answer is kept for the next claim, which asks again. With its yes it may give server attributes: they are saved by the very
 * event that makes the owner.
 *
 * Request, signed as Standard Webhooks says (`../outbound/signature.ts`):
 *   {"type": "claim.requested", "timestamp": "…", "data": {"device": {"id", "name", "type"}, "tenantId", "customerId", "userId",
 *    "evidence", "ownerEpoch"}}
 * Answer, 200 and JSON: {"allow": true, "attributes": {"name": any JSON but null, …}}, the attributes only if there are any,
 * or {"allow": false, "reason": "a-code", "message": "A sentence for the customer."}
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { isJsonObject, isKeepable, isTooDeep, JSON_DEPTH_MAX, type Json, parsedJson } from '../base/json.ts';
import type { Log } from '../base/log.ts';
import { isCleanText } from '../base/text.ts';
import { isAttributeKey } from '../device/attributes.ts';
import { steersClaiming } from '../device/state.ts';
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
  const text = answer.body.toString('utf8');
  const said = parsedJson(text);
  if (!isJsonObject(said) || typeof said.allow !== 'boolean')
    return 'its answer does not say "allow": true or false';
  const { reason, message, attributes } = said;
  if (said.allow) {
    // Most have none. As JSON writers do, null is for what is not there.
    if (attributes === undefined || attributes === null) return { type: 'allowed' };
    if (isTooDeep(text)) return `its answer is nested deeper than ${JSON_DEPTH_MAX}`;
    return allowedWith(attributes);
  }
  const policyReason = typeof reason === 'string' && REASON.test(reason) ? reason : 'refused';
  const isFit = typeof message === 'string' && message.length <= MESSAGE_MAX && isCleanText(message);
  return {
    type: 'refused',
    refusal: { reason: 'policy-refused', policyReason, policyMessage: isFit ? message : null },
  };
}

/** A yes with attributes, or why they cannot be kept: what a tenant could not save nobody can give. */
function allowedWith(attributes: Json): Consent | string {
  if (!isJsonObject(attributes)) return 'the attributes in its answer are no JSON object';
  const keys = Object.keys(attributes);
  if (keys.length === 0) return { type: 'allowed' };
  if (!keys.every(isAttributeKey))
    return 'the name of an attribute in its answer is empty, too long or malformed';
  const steering = keys.find(steersClaiming);
  if (steering !== undefined) return `its answer has the attribute ${steering}, which only the tenant writes`;
  const isKept = Object.values(attributes).every((value) => value !== null && isKeepable(value));
  return isKept
    ? { type: 'allowed', attributes }
    : 'an attribute in its answer is null or no number that can be kept';
}
