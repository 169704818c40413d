/**
 * Every option of claimd, once. Names are ThingsBoard's where ThingsBoard has the setting, so that an operator's
 * environment files go on working; units are ThingsBoard's too, ours are milliseconds and bytes.
 *
 * The type `Config` follows from this file. To add an option, add it here and use it in `system.ts`: parser, help,
 * `config/claimd.example.yml` and the README's table (both checked by a test) follow.
 */
import { TIMER_MAX_MS } from '../actors/clock.ts';
import type {
  BooleanOption,
  ChoiceOption,
  IntegerOption,
  KeyOption,
  Option,
  TextOption,
  ValueOf,
} from './option.ts';

const DAY_MS = 86_400_000;
const KIB = 1024;
const MIB = 1024 * KIB;

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
    allowByDefault: flag({
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
    serverKey: key({
      key: 'security.claim.serverKey',
      env: 'SECURITY_CLAIM_SERVER_KEY',
      minBytes: 32,
      why: 'Key under which claim secrets are digested and sealed. Without it one is made at the first start and kept in the data folder.',
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
      default: 8080,
      why: 'Port for REST and the device HTTP API. 0: any free one, named in the log.',
    }),
  }),

  mqtt: section('MQTT: devices and gateways', {
    enabled: flag({
      key: 'transport.mqtt.enabled',
      env: 'MQTT_ENABLED',
      default: true,
      why: 'Whether devices can connect by MQTT.',
    }),
    address: text({
      key: 'transport.mqtt.bind_address',
      env: 'MQTT_BIND_ADDRESS',
      default: '0.0.0.0',
      why: 'Address to listen on.',
    }),
    port: port({
      key: 'transport.mqtt.bind_port',
      env: 'MQTT_BIND_PORT',
      default: 1883,
      why: 'Port for MQTT 3.1, 3.1.1 and 5. 0: any free one, named in the log.',
    }),
    maxPayloadBytes: bytes({
      key: 'transport.mqtt.netty.max_payload_size',
      env: 'NETTY_MAX_PAYLOAD_SIZE',
      default: 64 * KIB,
      min: 128,
      max: 16 * MIB,
      why: 'Largest payload of a message; a larger packet ends the connection before it is read.',
    }),
  }),

  accounts: section('People and tokens', {
    jwtExpirationSeconds: integer({
      key: 'security.jwt.tokenExpirationTime',
      env: 'JWT_TOKEN_EXPIRATION_TIME',
      unit: 's',
      default: 9000,
      min: 60,
      max: 2_147_483,
      why: 'How long an access token is good for.',
    }),
    jwtRefreshExpirationSeconds: integer({
      key: 'security.jwt.refreshTokenExpTime',
      env: 'JWT_REFRESH_TOKEN_EXPIRATION_TIME',
      unit: 's',
      default: 604_800,
      min: 60,
      max: 315_360_000,
      why: 'How long a refresh token is good for: the longest time without logging in again.',
    }),
    jwtIssuer: text({
      key: 'security.jwt.tokenIssuer',
      env: 'JWT_TOKEN_ISSUER',
      default: 'thingsboard.io',
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
      pattern: /^.{6,72}$/su,
      expected: 'a text of 6 to 72 characters',
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
  return problems;
}
