/** The composition root: makes a `Config` into a server that starts and stops. It decides nothing about claiming. */

import { watchClock } from '../../actors/base/clock-steps.ts';
import { type DeviceId, parseId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import { createStatements } from '../../actors/claiming/statements.ts';
import { createTokenGuard, type TokenGuard } from '../../actors/claiming/wrong-tokens.ts';
import type { Devices, Presence } from '../../actors/fleet/devices.ts';
import type { Certificate } from '../../actors/sockets/certificate.ts';
import type { Listening } from '../../actors/sockets/listen.ts';
import { createApp } from '../../http/app.ts';
import { createEventLog } from '../../http/event-log.ts';
import type { LabelFonts } from '../../http/labels/fonts.ts';
import { createHttpServer } from '../../http/server.ts';
import { type ApiSettings, defaultDeviceApiSettings } from '../../http/settings.ts';
import type { WebSocketUpgrades } from '../../http/upgrades.ts';
import { createCoapEndpoint } from '../../transports/coap/endpoint.ts';
import { COAP_DEFAULTS } from '../../transports/coap/settings.ts';
import type { Bridge } from '../../transports/mqtt/bridge/bridge.ts';
import { createMqttEndpoint, type MqttEndpoint } from '../../transports/mqtt/endpoint/endpoint.ts';
import type { MqttTlsSettings } from '../../transports/mqtt/endpoint/tls.ts';
import { WEBSOCKET_PATH } from '../../transports/mqtt/endpoint/websocket.ts';
import type { Door } from '../metrics/claims.ts';
import { type MetricsServer, startMetrics } from '../metrics/server.ts';
import { listOf } from '../options/option.ts';
import type { Config } from '../options/schema.ts';
import { createBroker, createBrokerAuth, publishEvents } from './broker.ts';
import { type Core, type CoreNeeds, openCore, serverName } from './core.ts';
import { watchDemoAccounts } from './demo-accounts.ts';
import { tellOfReadableKeys } from './keys.ts';
import { readLabelFonts } from './label-fonts.ts';
import { createLive, type Live } from './live.ts';
import { shownMailSettings } from './mail.ts';
import { checkOfAll } from './readiness.ts';
import { readCertificate, tellOfInvalidCertificates } from './tls.ts';
import { webSettings } from './web.ts';

/** Where a running system listens. */
interface Addresses {
  readonly http: Listening;
  /** Null: MQTT is switched off. */
  readonly mqtt: Listening | null;
  /** Null: CoAP is switched off. */
  readonly coap: Listening | null;
  /** MQTT over TLS. Null: it is switched off. */
  readonly mqttTls: Listening | null;
  /** Where the figures are read. Null: they are switched off, or their supervisor tells those of all workers. */
  readonly metrics: Listening | null;
  /** The external broker that this node is a client of. Null: there is none. */
  readonly mqttBroker: Listening | null;
}

export interface System {
  readonly addresses: Addresses;
  /** Reads the certificates and their keys again. If it throws `StartRefused`, the old ones stay in use. */
  reloadCertificates(): void;
  /** For tests that look inside. */
  readonly core: Core;
  /**
   * Takes no new requests, answers those in flight, flushes and closes everything. Resolves shortly after the drain
   * time at the latest. A second call waits for the same end.
   */
  stop(): Promise<void>;
}

/** Device actors get at least this much time after the last connection is closed. */
const LAST_ANSWERS_MS = 200;

/**
 * Opens the store, installs what a first start needs, listens, and only then wakes devices.
 *
 * Rejects with `StartRefused` or `ListenError` for what the operator can fix, and leaves nothing open.
 */
export async function startSystem(config: Config, needs: CoreNeeds): Promise<System> {
  // What can be refused without the store is refused before a first start puts anything into it.
  let shown = certificatesOf(config);
  const labelFonts = await readLabelFonts(config);
  const core = await openCore(config, needs);
  /** What to stop if the next step fails. */
  const open: { stop(drainMs: number): Promise<void> }[] = [];
  let draining = false;

  try {
    const quiet = (needs.worker?.number ?? 1) !== 1;
    await watchDemoAccounts(config, { ...core, log: needs.log, quiet });
    if (!quiet) {
      tellOfShortSecrets(config, needs.log);
      tellOfReadableKeys(config.store.dataDir, needs.log);
      tellOfInvalidCertificates({ ...shown }, needs.clock.now(), needs.log);
    }
    const mqtt = config.mqtt.enabled ? createMqtt(config, needs, core, shown.mqtt) : undefined;
    const broker = await createBroker(config, needs, core);
    const live = createLive(needs, core, config.limits.minTokenLength);
    const beside = { ...live, mqtt, broker, labelFonts, certificate: shown.http, draining: () => draining };
    const http = createHttp(config, needs, core, beside);
    open.push(live, http);
    const httpListening = await http.start();
    if (mqtt !== undefined) open.push(mqtt);
    const mqttListening = (await mqtt?.start()) ?? null;
    // Exchanges and blocks of CoAP belong to one process, and a packet does not say which.
    const hasCoap = config.coap.enabled && (needs.worker?.number ?? 1) === 1;
    const coap = hasCoap ? createCoap(config, needs, core, live) : undefined;
    if (coap !== undefined) open.push(coap);
    const coapListening = (await coap?.start()) ?? null;
    if (broker !== undefined) open.push(broker);
    const brokerListening = (await broker?.start()) ?? null;
    const metrics = await tellMetrics(config, needs, core, beside, () => shown);
    if (metrics !== undefined) open.push(metrics);
    core.startAlarms();
    if (broker !== undefined) await publishEvents(config, needs, core, broker);
    if (core.mail.notices !== undefined) await core.addTarget(core.mail.notices);
    core.startWebhooks();
    core.mail.start();
    live.start();
    const unwatchClock = watchClock(needs.clock, needs.log);

    const end = async (): Promise<void> => {
      draining = true;
      unwatchClock();
      const { drainMs } = config.system;
      const deadline = needs.clock.elapsed() + drainMs;
      await Promise.all([core.stopAlarms(), ...open.map((door) => door.stop(drainMs))]);
      await core.close(Math.max(LAST_ANSWERS_MS, deadline - needs.clock.elapsed()));
    };
    let ended: Promise<void> | undefined;
    return {
      addresses: {
        http: httpListening,
        mqtt: mqttListening,
        mqttTls: mqtt?.tlsListening ?? null,
        mqttBroker: brokerListening,
        coap: coapListening,
        metrics: metrics?.listening ?? null,
      },
      core,
      reloadCertificates() {
        // Both are read before either is used.
        const next = certificatesOf(config);
        if (next.mqtt !== undefined) mqtt?.useCertificate(next.mqtt);
        if (next.http !== undefined) http.useCertificate(next.http);
        shown = next;
        if (!quiet) tellOfInvalidCertificates({ ...shown }, needs.clock.now(), needs.log);
      },
      stop() {
        ended ??= end();
        return ended;
      },
    };
  } catch (error) {
    for (const door of open) await door.stop(0);
    await core.close(0);
    throw error;
  }
}

/** Begins to read figures from what runs, and listens for who asks; a worker is asked by its supervisor instead. */
async function tellMetrics(
  config: Config,
  { meters, worker, log }: CoreNeeds,
  core: Core,
  { mqtt, broker }: Pick<BesideHttp, 'mqtt' | 'broker'>,
  shown: () => Certificates,
): Promise<MetricsServer | undefined> {
  if (meters === undefined) return undefined;
  meters.watch({
    store: core.store,
    devices: core.devices,
    mqtt,
    broker,
    webhooks: core.webhookFigures,
    mails: core.mail.figures,
    auditLagMs: core.auditLagMs,
    auditSteppedOver: core.auditSteppedOver,
    certificates: () => Object.entries(shown()),
  });
  return worker === undefined ? startMetrics(config.metrics, () => meters.read(), log) : undefined;
}

/** The devices as one door asks them, which is counted where somebody watches. */
function devicesAt(door: Door, { devices }: Core, { meters }: CoreNeeds): Devices {
  return meters?.claims.door(door, devices) ?? devices;
}

/** ThingsBoard's default, which devices rely on; an operator should know what it allows. */
function tellOfShortSecrets({ ownership }: Config, log: Log): void {
  if (ownership.minSecretLength > 0) return;
  log.info(
    { option: 'security.claim.minSecretLength' },
    'claim secrets may be of any length, also empty: whoever claims first while a window without a secret is open owns the device',
  );
}

function createMqtt(config: Config, needs: CoreNeeds, core: Core, certificate: Certificate | undefined) {
  const { clock, log } = needs;
  const { bus, directory, secrets, profiles, root } = core;
  const endpoint = createMqttEndpoint({
    settings: config.mqtt,
    guard: guardOf('mqtt', config, core, log),
    devices: devicesAt('mqtt', core, needs),
    directory,
    secrets,
    profiles,
    parent: root,
    bus,
    clock,
    log,
    ...(certificate === undefined ? {} : { tls: mqttTls(config, certificate) }),
    ...(needs.meters === undefined ? {} : { figures: needs.meters.packets }),
    tracing: core.tracing,
  });
  core.windowGuesses.onWait(({ key, waitMs }) => {
    const id = parseId<DeviceId>(key);
    if (id !== undefined) endpoint.tellOfGuessing(id, waitMs);
  });
  core.listen(endpoint.onDeviceEvent);
  return endpoint;
}

function guardOf(transport: string, { limits }: Config, { quickCounters }: Core, log: Log): TokenGuard {
  const { wrongTokensLimited, wrongTokensPerAddress, wrongTokensWindowMs: windowMs } = limits;
  const max = wrongTokensLimited ? wrongTokensPerAddress : limits.tokenGuessesPerAddress;
  return createTokenGuard(transport, { max, windowMs }, quickCounters, (blocked) =>
    log.warn({ ...blocked }, 'an address sends wrong device credentials again and again: it waits'),
  );
}

function mqttTls(config: Config, certificate: Certificate): MqttTlsSettings {
  const { sslBindAddress, sslPort, sslProtocol, sslSkipClientValidity } = config.mqtt;
  return {
    bindAddress: sslBindAddress,
    port: sslPort,
    minVersion: sslProtocol,
    skipClientValidity: sslSkipClientValidity,
    certificate,
  };
}

/** What each door over TLS shows to clients, as the files are now. Throws `StartRefused`. */
function certificatesOf(config: Config): Certificates {
  return {
    ...(config.http.sslEnabled ? { http: httpCertificate(config) } : {}),
    ...(config.mqtt.enabled && config.mqtt.sslEnabled ? { mqtt: mqttCertificate(config) } : {}),
  };
}

interface Certificates {
  readonly http?: Certificate;
  readonly mqtt?: Certificate;
}

function mqttCertificate({ mqtt }: Config) {
  const { sslCertFile: certFile, sslKeyFile: keyFile, sslKeyPassword: keyPassword } = mqtt;
  return readCertificate('MQTT', {
    certFile,
    keyFile,
    keyPassword,
    options: 'MQTT_SSL_PEM_CERT, MQTT_SSL_PEM_KEY',
  });
}

function httpCertificate({ http }: Config) {
  const { sslCertFile: certFile, sslKeyFile: keyFile, sslKeyPassword: keyPassword } = http;
  return readCertificate('HTTP', { certFile, keyFile, keyPassword, options: 'SSL_PEM_CERT, SSL_PEM_KEY' });
}

function createCoap(config: Config, needs: CoreNeeds, core: Core, { news }: Live) {
  const { clock, log } = needs;
  const { directory, secrets, profiles } = core;
  return createCoapEndpoint({
    settings: { ...COAP_DEFAULTS, ...config.coap, acceptsTelemetry: config.http.acceptsTelemetry },
    guard: guardOf('coap', config, core, log),
    devices: devicesAt('coap', core, needs),
    directory,
    secrets,
    profiles,
    news,
    clock,
    log,
    tracing: core.tracing,
    onAnswer: needs.meters?.onCoapAnswer,
  });
}

interface BesideHttp extends Live {
  readonly mqtt: MqttEndpoint | undefined;
  readonly broker: Bridge | undefined;
  readonly labelFonts: LabelFonts | undefined;
  readonly certificate: Certificate | undefined;
  readonly draining: () => boolean;
}

function createHttp(
  config: Config,
  needs: CoreNeeds,
  core: Core,
  { feed, news, imports, batches, kits, audit, mqtt, broker, labelFonts, certificate, draining }: BesideHttp,
) {
  const { clock, log, worker, meters } = needs;
  const { accounts, directory, profiles, secrets, store } = core;
  const presence: Presence = { isConnected: (id) => mqtt?.isConnected(id) ?? false };
  const brokerAuth = createBrokerAuth(config, core, log);
  const web = webSettings(config);
  const app = createApp({
    accounts,
    audit,
    devices: devicesAt('http', core, needs),
    directory,
    presence,
    profiles,
    feed,
    news,
    imports,
    batches,
    kits,
    webhooks: core.webhooks,
    eventLog: createEventLog(core.reader, clock),
    providers: core.providers,
    outbound: core.outbound,
    ...(core.mail.mails === undefined ? {} : { mails: core.mail.mails }),
    ...(core.mail.signUps === undefined ? {} : { signUps: core.mail.signUps }),
    mailSettings: shownMailSettings(config),
    serverOptions: needs.shown,
    secrets,
    statements: createStatements(serverKeysOf(core), serverName(config, core.installation), clock),
    clock,
    log,
    counters: core.counters,
    windowGuesses: core.windowGuesses,
    readiness: {
      check: worker === undefined ? () => store.check() : checkOfAll(() => store.check(), worker, clock),
      draining,
      ...(worker === undefined ? {} : { workers: worker.states }),
      ...(broker === undefined ? {} : { brokerConnected: () => broker.connected > 0 }),
    },
    ...(brokerAuth === undefined ? {} : { brokerAuth }),
    settings: apiSettings(config, core),
    stored: core.stored,
    ...(labelFonts === undefined ? {} : { labelFonts }),
    ...(core.tracing === undefined ? {} : { tracing: core.tracing }),
    tokenGuard: guardOf('http', config, core, log),
    deviceApi: {
      ...defaultDeviceApiSettings,
      payloadBytesMax: config.http.devicePayloadBytesMax,
      acceptsTelemetry: config.http.acceptsTelemetry,
    },
    ...(meters === undefined ? {} : { onRequest: meters.onRequest }),
    ...(web === undefined ? {} : { web }),
  });
  return createHttpServer({
    app,
    settings: config.http,
    log,
    secure: config.http.sslEnabled || config.http.baseUrl?.startsWith('https:') === true,
    ...(mqtt !== undefined && config.mqtt.wsEnabled ? { upgrades: webSockets(mqtt) } : {}),
    ...(certificate === undefined ? {} : { certificate }),
  });
}

function webSockets(mqtt: MqttEndpoint): WebSocketUpgrades {
  return new Map([[WEBSOCKET_PATH, (request) => mqtt.upgrade(request)]]);
}

function serverKeysOf({ keys }: Core): readonly [Buffer, ...Buffer[]] {
  return keys.otherServerKey === undefined ? [keys.serverKey] : [keys.serverKey, keys.otherServerKey];
}

function apiSettings(config: Config, core: Core): ApiSettings {
  const { http, accounts, claim, limits } = config;
  const { keys, installation, windowGuesses } = core;
  const within = (windowMs: number) => (max: number) => ({ max, windowMs });
  const wrongSecrets = within(limits.wrongSecretsWindowMs);
  return {
    tokens: {
      signingKey: keys.jwtSigningKey,
      ...(keys.otherJwtSigningKey === undefined ? {} : { otherSigningKey: keys.otherJwtSigningKey }),
      issuer: accounts.jwtIssuer,
      audience: `claimd:${installation}`,
      accessExpiresInSeconds: accounts.jwtExpirationSeconds,
      refreshExpiresInSeconds: accounts.jwtRefreshExpirationSeconds,
      standingTtlMs: accounts.standingTtlMs,
      standingMax: accounts.standingMax,
    },
    limits: {
      wrongSecretsPerCustomerAndDevice: wrongSecrets(limits.wrongSecretsPerCustomerAndDevice),
      wrongSecretsPerCustomer: wrongSecrets(limits.wrongSecretsPerCustomer),
      wrongSecretsPerAddress: wrongSecrets(limits.wrongSecretsPerAddress),
      wrongSecretsPerWindow: windowGuesses.settings,
      vainClaimsPerWrongSecret: limits.vainClaimsPerWrongSecret,
      challengesPerCustomer: wrongSecrets(limits.challengesPerCustomer),
      offersPerCustomer: wrongSecrets(limits.offersPerCustomer),
      wrongKitCodesPerCustomer: within(limits.wrongKitCodesWindowMs)(limits.wrongKitCodesPerCustomer),
      wrongKitCodesPerAddress: within(limits.wrongKitCodesWindowMs)(limits.wrongKitCodesPerAddress),
      failedLogins: within(limits.failedLoginsWindowMs)(limits.failedLogins),
      failedLoginsPerAddress: within(limits.strangersWindowMs)(limits.failedLoginsPerAddress),
      failedLoginsPerUser: within(limits.strangersWindowMs)(limits.failedLoginsPerUser),
    },
    maxBodyBytes: http.maxBodyBytes,
    trustedProxies: http.trustedProxies,
    corsOrigins: listOf(http.corsOrigins ?? ''),
    baseUrl: http.baseUrl ?? null,
    passwordMinLength: accounts.passwordMinLength,
    passwordMaxLength: accounts.passwordMaxLength,
    userTokenAccess: accounts.userTokenAccess,
    freshLoginMs: accounts.freshLoginMs,
    uniformRefusals: claim.uniformRefusals,
    customersReadCredentials: claim.customersReadCredentials,
    proofAudience: serverName(config, core.installation),
    claimingByDefault: claim.allowClaimingByDefault,
    devicesPerTenant: config.quotas.devicesPerTenant,
  };
}
