/**
 * Where this server may send requests that others have a say in: webhooks, hooks, identity providers. It stands inside a
 * network, so a URL that leads back into it would let whoever writes the URL look around there (SSRF).
 *
 * A URL is checked when it is written, and its addresses again when the connection is made (`request.ts`): a name may lead
 * somewhere else by then. One forbidden address among several forbids them all, so that it makes no difference which of
 * them is tried.
 */
import { BlockList, isIP } from 'node:net';

export interface OutboundSettings {
  /** Networks (CIDR, or single addresses) that are allowed although they are not public. */
  readonly allowedNetworks: readonly string[];
  /** Whether `http:` is allowed beside `https:`. */
  readonly allowHttp: boolean;
}

export const OUTBOUND_DEFAULTS: OutboundSettings = { allowedNetworks: [], allowHttp: false };

export interface AddressFilter {
  /** The URL as it will be used, or why not: a sentence for whoever wrote it. */
  checkUrl(text: string): URL | string;
  /** Whether a connection to this address may be made. */
  isAllowed(address: string): boolean;
}

/** IANA's special-purpose registries, and what clouds keep behind public addresses. */
const FORBIDDEN = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10', // also Alibaba's metadata
  '127.0.0.0/8',
  '168.63.129.16/32', // Azure's metadata
  '169.254.0.0/16', // metadata of most clouds
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96', // unspecified, loopback, and IPv4 in disguise
  '::ffff:0:0:0/96', // IPv4 translated (RFC 2765), which is not IPv4 mapped
  '64:ff9b::/96', // IPv4 behind NAT64
  '64:ff9b:1::/48',
  '100::/64',
  '100:0:0:1::/64',
  '2001::/23', // protocols' own: IPv4 in Teredo, measurements, ORCHID
  '2001:db8::/32',
  '2002::/16', // IPv4 in 6to4
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

/** Names that mean this machine or its network, wherever they lead. */
const INNER_NAME = /(^|\.)(localhost|local|internal|localdomain|home\.arpa)$/;
/** Never allowed, whatever the settings say. */
const METADATA_NAMES = ['metadata.google.internal', 'metadata.tencentyun.com', 'metadata'];

/** Throws for a network that is none. */
export function createAddressFilter({ allowedNetworks, allowHttp }: OutboundSettings): AddressFilter {
  const forbidden = listOf(FORBIDDEN);
  const allowed = listOf(allowedNetworks);

  function isAllowed(address: string): boolean {
    const family = isIP(address);
    if (family === 0) return false;
    const version = family === 4 ? 'ipv4' : 'ipv6';
    // An IPv4 address in IPv6 (::ffff:127.0.0.1) is matched by the rules for IPv4.
    return allowed.check(address, version) || !forbidden.check(address, version);
  }

  function isNameAllowed(name: string): boolean {
    if (METADATA_NAMES.includes(name)) return false;
    // A network inside may be allowed; then the addresses decide, which are looked at anyhow.
    return allowedNetworks.length > 0 || !INNER_NAME.test(name);
  }

  return {
    isAllowed,
    checkUrl(text) {
      // The parser turns 0x7f.1, 2130706433 and 127.1 into 127.0.0.1, so what it says is looked at, not the text.
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (url === undefined) return 'it is not a URL';
      if (url.protocol !== 'https:' && !(allowHttp && url.protocol === 'http:')) {
        return allowHttp ? 'it should begin with https: or http:' : 'it should begin with https:';
      }
      if (url.username !== '' || url.password !== '') return 'it should have no user name and no password';
      const host = hostOf(url);
      const isFine = isIP(host) === 0 ? isNameAllowed(host) : isAllowed(host);
      return isFine ? url : 'it leads to an address that is not public';
    },
  };
}

/** The host as a name or an address: without brackets, and without the dot at its end. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address);
    const widest = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? widest : Number(bits);
    if (family === 0 || bits === '' || !Number.isInteger(prefix) || prefix < 0 || prefix > widest) {
      throw new RangeError(`${network} is no network: write it like 10.1.0.0/16`);
    }
    list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
