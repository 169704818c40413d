/** Texts and payloads with the number of a device in them. */
import { unreachable } from '../../actors/base/unreachable.ts';
import type { Payload } from '../contract.ts';

const PLACE = '{n}';
const TOKEN = '{token}';

/** Returns a function that replaces each `{n}` by a number, and each `{token}` by a token. */
export function filler(text: string): (n: number, token?: string) => string {
  const parts = text.split(PLACE);
  if (text.includes(TOKEN)) return (n, token = '') => parts.join(String(n)).replaceAll(TOKEN, token);
  if (parts.length === 1) return () => text;
  return (n) => parts.join(String(n));
}

export function payloads(payload: Payload): (n: number) => string {
  switch (payload.type) {
    case 'text':
      return filler(payload.text);
    case 'closing': {
      const { secretKey, firstAt, spreadMs, count } = payload;
      return (n) => {
        const durationMs = Math.round(firstAt + ((n % count) / count) * spreadMs - Date.now());
        return JSON.stringify({ secretKey, durationMs });
      };
    }
    case 'batch': {
      const { name, size, claim } = payload;
      const nameOf = filler(name);
      return (n) => {
        const entries = Array.from(
          { length: size },
          (_, at) => `${JSON.stringify(nameOf(n * size + at))}:${claim}`,
        );
        return `{${entries.join()}}`;
      };
    }
    default:
      return unreachable(payload);
  }
}
