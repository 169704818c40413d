/**
 * The link by which somebody signs up by mail. All that is known of the person is in its token, sealed under a key that only
 * this server has: nothing is stored before the link is opened and a password chosen.
 */
import type { Clock, Instant } from '../base/clock.ts';
import { type MailId, parseId, type TenantId } from '../base/ids.ts';
import { type CredentialSecrets, credentialOrNull } from '../base/secret.ts';

/** From the sending of the mail. */
export const SIGN_UP_LINK_MS = 24 * 3_600_000;

export interface SignUpWish {
  /** Whose customer the person wants to become. */
  readonly tenantId: TenantId;
  readonly email: string;
  /** As ThingsBoard writes it (`de_DE`); null: not said. */
  readonly language: string | null;
}

interface Sealed extends SignUpWish {
  readonly expiresAt: Instant;
}

export interface OpenedSignUp extends Sealed {
  /** Of the mail: it names the link. */
  readonly id: MailId;
}

/** Tells it from what else is sealed for a mail. */
const MARK = 'sign-up ';

/** @param id of the mail; the seal is bound to it */
export function signUpToken(
  secrets: Pick<CredentialSecrets, 'sealCredential'>,
  clock: Pick<Clock, 'now'>,
  id: MailId,
  { tenantId, email, language }: SignUpWish,
): string {
  const sealed: Sealed = { tenantId, email, language, expiresAt: clock.now() + SIGN_UP_LINK_MS };
  return `${id}.${secrets.sealCredential(id, `${MARK}${JSON.stringify(sealed)}`)}`;
}

/** Undefined: not ours, or too old. */
export function openSignUpToken(
  secrets: Pick<CredentialSecrets, 'unsealCredential'>,
  clock: Pick<Clock, 'now'>,
  token: string,
): OpenedSignUp | undefined {
  const dot = token.indexOf('.');
  const id = parseId<MailId>(token.slice(0, Math.max(0, dot)));
  const text = id === undefined ? null : credentialOrNull(secrets, id, token.slice(dot + 1));
  if (id === undefined || text === null || !text.startsWith(MARK)) return undefined;
  // Nobody else can have sealed it.
  const sealed = JSON.parse(text.slice(MARK.length)) as Sealed;
  return clock.now() < sealed.expiresAt ? { ...sealed, id } : undefined;
}
