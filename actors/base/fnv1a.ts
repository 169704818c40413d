/** FNV-1a: a hash that spreads well and costs little. It resists nobody who wants a collision. */

/**
 * Hashes the UTF-16 units of a text to an unsigned 32-bit number. Part of the format of data in Redis: it says in which
 * partition a stream lies.
 */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
