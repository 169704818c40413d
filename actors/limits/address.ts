/** Which network addresses count as one party. */
import { isIPv6 } from 'node:net';

/** How many addresses of 64 bits may share one customer's network: providers give out /64, /56 and /48. */
export interface Network {
  /** As in `countedAs`, or wider. */
  readonly name: string;
  /** How many times as much as a single address it may do. */
  readonly times: number;
}

const GROUPS = 8;
const NETWORK_GROUPS = 4;
const IPV4_IN_IPV6 = /^::ffff:(\d+(?:\.\d+){3})$/i;

/**
 * The name under which an address is counted. Whoever has one IPv6 address has its whole network of 2^64 (RFC 4291
 * §2.5.1), so its network is counted. An IPv4 address is counted as itself, in every notation.
 */
export function countedAs(address: string): string {
  if (!address.includes(':')) return address;
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

const COUNTED_IPV6 = /^([0-9a-f]+:[0-9a-f]+:[0-9a-f]+):([0-9a-f]+)::\/64$/;

/**
 * The networks in which what an address does is counted, the narrowest first. Whoever has an IPv6 network of 56 or 48 bits
 * draws from 256 or 65,536 networks of 64 bits, so these are counted too, with more room: several customers of a provider
 * may be in one.
 * @param counted what `countedAs` says
 */
export function networksOf(counted: string): readonly Network[] {
  if (!counted.endsWith('::/64')) return [{ name: counted, times: 1 }];
  const own = { name: counted, times: 1 };
  const [, site, subnet] = COUNTED_IPV6.exec(counted) ?? [];
  if (site === undefined || subnet === undefined) return [own];
  const block = (Number.parseInt(subnet, 16) & 0xff00).toString(16);
  return [own, { name: `${site}:${block}::/56`, times: 4 }, { name: `${site}::/48`, times: 16 }];
}
