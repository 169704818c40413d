/**
 * What a label said or a person typed, kept in this tab until the device is claimed: over refusals, sign-in, the end of a
 * session. It is never sent anywhere but with the form, and forgotten half an hour later. Who signs up by a mail comes back in
 * another tab: for it, and for an hour, it is kept in this browser.
 */
export interface Kept {
  readonly device: string;
  readonly key: string;
  /** A label said it; else it was typed. */
  readonly scanned: boolean;
}

const NAME = 'claim';
const KEPT_MS = 30 * 60_000;
const KEPT_FOR_MAIL_MS = 60 * 60_000;

export function keepClaim(kept: Kept): void {
  write(() => sessionStorage, kept);
}

/** For the tab in which the link of a mail is opened. */
export function keepClaimForMail(): void {
  const kept = keptClaim();
  if (kept !== undefined) write(() => localStorage, kept);
}

export function keptClaim(): Kept | undefined {
  return read(() => sessionStorage, KEPT_MS) ?? read(() => localStorage, KEPT_FOR_MAIL_MS);
}

export function forgetClaim(): void {
  forget(() => sessionStorage);
  forget(() => localStorage);
}

/** A browser that keeps nothing throws when it is asked for a storage: then the page works as without script. */
type Open = () => Storage;

function write(open: Open, kept: Kept): void {
  try {
    open().setItem(NAME, JSON.stringify({ ...kept, at: Date.now() }));
  } catch {
    // Nothing is kept.
  }
}

function read(open: Open, forMs: number): Kept | undefined {
  try {
    const { device, key, scanned, at } = JSON.parse(open().getItem(NAME) ?? '{}');
    if (typeof device !== 'string' || typeof key !== 'string') return undefined;
    if (Date.now() - at < forMs) return { device, key, scanned: scanned === true };
    open().removeItem(NAME);
    return undefined;
  } catch {
    return undefined;
  }
}

function forget(open: Open): void {
  try {
    open().removeItem(NAME);
  } catch {
    // Nothing is kept.
  }
}
