/**
 * Request and response of MQTT 5 (section 4.10): a publication that is answered may name the topic of its answer, and data by which
 * the client knows it again. The answer goes there instead of the usual topic, with that data, if the client has subscribed.
 *
 * A client may only be answered where it may subscribe, so it names no topic of another; all else is refused before anything is
 * done. Publications that nothing answers may say what they like.
 */
import { unreachable } from '../../../actors/base/unreachable.ts';
import {
  CLAIM_RESPONSE_TOPIC,
  filterFor,
  GATEWAY_ATTRIBUTES_RESPONSE_TOPIC,
  GATEWAY_CLAIM_RESPONSE_TOPIC,
  type GatewayAction,
  type PublishRoute,
} from '../topics.ts';
import type { PublishPacket } from './packets.ts';
import { Reason, type ReasonCode } from './reasons.ts';

/** Where the answer to a publication goes, and what goes with it. */
export interface RespondTo {
  /** What the client must have subscribed to. */
  readonly filter: string;
  readonly topic: string;
  readonly correlationData: Buffer | undefined;
}

/** Why it cannot be answered there. */
export interface NotThere {
  readonly reasonCode: ReasonCode;
  readonly why: string;
}

/** It is kept until the answer goes out, of each publication under way. */
const CORRELATION_BYTES_MAX = 1_024;

/** Where the client wants to be answered; undefined: where it always is. */
export function respondTo(
  { properties }: PublishPacket,
  route: PublishRoute,
): RespondTo | NotThere | undefined {
  const topic = properties?.responseTopic;
  const correlationData = properties?.correlationData;
  const usual = usualOf(route);
  if ((topic === undefined && correlationData === undefined) || usual === undefined) return undefined;
  if (topic !== undefined && (topic === '' || /[+#\0]/.test(topic))) {
    return refused(Reason.topicNameInvalid, 'a Response Topic has no wildcards'); // [MQTT5-3.3.2-14]
  }
  const filter = topic === undefined ? usual.filter : filterFor(topic);
  if (filter === undefined) {
    return refused(Reason.notAuthorized, 'the Response Topic is none that this client may subscribe to');
  }
  if (correlationData !== undefined && correlationData.length > CORRELATION_BYTES_MAX) {
    return refused(Reason.quotaExceeded, `Correlation Data has at most ${CORRELATION_BYTES_MAX} bytes`);
  }
  return {
    filter,
    topic: topic ?? usual.topic,
    // A copy: it lies in a piece of what was read, of up to 64 KiB.
    correlationData: correlationData && Buffer.from(correlationData),
  };
}

const refused = (reasonCode: ReasonCode, why: string): NotThere => ({ reasonCode, why });

/** Where a publication is answered, whose sender says nothing else; undefined: nowhere. */
function usualOf(route: PublishRoute): { readonly filter: string; readonly topic: string } | undefined {
  switch (route.type) {
    case 'claim':
      return onTopic(CLAIM_RESPONSE_TOPIC);
    case 'rpc-request':
    case 'attribute-request':
      return { filter: route.responseFilter, topic: route.responseTopic };
    case 'gateway':
      return onTopic(GATEWAY_ANSWERS[route.action]);
    case 'ignored':
    case 'unknown':
      return undefined;
    default:
      return unreachable(route);
  }
}

const GATEWAY_ANSWERS: { readonly [action in GatewayAction]?: string } = {
  claim: GATEWAY_CLAIM_RESPONSE_TOPIC,
  connect: GATEWAY_CLAIM_RESPONSE_TOPIC,
  attributes: GATEWAY_ATTRIBUTES_RESPONSE_TOPIC,
};

const onTopic = (topic: string | undefined) => (topic === undefined ? undefined : { filter: topic, topic });
