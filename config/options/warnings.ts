/** What the start tells an operator whose settings are allowed and yet probably not meant. */
import { isIP } from 'node:net';
import { takeOverNeedsProof } from '../../actors/device/ownership-rules.ts';
import { createAddressFilter, OUTBOUND_DEFAULTS } from '../../actors/outbound/addresses.ts';
import { isLoopback } from '../../actors/sockets/loopback.ts';
import { nameDoors, openDoors } from './doors.ts';
import type { Config } from './schema.ts';

/** One sentence each, for a person; without secrets. */
export function warningsOf(config: Config): string[] {
  const { http, store, redis, mail } = config;
  const warnings: string[] = [];
  if (http.baseUrl === undefined && !isLoopback(http.address)) {
    warnings.push(
      'no HTTP_BASE_URL is set: labels, claim links and activation links carry whatever address the request was sent to, ' +
        'so set it to the address that people use',
    );
  }
  if (mail.host !== undefined && mail.tls === 'none' && !isLoopback(mail.host)) {
    warnings.push(
      `mails go to ${mail.host} without TLS (mail.tls): whoever reads the network between reads links that open accounts`,
    );
  }
  const { ownership } = config;
  if (
    ownership.takeOver !== 'never' &&
    ownership.onOwnerChange === 'keep' &&
    !takeOverNeedsProof(ownership)
  ) {
    warnings.push(
      'devices can be taken over by a window (security.claim.takeOver) and keep their credentials when their owner changes: a former ' +
        'owner who has copied them takes the device back, so set SECURITY_CLAIM_ON_OWNER_CHANGE to rotate or quarantine, or ' +
        'SECURITY_CLAIM_TAKE_OVER_REQUIRES to proof',
    );
  }
  warnings.push(...redisWarnings(store.url ?? '', redis.password));
  warnings.push(...readableWarnings(config));
  warnings.push(...idleWarnings(config));
  return warnings;
}

/** Options that are given, and do nothing because another is not: mostly that one was forgotten or misspelt. */
function idleWarnings(config: Config): string[] {
  const { mail, http, mqtt, broker, redis, policyHook, accounts, web, metrics } = config;
  const storeUrl = config.store.url ?? '';
  const without = (needed: string, isThere: boolean, options: { readonly [key: string]: unknown }) => {
    const given = Object.keys(options).filter((key) => options[key] !== undefined);
    return isThere || given.length === 0
      ? []
      : [`without ${needed} nothing is done with ${given.join(', ')}`];
  };
  return [
    ...without('server.ssl.enabled (SSL_ENABLED)', http.sslEnabled, {
      'server.ssl.credentials.pem.cert_file': http.sslCertFile,
      'server.ssl.credentials.pem.key_file': http.sslKeyFile,
      'server.ssl.credentials.pem.key_password': http.sslKeyPassword,
    }),
    ...without('transport.mqtt.ssl.enabled (MQTT_SSL_ENABLED)', mqtt.sslEnabled, {
      'transport.mqtt.ssl.credentials.pem.cert_file': mqtt.sslCertFile,
      'transport.mqtt.ssl.credentials.pem.key_file': mqtt.sslKeyFile,
      'transport.mqtt.ssl.credentials.pem.key_password': mqtt.sslKeyPassword,
    }),
    ...without('transport.mqtt.broker.url (MQTT_BROKER_URL)', broker.url !== undefined, {
      'transport.mqtt.broker.username': broker.username,
      'transport.mqtt.broker.password': broker.password,
      'transport.mqtt.broker.ssl.ca_file': broker.caFile,
      'transport.mqtt.broker.ssl.cert_file': broker.certFile,
      'transport.mqtt.broker.ssl.key_file': broker.keyFile,
      'transport.mqtt.broker.ssl.key_password': broker.keyPassword,
      'transport.mqtt.broker.event_topic': broker.eventTopic,
    }),
    ...without('mail.host (MAIL_HOST)', mail.host !== undefined, {
      'mail.ca_file': mail.caFile,
      'mail.user': mail.user,
      'mail.password': mail.password,
      'mail.from': mail.from,
    }),
    ...without('Redis as store.url (STORE_URL)', storeUrl.startsWith('redis'), {
      'redis.username': redis.username,
      'redis.password': redis.password,
    }),
    ...without('Redis with TLS as store.url (STORE_URL, rediss://)', storeUrl.startsWith('rediss'), {
      'redis.ssl.ca_file': redis.caFile,
      'redis.ssl.cert_file': redis.certFile,
      'redis.ssl.key_file': redis.keyFile,
    }),
    ...without(
      'security.claim.policyHook.url (SECURITY_CLAIM_POLICY_HOOK_URL)',
      policyHook.url !== undefined,
      {
        'security.claim.policyHook.secret': policyHook.secrets,
      },
    ),
    ...without('security.sign_up.tenants (SECURITY_SIGN_UP_TENANTS)', accounts.signUpTenants !== undefined, {
      'security.sign_up.domains': accounts.signUpDomains,
    }),
    ...without('web.afterClaim.text (WEB_AFTER_CLAIM_TEXT)', web.afterClaim !== undefined, {
      'web.afterClaim.link': web.afterClaimLink,
    }),
    ...without('metrics.enabled (METRICS_ENABLED)', metrics.enabled, { 'metrics.token': metrics.token }),
  ];
}

/** Where devices may come from anywhere, and show their tokens to whatever is between (ETSI EN 303 645, 5.5). */
function readableWarnings(config: Config): string[] {
  const readable = openDoors(config).filter(
    ({ what, address }) => READABLE.includes(what) && !isInner(address),
  );
  if (readable.length === 0) return [];
  return [
    `${nameDoors(readable)} may be reached from anywhere and has no TLS: whoever reads the network between reads tokens of devices, ` +
      'so listen on an address of an inner network (MQTT_BIND_ADDRESS, COAP_BIND_ADDRESS), or switch off what devices do not use',
  ];
}

const READABLE = ['MQTT', 'CoAP'];
const ANY_ADDRESS = ['0.0.0.0', '::'];
const { isAllowed: isPublic } = createAddressFilter(OUTBOUND_DEFAULTS);

/** An address that is reached from its own network alone. Names are not looked up: they may be any. */
const isInner = (address: string) =>
  isIP(address) !== 0 && !ANY_ADDRESS.includes(address) && !isPublic(address);

/** What lies in Redis and goes to it are tokens of devices, hashes of passwords, and who owns what. */
function redisWarnings(url: string, password: string | undefined): string[] {
  const {
    tls,
    credentials,
    hosts = '',
  } = /^redis(?<tls>s?)(?:-cluster)?:\/\/(?:(?<credentials>[^/]*)@)?(?<hosts>[^/@]+)/u.exec(url)?.groups ??
  {};
  const far = hosts.split(',').filter((host) => host !== '' && !isLoopback(withoutPort(host)));
  if (far.length === 0) return [];
  const lacks = [
    ...(password === undefined && !credentials?.includes(':') ? ['a password'] : []),
    ...(tls === '' ? ['TLS (rediss://)'] : []),
  ];
  if (lacks.length === 0) return [];
  return [
    `Redis at ${far.join(', ')} is used without ${lacks.join(' and ')}: whoever reaches it, or the network between, reads or changes everything`,
  ];
}

function withoutPort(host: string): string {
  return host.replace(/(?<=\]|^[^:]*):\d+$/u, '');
}
