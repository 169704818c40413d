/**
 * Every option of claimd, once. Names are ThingsBoard's where ThingsBoard has the setting, so that an operator's
 * environment files go on working; units are ThingsBoard's too, ours are milliseconds and bytes.
 *
 * The type `Config` follows from this file. To add an option, add it here and use it in `system.ts`: parser, help,
 * `config/claimd.example.yml` and the README's table (both checked by a test) follow.
 */
import { defaultAccountSettings as ACCOUNTS } from '../actors/accounts/model.ts';
import { TIMER_MAX_MS } from '../actors/clock.ts';
import {
  defaultApiSettings as API,
  defaultHttpServerSettings as HTTP,
  defaultTokenSettings as TOKENS,
} from '../http/settings.ts';
import { DEVICE_HTTP_DEFAULTS as DEVICE_HTTP } from '../transports/http.ts';
import { MQTT_ENDPOINT_DEFAULTS as MQTT } from '../transports/mqtt/endpoint/settings.ts';
import type {
  BooleanOption,
  ChoiceOption,
  IntegerOption,
  KeyOption,
  Option,
  TextOption,
  ValueOf,
} from './option.ts';

const LIMITS = API.limits;
const DAY_MS = 86_400_000;
const KIB = 1024;
const MIB = 1024 * KIB;
/** `tenant`, the shortest of the demo's passwords. */
const DEMO_PASSWORD_LENGTH = 6;

type Given<Declared extends { readonly type: string }> = Omit<Declared, 'type'>;

const flag = (given: Given<BooleanOption>) => ({ type: 'boolean', ...given }) as const;
const key = (given: Given<KeyOption>) => ({ type: 'key', ...given }) as const;
const text = <const Declared extends Given<TextOption>>(given: Declared) =>
  ({ type: 'text', ...given }) as const;
const choice = <const Choice extends string>(given: Given<ChoiceOption<Choice>>) =>
  ({ type: 'choice', ...given }) as const;
const integer = (given: Given<IntegerOption>) => ({ type: 'integer', ...given }) as const;
const count = (given: Omit<Given<IntegerOption>, 'unit'>) => integer({ unit: 'count', ...given });
const bytes = (given: Omit<Given<IntegerOption>, 'unit'>) => integer({ unit: 'bytes', ...given });
/** A time span that a timer measures. */
const millis = (given: Omit<Given<IntegerOption>, 'unit' | 'max'>) =>
  integer({ unit: 'ms', max: TIMER_MAX_MS, ...given });
const port = (given: Omit<Given<IntegerOption>, 'unit' | 'min' | 'max'>) =>
  integer({ unit: 'port', min: 0, max: 65_535, ...given });

const section = <const Options extends { readonly [name: string]: Option }>(
  title: string,
  options: Options,
) => ({
  title,
  options,
});

export const SCHEMA = {
  claim: section('Claiming', {
    allowClaimingByDefault: flag({
      key: 'security.claim.allowClaimingByDefault',
      env: 'SECURITY_CLAIM_ALLOW_CLAIMING_BY_DEFAULT',
      default: true,
      why: 'When false, a device can be claimed only while its server attribute claimingAllowed is true.',
    }),
    defaultDurationMs: integer({
      key: 'security.claim.duration',
      aliases: ['device.claim.duration'],
      env: 'SECURITY_CLAIM_DURATION',
      unit: 'ms',
      default: DAY_MS,
      min: 1,
      max: 100 * 365 * DAY_MS,
      why: 'How long a claim window stays open when the device does not say.',
    }),
    maxDurationMs: integer({
      key: 'security.claim.maxDuration',
      env: 'SECURITY_CLAIM_MAX_DURATION',
      unit: 'ms',
      default: 0,
      min: 0,
      max: 100 * 365 * DAY_MS,
      why: 'Longest window a device may ask for; more is refused, never cut. 0: no limit.',
    }),
    maxAttributeBytes: bytes({
      key: 'security.claim.maxAttributeBytes',
      env: 'SECURITY_CLAIM_MAX_ATTRIBUTE_BYTES',
      default: 64 * KIB,
      min: 1 * KIB,
      max: 1 * MIB,
      why: 'How much JSON the attributes of one device may come to; they are written with every change of the device.',
    }),
    serverKey: key({
      key: 'security.claim.serverKey',
      env: 'SECURITY_CLAIM_SERVER_KEY',
      minBytes: 32,
      why: 'Key under which claim secrets are digested and sealed. Without it one is made at the first start and kept in the data folder.',
    }),
    acceptNewServerKey: flag({
      key: 'security.claim.acceptNewServerKey',
      env: 'SECURITY_CLAIM_ACCEPT_NEW_SERVER_KEY',
      default: false,
      why: 'Start with another server key than the one the store was made with: for a key that is lost. Open windows and claimingData are lost with it.',
    }),
  }),

  limits: section('Wrong secrets and passwords', {
    wrongSecretsPerCustomerAndDevice: count({
      key: 'security.claim.wrongSecrets.perCustomerAndDevice',
      env: 'SECURITY_CLAIM_WRONG_SECRETS_PER_CUSTOMER_AND_DEVICE',
      default: LIMITS.wrongSecretsPerCustomerAndDevice.max,
      min: 0,
      max: 1_000_000,
      why: 'Wrong secrets of one customer for one device within the window; beyond it that customer gets 429 for that device, others can still claim it. 0: no limit.',
    }),
    wrongSecretsPerCustomer: count({
      key: 'security.claim.wrongSecrets.perCustomer',
      env: 'SECURITY_CLAIM_WRONG_SECRETS_PER_CUSTOMER',
      default: LIMITS.wrongSecretsPerCustomer.max,
      min: 0,
      max: 1_000_000,
      why: 'The same for one customer over all devices.',
    }),
    wrongSecretsPerAddress: count({
      key: 'security.claim.wrongSecrets.perAddress',
      env: 'SECURITY_CLAIM_WRONG_SECRETS_PER_ADDRESS',
      default: LIMITS.wrongSecretsPerAddress.max,
      min: 0,
      max: 1_000_000,
      why: 'The same for one IP address; raise it when many customers come through one (see server.trusted_proxies).',
    }),
    wrongSecretsWindowMs: millis({
      key: 'security.claim.wrongSecrets.window',
      env: 'SECURITY_CLAIM_WRONG_SECRETS_WINDOW',
      default: LIMITS.wrongSecretsPerCustomer.windowMs,
      min: 1000,
      why: 'The window in which wrong secrets are counted; the longest that somebody has to wait.',
    }),
    failedLogins: count({
      key: 'security.login.max_failed',
      env: 'SECURITY_LOGIN_MAX_FAILED',
      default: LIMITS.failedLogins.max,
      min: 0,
      max: 1_000_000,
      why: 'Failed logins of one user name from one address within the window; beyond it the answer is 429. 0: no limit.',
    }),
    failedLoginsWindowMs: millis({
      key: 'security.login.window',
      env: 'SECURITY_LOGIN_WINDOW',
      default: LIMITS.failedLogins.windowMs,
      min: 1000,
      why: 'The window in which failed logins are counted.',
    }),
  }),

  http: section('HTTP: people and devices', {
    address: text({
      key: 'server.address',
      env: 'HTTP_BIND_ADDRESS',
      default: '0.0.0.0',
      why: 'Address to listen on; 127.0.0.1 behind a proxy on the same machine.',
    }),
    port: port({
      key: 'server.port',
      env: 'HTTP_BIND_PORT',
      default: HTTP.port,
      why: 'Port for REST and the device HTTP API. 0: any free one, named in the log.',
    }),
    baseUrl: text({
      key: 'server.base_url',
      env: 'HTTP_BASE_URL',
      default: undefined,
      pattern: /^https?:\/\/[^/\s]+(\/\S*)?$/u,
      expected: 'a URL such as https://claim.example.org',
      why: 'What activation links begin with; without it, as the request itself was addressed.',
    }),
    trustedProxies: count({
      key: 'server.trusted_proxies',
      env: 'HTTP_TRUSTED_PROXIES',
      default: API.trustedProxies,
      min: 0,
      max: 16,
      why: 'How many proxies in front add themselves to X-Forwarded-For. 0: the header is not believed.',
    }),
    maxBodyBytes: bytes({
      key: 'server.http.max_body_size',
      env: 'HTTP_MAX_BODY_SIZE',
      default: API.maxBodyBytes,
      min: 1 * KIB,
      max: 64 * MIB,
      why: 'Largest body of a request; more is answered 413.',
    }),
    devicePayloadBytesMax: bytes({
      key: 'transport.http.max_body_size',
      env: 'HTTP_TRANSPORT_MAX_BODY_SIZE',
      default: DEVICE_HTTP.payloadBytesMax,
      min: 128,
      max: 16 * MIB,
      why: 'Largest body that a device may send by HTTP; more is answered 413.',
    }),
    maxHeaderBytes: bytes({
      key: 'server.http.max_header_size',
      env: 'HTTP_MAX_HEADER_SIZE',
      default: HTTP.maxHeaderBytes,
      min: 4 * KIB,
      max: 1 * MIB,
      why: 'Request line and headers together; more is answered 431.',
    }),
    maxConnections: count({
      key: 'server.http.max_connections',
      env: 'HTTP_MAX_CONNECTIONS',
      default: HTTP.maxConnections,
      min: 1,
      max: 10_000_000,
      why: 'Connections at once; further ones are closed. The limit of open files must be above it.',
    }),
    headersTimeoutMs: millis({
      key: 'server.http.headers_timeout',
      env: 'HTTP_HEADERS_TIMEOUT',
      default: HTTP.headersTimeoutMs,
      min: 100,
      why: 'How long a client may take to send its headers.',
    }),
    requestTimeoutMs: millis({
      key: 'transport.http.request_timeout',
      env: 'HTTP_REQUEST_TIMEOUT',
      default: HTTP.requestTimeoutMs,
      min: 100,
      why: 'How long a client may take to send a whole request.',
    }),
    keepAliveTimeoutMs: millis({
      key: 'server.http.keep_alive_timeout',
      env: 'HTTP_KEEP_ALIVE_TIMEOUT',
      default: HTTP.keepAliveTimeoutMs,
      min: 100,
      why: 'How long an idle connection is kept; longer than the one of a proxy in front.',
    }),
  }),

  mqtt: section('MQTT: devices and gateways', {
    enabled: flag({
      key: 'transport.mqtt.enabled',
      env: 'MQTT_ENABLED',
      default: true,
      why: 'Whether devices can connect by MQTT.',
    }),
    bindAddress: text({
      key: 'transport.mqtt.bind_address',
      env: 'MQTT_BIND_ADDRESS',
      default: '0.0.0.0',
      why: 'Address to listen on.',
    }),
    port: port({
      key: 'transport.mqtt.bind_port',
      env: 'MQTT_BIND_PORT',
      default: MQTT.port,
      why: 'Port for MQTT 3.1, 3.1.1 and 5. 0: any free one, named in the log.',
    }),
    payloadBytesMax: bytes({
      key: 'transport.mqtt.netty.max_payload_size',
      env: 'NETTY_MAX_PAYLOAD_SIZE',
      default: MQTT.payloadBytesMax,
      min: 128,
      max: 16 * MIB,
      why: 'Largest payload of a message; a larger packet ends the connection before it is read.',
    }),
    headerBytesMax: bytes({
      key: 'transport.mqtt.max_header_size',
      env: 'MQTT_MAX_HEADER_SIZE',
      default: MQTT.headerBytesMax,
      min: 256,
      max: 256 * KIB,
      why: 'What a packet may have besides its payload: topic name, properties, user name.',
    }),
    connectionsMax: count({
      key: 'transport.mqtt.max_connections',
      env: 'MQTT_MAX_CONNECTIONS',
      default: MQTT.connectionsMax,
      min: 1,
      max: 10_000_000,
      why: 'Connections at once; beyond it new ones are closed unread. The limit of open files must be above it.',
    }),
    connectingMax: count({
      key: 'transport.mqtt.max_connecting',
      env: 'MQTT_MAX_CONNECTING',
      default: MQTT.connectingMax,
      min: 1,
      max: 1_000_000,
      why: 'Connections that have not shown a token yet; beyond it the one that waited longest makes room.',
    }),
    connectTimeoutMs: millis({
      key: 'transport.mqtt.timeout',
      env: 'MQTT_TIMEOUT',
      default: MQTT.connectTimeoutMs,
      min: 100,
      why: 'A connection without a token after so long is closed.',
    }),
    inactivityTimeoutMs: millis({
      key: 'transport.sessions.inactivity_timeout',
      env: 'TB_TRANSPORT_SESSIONS_INACTIVITY_TIMEOUT',
      default: MQTT.inactivityTimeoutMs,
      min: 1000,
      why: 'A device that sends nothing for so long is disconnected, when it asked for no keep-alive.',
    }),
    closeTimeoutMs: millis({
      key: 'transport.mqtt.disconnect_timeout',
      env: 'MQTT_DISCONNECT_TIMEOUT',
      default: MQTT.closeTimeoutMs,
      min: 0,
      why: 'How long a client may take to close its side after the server closed its own.',
    }),
    sweepIntervalMs: millis({
      key: 'transport.mqtt.sweep_interval',
      env: 'MQTT_SWEEP_INTERVAL',
      default: MQTT.sweepIntervalMs,
      min: 10,
      why: 'How often all connections are looked over for timeouts, which are late by up to this much.',
    }),
    readAheadBytesMax: bytes({
      key: 'transport.mqtt.max_read_ahead',
      env: 'MQTT_MAX_READ_AHEAD',
      default: MQTT.readAheadBytesMax,
      min: 1 * KIB,
      max: 64 * MIB,
      why: 'Bytes of one connection that wait to be handled; beyond it reading pauses.',
    }),
    outputBytesMax: bytes({
      key: 'transport.mqtt.max_output',
      env: 'MQTT_MAX_OUTPUT',
      default: MQTT.outputBytesMax,
      min: 4 * KIB,
      max: 64 * MIB,
      why: 'Bytes that wait for one client to read them; beyond it the connection is ended.',
    }),
    inFlightMax: count({
      key: 'transport.mqtt.msg_queue_size_per_device_limit',
      env: 'MQTT_MSG_QUEUE_SIZE_PER_DEVICE_LIMIT',
      default: MQTT.inFlightMax,
      min: 1,
      max: 65_535,
      why: 'Messages of one connection that are not acknowledged yet; MQTT 5 clients are told it as Receive Maximum.',
    }),
    unacknowledgedMax: count({
      key: 'transport.mqtt.max_unacknowledged',
      env: 'MQTT_MAX_UNACKNOWLEDGED',
      default: MQTT.unacknowledgedMax,
      min: 1,
      max: 65_535,
      why: 'Messages to one client that it has not acknowledged; beyond it they go out with QoS 0.',
    }),
    topicAliasMax: count({
      key: 'transport.mqtt.max_topic_aliases',
      env: 'MQTT_MAX_TOPIC_ALIASES',
      default: MQTT.topicAliasMax,
      min: 0,
      max: 65_535,
      why: 'Topic aliases that an MQTT 5 client may use.',
    }),
  }),

  devices: section('Device actors', {
    residentsMax: count({
      key: 'actors.device.max_residents',
      env: 'ACTORS_DEVICE_MAX_RESIDENTS',
      default: 50_000,
      min: 1,
      max: 10_000_000,
      why: 'Device actors kept in memory, about 3 KB each; beyond it the longest unused makes room.',
    }),
    idleMs: millis({
      key: 'actors.device.idle_timeout',
      env: 'ACTORS_DEVICE_IDLE_TIMEOUT',
      default: 60_000,
      min: 1000,
      why: 'A device actor unused for this long is let go; the next command recovers it with one read.',
    }),
    mailboxMax: count({
      key: 'actors.device.max_mailbox',
      env: 'ACTORS_DEVICE_MAX_MAILBOX',
      default: 512,
      min: 1,
      max: 1_000_000,
      why: 'Commands that may wait for one device; beyond it the answer is "overloaded" (503).',
    }),
    inFlightMax: count({
      key: 'actors.device.max_in_flight',
      env: 'ACTORS_DEVICE_MAX_IN_FLIGHT',
      default: 20_000,
      min: 1,
      max: 10_000_000,
      why: 'Commands under way over all devices; beyond it the answer is "overloaded" (503).',
    }),
    askTimeoutMs: millis({
      key: 'actors.device.ask_timeout',
      env: 'ACTORS_DEVICE_ASK_TIMEOUT',
      default: 5000,
      min: 100,
      why: 'How long a command may take before its sender hears that there is no answer (503).',
    }),
  }),

  alarms: section('Alarms', {
    pollMs: millis({
      key: 'actors.alarm.poll_interval',
      env: 'ACTORS_ALARM_POLL_INTERVAL',
      default: 200,
      min: 10,
      why: 'How often elapsed windows are looked for. A window is closed by its instant anyhow; this makes it prompt.',
    }),
    fanOutMax: count({
      key: 'actors.alarm.max_fan_out',
      env: 'ACTORS_ALARM_MAX_FAN_OUT',
      default: 1000,
      min: 1,
      max: 100_000,
      why: 'Device actors woken at the same time; more ends a rush of expiries sooner and delays claims more.',
    }),
  }),

  accounts: section('People and tokens', {
    loginCaseSensitive: flag({
      key: 'security.user_login_case_sensitive',
      env: 'SECURITY_USER_LOGIN_CASE_SENSITIVE',
      default: ACCOUNTS.loginCaseSensitive,
      why: 'Whether A@x.org and a@x.org are two users. Do not change it once there are users.',
    }),
    passwordMinLength: count({
      key: 'security.password.min_length',
      env: 'SECURITY_PASSWORD_MIN_LENGTH',
      default: ACCOUNTS.passwordMinLength,
      min: 1,
      max: 72,
      why: 'Shortest password that a user may set, in characters.',
    }),
    passwordMaxLength: count({
      key: 'security.password.max_length',
      env: 'SECURITY_PASSWORD_MAX_LENGTH',
      default: ACCOUNTS.passwordMaxLength,
      min: 6,
      max: 1024,
      why: 'Longest password that a user may set, in characters.',
    }),
    passwordHashCost: count({
      key: 'security.password.hash_cost',
      env: 'SECURITY_PASSWORD_HASH_COST',
      default: ACCOUNTS.passwordHashCost,
      min: 2 ** 10,
      max: 2 ** 20,
      why: "scrypt's N, a power of two. A login costs N KB of memory and, at 32768, some 60 ms; old hashes stay good.",
    }),
    passwordHashConcurrency: count({
      key: 'security.password.hash_concurrency',
      env: 'SECURITY_PASSWORD_HASH_CONCURRENCY',
      default: ACCOUNTS.passwordHashConcurrency,
      min: 1,
      max: 64,
      why: 'Logins hashed at once. They share four threads with the store unless UV_THREADPOOL_SIZE says otherwise.',
    }),
    passwordHashQueue: count({
      key: 'security.password.hash_queue',
      env: 'SECURITY_PASSWORD_HASH_QUEUE',
      default: ACCOUNTS.passwordHashQueue,
      min: 0,
      max: 100_000,
      why: 'Logins that may wait for their turn; beyond it the answer is "overloaded" (503).',
    }),
    activationTtlMs: millis({
      key: 'security.user.activation_ttl',
      env: 'SECURITY_USER_ACTIVATION_TTL',
      default: ACCOUNTS.activationTtlMs,
      min: 60_000,
      why: "How long a new user's activation link works.",
    }),
    jwtExpirationSeconds: integer({
      key: 'security.jwt.tokenExpirationTime',
      env: 'JWT_TOKEN_EXPIRATION_TIME',
      unit: 's',
      default: TOKENS.accessExpiresInSeconds,
      min: 60,
      max: 2_147_483,
      why: 'How long an access token is good for.',
    }),
    jwtRefreshExpirationSeconds: integer({
      key: 'security.jwt.refreshTokenExpTime',
      env: 'JWT_REFRESH_TOKEN_EXPIRATION_TIME',
      unit: 's',
      default: TOKENS.refreshExpiresInSeconds,
      min: 60,
      max: 315_360_000,
      why: 'How long a refresh token is good for: the longest time without logging in again.',
    }),
    standingTtlMs: millis({
      key: 'security.user.standing_ttl',
      env: 'SECURITY_USER_STANDING_TTL',
      default: TOKENS.standingTtlMs,
      min: 0,
      why: "For so long a user's record is believed without looking again; a change by this process shows at once.",
    }),
    standingMax: count({
      key: 'security.user.max_standings',
      env: 'SECURITY_USER_MAX_STANDINGS',
      default: TOKENS.standingMax,
      min: 1,
      max: 10_000_000,
      why: 'Users whose record is remembered between two requests.',
    }),
    jwtIssuer: text({
      key: 'security.jwt.tokenIssuer',
      env: 'JWT_TOKEN_ISSUER',
      default: TOKENS.issuer,
      why: 'The claim iss of tokens; others are refused.',
    }),
    jwtSigningKey: key({
      key: 'security.jwt.tokenSigningKey',
      env: 'JWT_TOKEN_SIGNING_KEY',
      minBytes: 64,
      why: 'HS512 key of tokens. Without it one is made at the first start and kept in the data folder; a change logs everybody out.',
    }),
  }),

  install: section('First start', {
    sysadminPassword: text({
      key: 'install.sysadmin_password',
      env: 'SYSADMIN_PASSWORD',
      default: undefined,
      secret: true,
      why: 'Password of sysadmin@thingsboard.org when it is created. Without it a random one is printed once.',
    }),
    loadDemo: flag({
      key: 'install.load_demo',
      env: 'LOAD_DEMO',
      default: false,
      why: "Adds ThingsBoard's demo tenant, customers, users and devices, with their well-known passwords: never in production. Also --demo.",
    }),
  }),

  store: section('Store', {
    dataDir: text({
      key: 'data.dir',
      env: 'DATA_DIR',
      default: './data',
      pattern: /^[^\0]+$/u,
      expected: 'a path',
      why: 'Folder of the database and of the keys made here; back it up as a whole. One process at a time may use it.',
    }),
    url: text({
      key: 'store.url',
      env: 'STORE_URL',
      default: undefined,
      pattern: /^(memory:|lmdb:.+)$/u,
      expected: 'memory: or lmdb:PATH',
      why: 'Where records are kept: lmdb:PATH, or memory: (nothing survives the process). Without it LMDB in the data folder.',
    }),
  }),

  system: section('Process', {
    drainMs: millis({
      key: 'system.drain_timeout',
      env: 'DRAIN_TIMEOUT',
      default: 8000,
      min: 0,
      why: 'After SIGTERM, how long claims under way may take before connections are closed on them.',
    }),
    logLevel: choice({
      key: 'log.level',
      env: 'LOG_LEVEL',
      choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
      default: 'info',
      why: 'The least severe level that is logged.',
    }),
  }),
} as const;

type Schema = typeof SCHEMA;

/** All settings, by section; every one is there and within its bounds. */
export type Config = {
  readonly [Section in keyof Schema]: {
    readonly [Name in keyof Schema[Section]['options']]: Schema[Section]['options'][Name] extends Option
      ? ValueOf<Schema[Section]['options'][Name]>
      : never;
  };
};

/** An option with where it stands in `Config`. */
export interface PlacedOption {
  readonly section: string;
  readonly title: string;
  readonly name: string;
  readonly option: Option;
}

/** All options, in the order in which they are documented. */
export const ALL_OPTIONS: readonly PlacedOption[] = Object.entries(SCHEMA).flatMap(
  ([name, { title, options }]) =>
    Object.entries(options).map(([optionName, option]: [string, Option]) => ({
      section: name,
      title,
      name: optionName,
      option,
    })),
);

/** What must hold between options, as sentences about what does not. */
export function contradictions(config: Config): string[] {
  const problems: string[] = [];
  if (config.claim.maxDurationMs !== 0 && config.claim.defaultDurationMs > config.claim.maxDurationMs) {
    problems.push(
      `security.claim.duration (${config.claim.defaultDurationMs}) must not be above ` +
        `security.claim.maxDuration (${config.claim.maxDurationMs}): no device could open a window without asking for less`,
    );
  }
  const { residentsMax, inFlightMax } = config.devices;
  if (config.alarms.fanOutMax > Math.min(residentsMax, inFlightMax)) {
    problems.push(
      `actors.alarm.max_fan_out (${config.alarms.fanOutMax}) must not be above actors.device.max_residents (${residentsMax}) ` +
        `or actors.device.max_in_flight (${inFlightMax}): expiries would crowd out everything else`,
    );
  }
  if (config.http.headersTimeoutMs > config.http.requestTimeoutMs) {
    problems.push(
      `server.http.headers_timeout (${config.http.headersTimeoutMs}) must not be above transport.http.request_timeout (${config.http.requestTimeoutMs})`,
    );
  }
  const { passwordMinLength, passwordMaxLength, passwordHashCost } = config.accounts;
  if (passwordMinLength > passwordMaxLength) {
    problems.push(
      `security.password.min_length (${passwordMinLength}) must not be above security.password.max_length (${passwordMaxLength})`,
    );
  }
  if (!Number.isInteger(Math.log2(passwordHashCost))) {
    problems.push(`security.password.hash_cost (${passwordHashCost}) must be a power of two`);
  }
  const { sysadminPassword, loadDemo } = config.install;
  const length = sysadminPassword === undefined ? undefined : [...sysadminPassword].length;
  if (length !== undefined && (length < passwordMinLength || length > passwordMaxLength)) {
    problems.push(
      `install.sysadmin_password (SYSADMIN_PASSWORD) must have ${passwordMinLength} to ${passwordMaxLength} characters, it has ${length}`,
    );
  }
  if (loadDemo && passwordMinLength > DEMO_PASSWORD_LENGTH) {
    problems.push(
      `install.load_demo needs security.password.min_length to be at most ${DEMO_PASSWORD_LENGTH}: its shortest password has no more`,
    );
  }
  return problems;
}
