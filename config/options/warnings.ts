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
  return warnings;
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
