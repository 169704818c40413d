/** Somebody else's MQTT broker in front: this node as its client, and this server as the one it asks about devices. */
import { BRIDGE_DEFAULTS as BRIDGE } from '../../transports/mqtt/bridge/settings.ts';
import { choice, count, flag, integer, millis, section, text } from './declare.ts';

export const broker = section('MQTT: an external broker', {
  url: text({
    key: 'transport.mqtt.broker.url',
    env: 'MQTT_BROKER_URL',
    default: undefined,
    pattern: /^(mqtts?|wss?):\/\/[^\s/@?#]+(\/[^\s@#]*)?$/u,
    expected: 'mqtt://HOST:PORT, mqtts://…, ws://HOST:PORT/PATH or wss://…, without user name and password',
    secret: true, // for whoever writes a password into it all the same
    why: 'A broker at which devices publish their claims; this node takes its share of them. Beside the MQTT port, or instead of it (MQTT_ENABLED=false).',
  }),
  username: text({
    key: 'transport.mqtt.broker.username',
    env: 'MQTT_BROKER_USERNAME',
    default: undefined,
    why: 'What this node says to the broker in CONNECT.',
  }),
  password: text({
    key: 'transport.mqtt.broker.password',
    env: 'MQTT_BROKER_PASSWORD',
    default: undefined,
    secret: true,
    why: 'The same.',
  }),
  caFile: text({
    key: 'transport.mqtt.broker.ssl.ca_file',
    env: 'MQTT_BROKER_SSL_CA',
    default: undefined,
    why: "PEM file of the authority behind the broker's certificate. Without it the well-known ones.",
  }),
  certFile: text({
    key: 'transport.mqtt.broker.ssl.cert_file',
    env: 'MQTT_BROKER_SSL_CERT',
    default: undefined,
    why: 'PEM file of a certificate to show to the broker.',
  }),
  keyFile: text({
    key: 'transport.mqtt.broker.ssl.key_file',
    env: 'MQTT_BROKER_SSL_KEY',
    default: undefined,
    why: 'PEM file of its key.',
  }),
  keyPassword: text({
    key: 'transport.mqtt.broker.ssl.key_password',
    env: 'MQTT_BROKER_SSL_KEY_PASSWORD',
    default: undefined,
    secret: true,
    why: 'Password of the key file, where it has one.',
  }),
  rejectUnauthorized: flag({
    key: 'transport.mqtt.broker.ssl.reject_unauthorized',
    env: 'MQTT_BROKER_SSL_REJECT_UNAUTHORIZED',
    default: BRIDGE.rejectUnauthorized,
    why: 'Whether a broker that can not prove who it is is turned down. False: anybody in between can read all tokens.',
  }),
  clientIdPrefix: text({
    key: 'transport.mqtt.broker.client_id_prefix',
    env: 'MQTT_BROKER_CLIENT_ID_PREFIX',
    default: BRIDGE.clientIdPrefix,
    pattern: /^[\w.-]{1,64}$/u,
    expected: 'letters, digits, dots, dashes, underscores',
    why: 'What client identifiers begin with; the rest is drawn for every connection.',
  }),
  group: text({
    key: 'transport.mqtt.broker.group',
    env: 'MQTT_BROKER_GROUP',
    default: BRIDGE.group,
    pattern: /^[^/+#\s\0]+$/u,
    expected: 'a name without /, + and #',
    why: 'The group of the shared subscription: all nodes that share the claims have the same.',
  }),
  claimTopics: text({
    key: 'transport.mqtt.broker.claim_topics',
    env: 'MQTT_BROKER_CLAIM_TOPICS',
    default: BRIDGE.claimTopics.join(','),
    why: 'Where devices publish, separated by commas; {token} stands for the level that names the device.',
  }),
  gatewayTopics: text({
    key: 'transport.mqtt.broker.gateway_topics',
    env: 'MQTT_BROKER_GATEWAY_TOPICS',
    default: BRIDGE.gatewayTopics.join(','),
    why: 'Where gateways publish the claims of the devices behind them.',
  }),
  trustBroker: flag({
    key: 'transport.mqtt.broker.trusted',
    env: 'MQTT_BROKER_TRUSTED',
    default: BRIDGE.trustBroker,
    why: 'Whether {token} may also be the id of MQTT_BASIC or X.509 credentials, which is no secret: only where the broker lets nobody publish under the id of another.',
  }),
  responses: flag({
    key: 'transport.mqtt.broker.responses',
    env: 'MQTT_BROKER_RESPONSES',
    default: BRIDGE.responses,
    why: 'Whether the outcome of every claim is published for the device. It costs a message each; a response topic (MQTT 5) is answered in any case.',
  }),
  responseTopics: choice({
    key: 'transport.mqtt.broker.response_topics',
    env: 'MQTT_BROKER_RESPONSE_TOPICS',
    choices: ['own', 'any'],
    default: BRIDGE.responseTopics,
    why: "Which response topics are honoured: those in the device's own part of the tree, or any: then a device can have this server publish where the device itself must not.",
  }),
  connections: count({
    key: 'transport.mqtt.broker.connections',
    env: 'MQTT_BROKER_CONNECTIONS',
    default: BRIDGE.connections,
    min: 1,
    max: 256,
    why: 'Connections of this node to the broker. More where the broker allows few messages under way on each.',
  }),
  inFlightMax: count({
    key: 'transport.mqtt.broker.max_in_flight',
    env: 'MQTT_BROKER_MAX_IN_FLIGHT',
    default: BRIDGE.inFlightMax,
    min: 1,
    max: 65_535,
    why: 'Messages of one connection that are not acknowledged yet; the broker keeps the rest.',
  }),
  lineMax: count({
    key: 'transport.mqtt.broker.max_waiting_per_device',
    env: 'MQTT_BROKER_MAX_WAITING_PER_DEVICE',
    default: BRIDGE.lineMax,
    min: 1,
    max: 65_535,
    why: 'Messages of one device that wait behind the one that is served; beyond it they are acknowledged and refused, so that one device does not fill the windows.',
  }),
  lanes: count({
    key: 'transport.mqtt.broker.lanes',
    env: 'MQTT_BROKER_LANES',
    default: 16,
    min: 1,
    max: 1_024,
    why: 'Has no effect any more: messages of each device are served in a line of their own. Still taken, for files that set it.',
  }),
  keepAliveSeconds: integer({
    key: 'transport.mqtt.broker.keep_alive',
    env: 'MQTT_BROKER_KEEP_ALIVE',
    unit: 's',
    default: BRIDGE.keepAliveSeconds,
    min: 1,
    max: 65_535,
    why: 'How often the broker is shown that this node lives; silence of one and a half times that ends the connection.',
  }),
  connectTimeoutMs: millis({
    key: 'transport.mqtt.broker.connect_timeout',
    env: 'MQTT_BROKER_CONNECT_TIMEOUT',
    default: BRIDGE.connectTimeoutMs,
    min: 100,
    why: 'How long connecting and subscribing may take.',
  }),
  reconnectMaxMs: millis({
    key: 'transport.mqtt.broker.reconnect_max',
    env: 'MQTT_BROKER_RECONNECT_MAX',
    default: BRIDGE.reconnectMaxMs,
    min: 500,
    why: 'The longest pause before the next attempt to connect; pauses begin at a quarter of a second and double.',
  }),
  retryMaxMs: millis({
    key: 'transport.mqtt.broker.retry_max',
    env: 'MQTT_BROKER_RETRY_MAX',
    default: BRIDGE.retryMaxMs,
    min: 100,
    why: 'The same before a claim is tried again that got no answer, as while the store is away.',
  }),
  authSecret: text({
    key: 'transport.mqtt.auth.secret',
    env: 'MQTT_AUTH_SECRET',
    default: undefined,
    pattern: /^[\x21-\x7e]{16,}$/u,
    expected: 'at least 16 characters of ASCII without spaces',
    secret: true,
    why: 'What a broker shows to ask POST /api/mqtt/auth who a client is. Without it nobody can ask.',
  }),
  authUnknown: choice({
    key: 'transport.mqtt.auth.unknown',
    env: 'MQTT_AUTH_UNKNOWN',
    choices: ['deny', 'ignore'],
    default: 'deny',
    why: 'What the broker is told of clients that are no devices with the right credentials; ignore: to ask the next of its authenticators.',
  }),
  authOtherTopics: choice({
    key: 'transport.mqtt.auth.other_topics',
    env: 'MQTT_AUTH_OTHER_TOPICS',
    choices: ['deny', 'broker'],
    default: 'deny',
    why: "Whether a device may use topics that have nothing to do with claiming: none, or as the broker's own rules say. These must keep devices from listening to each other: tokens are in the topics.",
  }),
});

/** The items of a list that is one text. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
