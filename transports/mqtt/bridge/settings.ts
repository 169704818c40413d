/** Everything about the bridge to an external broker that has a limit or an address, with its unit in its name. */
import { GATEWAY_DEFAULTS, type GatewaySettings } from '../../../actors/claiming/gateways.ts';

export interface BridgeSettings extends GatewaySettings {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://` with host, port and, for the latter two, a path. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM, for `mqtts://` and `wss://`. Without an authority, those that Node knows are trusted. */
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly keyPassword?: string;
  /** Whether the broker must prove who it is. */
  readonly rejectUnauthorized: boolean;

  /** Client identifiers begin with it; the rest is random, for every connection. */
  readonly clientIdPrefix: string;
  /** The group of the shared subscription: of all connections in it, one gets a message. */
  readonly group: string;
  /** Where devices and gateways publish, as templates; see `templates.ts`. */
  readonly claimTopics: readonly string[];
  readonly gatewayTopics: readonly string[];
  /**
   * Whether a topic may also name devices that prove themselves by other credentials than an access token, by the id of
   * their credentials. That id is no secret, so the broker alone vouches for who publishes there.
   */
  readonly trustBroker: boolean;

  /** Whether outcomes are published; where a message asks for it by a response topic they are in any case. */
  readonly responses: boolean;
  /** Which response topics (MQTT 5) are honoured: in the device's own part of the tree, or anywhere. */
  readonly responseTopics: 'own' | 'any';

  /** Connections to the broker. */
  readonly connections: number;
  /** Messages of one connection that are not acknowledged yet (1 … 65535); the broker keeps the rest. */
  readonly inFlightMax: number;
  /** Messages of one device that wait behind the one that is served; beyond it they are refused. */
  readonly lineMax: number;
  /** Largest payload of a message. */
  readonly payloadBytesMax: number;
  /** What a packet may have besides its payload. */
  readonly headerBytesMax: number;

  readonly keepAliveSeconds: number;
  /** How long connecting may take, up to the granted subscription. */
  readonly connectTimeoutMs: number;
  /** After a lost connection: the first pause, and the longest; each is up to twice the one before. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** The same, before a message that got no answer is tried again. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
}

export const BRIDGE_DEFAULTS: Omit<BridgeSettings, 'url'> = {
  rejectUnauthorized: true,
  clientIdPrefix: 'claimd',
  group: 'claimd',
  claimTopics: [
    '{token}/v1/devices/me/claim',
    'v1/devices/{token}/claim',
    '{token}/v2/c',
    '{token}/v2/c/j',
    '{token}/v2/c/p',
  ],
  gatewayTopics: ['{token}/v1/gateway/claim', 'v1/gateways/{token}/claim'],
  trustBroker: false,
  responses: true,
  responseTopics: 'own',
  connections: 4,
  inFlightMax: 1_000,
  lineMax: 100,
  payloadBytesMax: 65_536,
  headerBytesMax: 4_096,
  keepAliveSeconds: 30,
  connectTimeoutMs: 10_000,
  reconnectMinMs: 250,
  reconnectMaxMs: 10_000,
  retryMinMs: 100,
  retryMaxMs: 5_000,
  ...GATEWAY_DEFAULTS,
};
