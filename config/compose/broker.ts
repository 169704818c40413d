/** Composes the bridge to the external broker, and the answers to its questions about devices. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { NULL_UUID, type TenantId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import { carrierOf, type TraceText, type Tracing } from '../../actors/base/tracing.ts';
import { createClaiming } from '../../actors/claiming/claiming.ts';
import { shownByMqtt } from '../../actors/fleet/credentials.ts';
import type { Message } from '../../actors/outbox/message.ts';
import { payloadOf, userPropertiesOf } from '../../actors/webhooks/payload.ts';
import type { BrokerAuth } from '../../http/routes/mqtt-auth.ts';
import type { Bridge } from '../../transports/mqtt/bridge/bridge.ts';
import { BRIDGE_DEFAULTS, type BridgeSettings } from '../../transports/mqtt/bridge/settings.ts';
import { createTemplates } from '../../transports/mqtt/bridge/templates.ts';
import { listOf } from '../options/option.ts';
import type { Config } from '../options/schema.ts';
import { type Core, type CoreNeeds, serverName } from './core.ts';
import { StartRefused } from './refusal.ts';
import { readFile } from './tls.ts';

/**
 * The node's bridge; undefined without a broker, and then its library is not loaded. Rejects with `StartRefused` for
 * files that cannot be read.
 */
export async function createBroker(config: Config, { clock, log, meters }: CoreNeeds, core: Core) {
  const { url } = config.broker;
  if (url === undefined) return undefined;
  const { createBridge } = await import('../../transports/mqtt/bridge/bridge.ts');
  const { devices, directory, secrets, profiles, root } = core;
  return createBridge({
    settings: bridgeSettings(config, url),
    devices: meters?.claims.door('broker', devices) ?? devices,
    directory,
    secrets,
    profiles,
    parent: root,
    clock,
    log,
    tracing: core.tracing,
  });
}

/** Events go to the broker too, where a topic for them is set: one more target of the outbox. */
export async function publishEvents(config: Config, { clock }: CoreNeeds, core: Core, bridge: Bridge) {
  const { eventTopic } = config.broker;
  if (eventTopic === undefined) return;
  const server = serverName(config, core.installation);
  await core.addTarget({
    id: 'mqtt-events',
    tenantId: NULL_UUID as TenantId, // of no tenant
    isActive: true,
    version: 1,
    restMaxMs: EVENTS_REST_MAX_MS,
    wants: () => true,
    async deliver(message) {
      const begun = clock.elapsed();
      const span = spanOf(core.tracing, message);
      const trace = span?.text ?? message.trace;
      const isThere = await bridge.tell(topicOf(eventTopic, message), (version) =>
        eventMessageOf(message, version, server, trace),
      );
      span?.end({}, isThere ? undefined : 'unreachable');
      const told = {
        outcome: isThere ? 'published' : 'unreachable',
        answer: '',
        tookMs: clock.elapsed() - begun,
      };
      return isThere ? { type: 'delivered', told } : { type: 'failed', told, askedMs: 0, all: 'busy' };
    },
  });
}

/** A broker that comes back is not kept waiting for longer. */
const EVENTS_REST_MAX_MS = 15_000;

function topicOf(template: string, { tenantId, deviceId, type }: Message): string {
  return template
    .replaceAll('{tenant}', tenantId)
    .replaceAll('{device}', deviceId)
    .replaceAll('{type}', type);
}

/** One attempt, in the trace of what happened. */
function spanOf(tracing: Tracing | undefined, { trace, type }: Message) {
  if (trace === undefined) return undefined;
  const attributes = {
    'messaging.system': 'mqtt',
    'messaging.operation.type': 'send',
    'claimd.event.type': type,
  };
  return tracing?.start({ kind: 'producer', name: 'send events', parent: trace, attributes });
}

/** Binary where there are properties to hold the attributes, else whole (CloudEvents 1.0, MQTT binding §3). */
function eventMessageOf(message: Message, version: 4 | 5, server: string, trace: TraceText | undefined) {
  const { body: payload, headers } = payloadOf(message, version === 5 ? 'binary' : 'structured', server);
  const contentType = headers['content-type'] ?? '';
  const context = trace === undefined ? {} : carrierOf(trace);
  return { payload, contentType, userProperties: { ...userPropertiesOf(message, server), ...context } };
}

function bridgeSettings({ broker, mqtt }: Config, url: string): BridgeSettings {
  const {
    caFile,
    certFile,
    keyFile,
    username,
    password,
    keyPassword,
    lanes: _unused,
    eventTopic: _events,
    ...rest
  } = broker;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new StartRefused(
      "a certificate for the broker needs its key file, and a key its certificate's file",
    );
  }
  return {
    ...BRIDGE_DEFAULTS,
    ...rest,
    url,
    claimTopics: listOf(broker.claimTopics),
    gatewayTopics: listOf(broker.gatewayTopics),
    payloadBytesMax: mqtt.payloadBytesMax,
    headerBytesMax: mqtt.headerBytesMax,
    autoCreateDevices: mqtt.autoCreateDevices,
    gatewayFanOutMax: mqtt.gatewayFanOutMax,
    ...optional('username', username),
    ...optional('password', password),
    ...optional('keyPassword', keyPassword),
    ...credentials({ ca: read(caFile), cert: read(certFile), key: read(keyFile) }, keyPassword),
  };
}

function credentials(
  { ca, cert, key }: Record<'ca' | 'cert' | 'key', Buffer | undefined>,
  passphrase: string | undefined,
) {
  const read = { ...optional('ca', ca), ...optional('cert', cert), ...optional('key', key) };
  try {
    if (ca !== undefined) new X509Certificate(ca); // createSecureContext accepts an authority that is none
    createSecureContext({ ...read, ...optional('passphrase', passphrase) });
  } catch {
    // Without the cause, which may quote the files.
    throw new StartRefused(
      'the broker: the authority, or the certificate and its key, are no PEM that fits together',
    );
  }
  return read;
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined) {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]: Value });
}

function read(file: string | undefined): Buffer | undefined {
  return file === undefined ? undefined : readFile('the broker', file);
}

/** Answers a broker's questions about clients; undefined without the secret for them. */
export function createBrokerAuth(config: Config, core: Core, log: Log): BrokerAuth | undefined {
  const { authSecret, authUnknown, authOtherTopics, username, password } = config.broker;
  if (authSecret === undefined) return undefined;
  const { devices, directory, secrets } = core;
  const claiming = createClaiming(devices, directory, secrets, log);
  const topics = [listOf(config.broker.claimTopics), listOf(config.broker.gatewayTopics)] as const;
  const templates = createTemplates(...topics);
  // An id equal to the first level of the topics would stand above all devices.
  const levelsAbove = new Set(topics.flat().map((topic) => topic.slice(0, topic.indexOf('/'))));
  return {
    secret: authSecret,
    unknown: authUnknown,
    otherTopics: authOtherTopics,
    ...(username === undefined || password === undefined ? {} : { self: { username, password } }),
    async identify(said) {
      const device = await claiming.authenticateMqtt(said);
      // Such an id cannot be one level of a topic; and brokers replace ${…} in their rules.
      if (device === undefined) return undefined;
      const shown = [said.userName, shownByMqtt(said.clientId || null, said.userName || null)];
      const id = shown.find((text) => text && secrets.credentialsId(text) === device.credentialsId);
      if (!id || /[/+#]|\$\{/.test(id) || levelsAbove.has(id)) return undefined;
      return { id, rights: templates.rights(id) };
    },
  };
}
