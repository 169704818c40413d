/** Which network addresses count as one party. */
import { isIPv6 } from 'node:net';

const GROUPS = 8;
const NETWORK_GROUPS = 4;
const IPV4_IN_IPV6 = /^::ffff:(\d+(?:\.\d+){3})$/i;

/**
 * The name under which an address is counted. Whoever has one IPv6 address has its whole network of 2^64 (RFC 4291
 * §2.5.1), so its network is counted. An IPv4 address is counted as itself, in every notation.
 */
export function countedAs(address: string): string {
  const [, ipv4] = IPV4_IN_IPV6.exec(address) ?? [];
  if (ipv4 !== undefined) return ipv4;
  const [bare = ''] = address.split('%'); // without a zone
  if (!isIPv6(bare)) return address;
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const [head = [], tail = []] = canonical.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = canonical.includes('::') ? GROUPS - head.length - tail.length : 0;
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...tail];
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}
