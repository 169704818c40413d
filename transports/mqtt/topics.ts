/**
 * The MQTT topics of ThingsBoard's device API: what a device may publish to and what it may subscribe to.
 *
 * Nothing is routed between devices, so there is no topic tree. A publication is classified once by its exact name
 * or prefix; a subscription is granted when its filter is literally one of a fixed list. `me` is whoever is connected.
 */

/** Where a device opens its claim window; the short forms are in ThingsBoard's documentation, not in its code. */
export const CLAIM_TOPIC = 'v1/devices/me/claim';
/** Where a device hears the outcome (rule O6). Not of ThingsBoard, which tells nothing. */
export const CLAIM_RESPONSE_TOPIC = 'v1/devices/me/claim/response';

/** Where a gateway hears of attributes that it has asked for. */
export const GATEWAY_ATTRIBUTES_RESPONSE_TOPIC = 'v1/gateway/attributes/response';
/** Where a device hears of its shared attributes, and what else that may be called; protobuf is not offered. */
export const ATTRIBUTES_TOPIC = 'v1/devices/me/attributes';
export const ATTRIBUTES_TOPICS = [ATTRIBUTES_TOPIC, 'v2/a', 'v2/a/j'] as const;
/** Where a gateway hears of those of the devices behind it. */
export const GATEWAY_ATTRIBUTES_TOPIC = 'v1/gateway/attributes';

/** Where a gateway opens the windows of the devices behind it. */
export const GATEWAY_CLAIM_TOPIC = 'v1/gateway/claim';
/** Where a gateway hears the outcomes of the devices behind it. Not of ThingsBoard either. */
export const GATEWAY_CLAIM_RESPONSE_TOPIC = 'v1/gateway/claim/response';

export type GatewayAction = 'claim' | 'connect' | 'disconnect' | 'attributes' | 'ignored' | 'unknown';

export type PublishRoute =
  /** `format` if the topic says it; else the format of the device's profile. */
  | { readonly type: 'claim'; readonly format?: 'JSON' | 'PROTOBUF' }
  /** A call by the device, to be answered on `responseTopic` for whoever subscribed to `responseFilter`. */
  | { readonly type: 'rpc-request'; readonly responseTopic: string; readonly responseFilter: string }
  /** A question for the device's attributes, answered in the same way; in protobuf they are not answered. */
  | { readonly type: 'attribute-request'; readonly responseTopic: string; readonly responseFilter: string }
  | { readonly type: 'gateway'; readonly action: GatewayAction }
  /** Part of ThingsBoard's API, of no use to claiming: acknowledged and dropped. */
  | { readonly type: 'ignored' }
  | { readonly type: 'unknown' };

const CLAIM: PublishRoute = { type: 'claim' };
const IGNORED: PublishRoute = { type: 'ignored' };
const UNKNOWN: PublishRoute = { type: 'unknown' };

const EXACT: ReadonlyMap<string, PublishRoute> = new Map([
  [CLAIM_TOPIC, CLAIM],
  ['v2/c', CLAIM],
  ['v2/c/j', { type: 'claim', format: 'JSON' }],
  ['v2/c/p', { type: 'claim', format: 'PROTOBUF' }],
  ...[
    'v1/devices/me/telemetry',
    'v1/devices/me/attributes',
    'v2/t',
    'v2/t/j',
    'v2/t/p',
    'v2/a',
    'v2/a/j',
    'v2/a/p',
  ].map((topic): [string, PublishRoute] => [topic, IGNORED]),
]);

/** Calls come in on the left and are answered on the right, under the same id. */
const RPC: readonly (readonly [requests: string, responses: string])[] = [
  ['v1/devices/me/rpc/request/', 'v1/devices/me/rpc/response/'],
  ['v2/r/req/j/', 'v2/r/res/j/'],
  ['v2/r/req/p/', 'v2/r/res/p/'],
  ['v2/r/req/', 'v2/r/res/'],
];

/** Questions for attributes, likewise. */
const ATTRIBUTES: readonly (readonly [requests: string, responses: string])[] = [
  ['v1/devices/me/attributes/request/', 'v1/devices/me/attributes/response/'],
  ['v2/a/req/j/', 'v2/a/res/j/'],
  ['v2/a/req/', 'v2/a/res/'],
];

const IGNORED_PREFIXES = ['v1/devices/me/rpc/response/', 'v2/r/res/', 'v2/fw/request/', 'v2/sw/request/'];

const GATEWAY_PREFIX = 'v1/gateway/';
const GATEWAY_ACTIONS: ReadonlyMap<string, GatewayAction> = new Map<string, GatewayAction>([
  ['claim', 'claim'],
  ['connect', 'connect'],
  ['disconnect', 'disconnect'],
  ['telemetry', 'ignored'],
  ['attributes', 'ignored'],
  ['attributes/request', 'attributes'],
  ['rpc', 'ignored'],
]);
/** The id of a call is a 32-bit integer in ThingsBoard. */
const REQUEST_ID = /^\d{1,10}$/;

/** What a publication of a device means. `topic` is a valid topic name. */
export function routePublish(topic: string): PublishRoute {
  if (topic === CLAIM_TOPIC) return CLAIM; // the hot path
  const exact = EXACT.get(topic);
  if (exact !== undefined) return exact;
  if (topic.startsWith(GATEWAY_PREFIX)) {
    return { type: 'gateway', action: GATEWAY_ACTIONS.get(topic.slice(GATEWAY_PREFIX.length)) ?? 'unknown' };
  }
  if (topic.startsWith('v2/a/req/p/')) return IGNORED;
  const answered =
    questionIn(topic, RPC, 'rpc-request') ?? questionIn(topic, ATTRIBUTES, 'attribute-request');
  if (answered !== undefined) return answered;
  return IGNORED_PREFIXES.some((prefix) => topic.startsWith(prefix)) ? IGNORED : UNKNOWN;
}

function questionIn(
  topic: string,
  pairs: readonly (readonly [requests: string, responses: string])[],
  type: 'rpc-request' | 'attribute-request',
): PublishRoute | undefined {
  const pair = pairs.find(([requests]) => topic.startsWith(requests));
  if (pair === undefined) return undefined;
  const [requests, responses] = pair;
  const id = topic.slice(requests.length);
  return REQUEST_ID.test(id)
    ? { type, responseTopic: responses + id, responseFilter: `${responses}+` }
    : IGNORED;
}

/** Every filter a device may subscribe to. */
export const SUBSCRIBABLE: ReadonlySet<string> = new Set([
  CLAIM_RESPONSE_TOPIC,
  ATTRIBUTES_TOPIC,
  'v1/devices/me/attributes/response/+',
  'v1/devices/me/rpc/request/+',
  'v1/devices/me/rpc/response/+',
  GATEWAY_ATTRIBUTES_TOPIC,
  'v1/gateway/attributes/response',
  'v1/gateway/rpc',
  'v1/gateway/claim/response',
  'v1/gateway/disconnect',
  'v2/a',
  'v2/a/j',
  'v2/a/p',
  'v2/a/res/+',
  'v2/a/res/j/+',
  'v2/a/res/p/+',
  'v2/r/req/+',
  'v2/r/req/j/+',
  'v2/r/req/p/+',
  'v2/r/res/+',
  'v2/r/res/j/+',
  'v2/r/res/p/+',
  'v2/fw/response/+',
  'v2/fw/response/+/chunk/+',
  'v2/fw/error',
  'v2/sw/response/+',
  'v2/sw/response/+/chunk/+',
  'v2/sw/error',
]);

/**
 * Whether this is the topic of one answer, under one of these filters (`…/response/17` under `…/response/+`): a client that has
 * one question under way subscribes to it.
 */
export function isTopicOfOne(topic: string): boolean {
  const last = topic.lastIndexOf('/') + 1;
  return REQUEST_ID.test(topic.slice(last)) && SUBSCRIBABLE.has(`${topic.slice(0, last)}+`);
}

/** The filter to subscribe to for messages on this topic; undefined where there is none. */
export function filterFor(topic: string): string | undefined {
  if (SUBSCRIBABLE.has(topic)) return topic;
  const levels = topic.split('/');
  return [...SUBSCRIBABLE].find((filter) => {
    const wanted = filter.split('/');
    return (
      wanted.length === levels.length && wanted.every((level, at) => level === '+' || level === levels[at])
    );
  });
}
