/**
 * What a label said or a person typed, kept in this tab until the device is claimed: over refusals, sign-in, the end of a
 * session. It is never sent anywhere but with the form, and forgotten half an hour later.
 */
export interface Kept {
  readonly device: string;
  readonly key: string;
  /** A label said it; else it was typed. */
  readonly scanned: boolean;
}

const NAME = 'claim';
const KEPT_MS = 30 * 60_000;

export function keepClaim(kept: Kept): void {
  try {
    sessionStorage.setItem(NAME, JSON.stringify({ ...kept, at: Date.now() }));
  } catch {
    // A browser that keeps nothing: the page works as without script.
  }
}

export function keptClaim(): Kept | undefined {
  try {
    const { device, key, scanned, at } = JSON.parse(sessionStorage.getItem(NAME) ?? '{}');
    if (typeof device !== 'string' || typeof key !== 'string') return undefined;
    return Date.now() - at < KEPT_MS ? { device, key, scanned: scanned === true } : undefined;
  } catch {
    return undefined;
  }
}

export function forgetClaim(): void {
  try {
    sessionStorage.removeItem(NAME);
  } catch {
    // Nothing is kept.
  }
}
