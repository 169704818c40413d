/**
 * All options. Where ThingsBoard has the setting, its name and unit are used, so that an operator's environment files
 * keep working. Other units are milliseconds and bytes.
 *
 * The type `Config` is inferred from the declarations in `sections/`. To add an option, declare it there and use it in
 * `compose/`. Parser and help follow, and `write-docs.ts` writes the example file and the table in `config/README.md`.
 */
import { defaultAccountSettings } from '../../actors/accounts/model.ts';
import { namesInEmail, passwordProblem } from '../../actors/accounts/password-rules.ts';
import { createAddressFilter } from '../../actors/outbound/addresses.ts';
import { templateProblems } from '../../transports/mqtt/bridge/templates.ts';
import { SYSADMIN } from '../demo/demo-data.ts';
import { nameDoors, openDoors } from './doors.ts';
import { listOf, type Option, type ValueOf } from './option.ts';
import { accounts } from './sections/accounts.ts';
import { alarms, devices } from './sections/actors.ts';
import { broker } from './sections/broker.ts';
import { claim, limits } from './sections/claiming.ts';
import { coap } from './sections/coap.ts';
import { http } from './sections/http.ts';
import { mail } from './sections/mail.ts';
import { metrics } from './sections/metrics.ts';
import { mqtt } from './sections/mqtt.ts';
import { outbound, policyHook } from './sections/outbound.ts';
import { ownership } from './sections/ownership.ts';
import { install, store, system } from './sections/process.ts';
import { quotas } from './sections/quotas.ts';
import { redis } from './sections/redis.ts';
import { tracing } from './sections/tracing.ts';
import { web } from './sections/web.ts';
import { webhooks } from './sections/webhooks.ts';

/** In the order in which they are documented. */
export const SCHEMA = {
  claim,
  ownership,
  policyHook,
  limits,
  quotas,
  http,
  web,
  mqtt,
  broker,
  coap,
  outbound,
  webhooks,
  mail,
  devices,
  alarms,
  accounts,
  install,
  store,
  redis,
  metrics,
  tracing,
  system,
} as const;

type Schema = typeof SCHEMA;

/** All settings by section. Each is set and within its bounds. */
export type Config = {
  readonly [Section in keyof Schema]: {
    readonly [Name in keyof Schema[Section]['options']]: Schema[Section]['options'][Name] extends Option
      ? ValueOf<Schema[Section]['options'][Name]>
      : never;
  };
};

/** An option and its place in `Config`. */
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

/** Checks what must hold between options. Returns one sentence for each problem. */
export function contradictions(config: Config): string[] {
  const problems: string[] = [
    ...templateProblems(listOf(config.broker.claimTopics), listOf(config.broker.gatewayTopics)),
  ];
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
  const { sysadminPassword, loadDemo, demoPublic } = config.install;
  const rules = { ...defaultAccountSettings, passwordMinLength, passwordMaxLength };
  const names = [config.web.name, ...namesInEmail(SYSADMIN.email)];
  const wrong = sysadminPassword === undefined ? undefined : passwordProblem(sysadminPassword, rules, names);
  if (wrong !== undefined) {
    problems.push(
      `install.sysadmin_password (SYSADMIN_PASSWORD) must have ${passwordMinLength} to ${passwordMaxLength} characters, ` +
        `and be neither one that everybody knows nor made of names (${wrong.reason})`,
    );
  }
  const doors = openDoors(config);
  if (loadDemo && !demoPublic && doors.length > 0) {
    problems.push(
      `install.load_demo makes accounts with public passwords, and others than this machine could reach them: ${nameDoors(doors)}. ` +
        'Listen on 127.0.0.1, or say --demo-public (LOAD_DEMO_PUBLIC=true)',
    );
  }
  problems.push(...outboundProblems(config), ...mailProblems(config));
  if ((config.redis.certFile === undefined) !== (config.redis.keyFile === undefined)) {
    problems.push(
      'redis.ssl.cert_file (REDIS_SSL_CERT) and redis.ssl.key_file (REDIS_SSL_KEY) belong together',
    );
  }
  if (config.system.workers > 1 && config.store.url === 'memory:') {
    problems.push(
      `system.workers (${config.system.workers}) needs a store that processes can share: not memory: (STORE_URL)`,
    );
  }
  return problems;
}

function mailProblems({ mail, http }: Config): string[] {
  if (mail.host === undefined) return [];
  return [
    ...(mail.from === undefined
      ? ['mail.host needs mail.from (MAIL_FROM), the address that mails are from']
      : []),
    ...(http.baseUrl === undefined
      ? ['mail.host needs server.base_url (HTTP_BASE_URL): what the links in mails begin with']
      : []),
    ...((mail.user === undefined) !== (mail.password === undefined)
      ? ['mail.user and mail.password (MAIL_PASSWORD, MAIL_PASSWORD_FILE) belong together']
      : []),
  ];
}

/** A hook that could never be asked would be found out by the first customer. */
function outboundProblems({
  outbound: { allowedNetworks, allowHttp },
  policyHook: { url, secrets },
}: Config): string[] {
  try {
    const filter = createAddressFilter({ allowedNetworks: listOf(allowedNetworks ?? ''), allowHttp });
    if (url === undefined) return [];
    const lacksSecret = secrets === undefined;
    const checked = filter.checkUrl(url);
    return [
      ...(lacksSecret
        ? ['security.claim.policyHook.url needs security.claim.policyHook.secret, which signs']
        : []),
      ...(typeof checked === 'string'
        ? [
            `security.claim.policyHook.url can not be used: ${checked} ` +
              '(outbound.allowedNetworks and outbound.allowHttp say what is allowed)',
          ]
        : []),
    ];
  } catch (error) {
    if (error instanceof RangeError) return [`outbound.allowedNetworks: ${error.message}`];
    throw error;
  }
}
