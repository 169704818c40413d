/** Whether what listens on an address is reached from this machine alone. Names are not looked up. */
import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

export function isLoopback(address: string): boolean {
  const plain = address.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(plain);
  if (version === 0) return plain.toLowerCase() === 'localhost';
  return LOOPBACK.check(plain, version === 4 ? 'ipv4' : 'ipv6'); // also knows ::ffff:127.0.0.1
}
