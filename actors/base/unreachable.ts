/** The end of an exhaustive switch: the compiler proves that nothing gets here, and what does get here is a bug. */

/**
 * Throws a TypeError that names what it got. Of an object it names the `type` and the keys, never the values: a
 * stored event may hold an access token.
 */
export function unreachable(value: never): never {
  throw new TypeError(`no case for ${describe(value)}`);
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const type = 'type' in value && typeof value.type === 'string' ? `${value.type} ` : '';
  return `${type}{${Object.keys(value).join(', ')}}`;
}
