/** What the start tells an operator whose settings are allowed and yet probably not meant. */
import { isLoopback } from '../../actors/sockets/loopback.ts';
import type { Config } from './schema.ts';

/** One sentence each, for a person; without secrets. */
export function warningsOf({ http, store, redis, mail }: Config): string[] {
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
  warnings.push(...redisWarnings(store.url ?? '', redis.password));
  return warnings;
}

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
