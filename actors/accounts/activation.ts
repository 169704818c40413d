/**
 * Activation tokens: 30 random bytes in a link, good once and for a day. The store's unique keys hold only the token's
 * digest; whoever releases that key has used the token up, so of two activations at once exactly one wins.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Instant } from '../base/clock.ts';
import type { Index } from '../store/store.ts';
import type { Activation } from './model.ts';

const TOKEN_BYTES = 30;

/** A link this close to its end is renewed when it is asked for. */
export const RENEW_BEFORE_MS = 15 * 60 * 1000;

/** Draws a token and enters it for the user. */
export async function issueToken(index: Index, userId: string, expiresAt: Instant): Promise<Activation> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  await index.claim(tokenKey(token), userId);
  return { token, expiresAt };
}

/** Whose token it is, by the index alone. */
export function tokenHolder(index: Index, token: string): Promise<string | undefined> {
  return index.lookup(tokenKey(token));
}

/** Uses the token up. Resolves to whether it was there to be used. */
export function useToken(index: Index, token: string, userId: string): Promise<boolean> {
  return index.release(tokenKey(token), userId);
}

function tokenKey(token: string): string {
  return `account/activation/${createHash('sha256').update(token).digest('base64url')}`;
}
