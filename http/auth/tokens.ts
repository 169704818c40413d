/**
 * JSON Web Tokens as ThingsBoard's clients read them: HS512, `exp` and `iat` in seconds, ThingsBoard's claims. One
 * claim is ours: `credentialsVersion`, which counts the user's passwords. A token of an earlier password is outdated at
 * once, whatever the clocks say.
 *
 * What a token is for is in its header as `typ` (RFC 8725 §3.11), and for whom in `aud`: so no kind is taken for
 * another one, nor a token of another claimd that was given the same key.
 */
import { randomUUID } from 'node:crypto';
import { createSigner, createVerifier, TOKEN_ERROR_CODES, TokenError } from 'fast-jwt';
import { z } from 'zod';
import type { Customer, Session, SessionVia, User } from '../../actors/accounts/accounts.ts';
import type { Clock, Instant } from '../../actors/base/clock.ts';
import { type CustomerId, NULL_UUID, type ProviderId, parseId, type UserId } from '../../actors/base/ids.ts';
import type { TokenSettings } from '../settings.ts';
import { customerOf, tenantOf } from '../views/user.ts';

export interface TokenPair {
  readonly token: string;
  readonly refreshToken: string;
}

/** What a token proves. */
export interface Claims {
  readonly userId: UserId;
  readonly sessionId: string;
  readonly credentialsVersion: number;
  /** Of a refresh token: which one of its session it is. */
  readonly rotation: number;
  /** The public customer whose anonymous user holds the token; then `userId` is the null UUID. */
  readonly publicCustomer: CustomerId | undefined;
  /** Of a login that is not complete: the provider by which it began. */
  readonly via?: SessionVia;
}

export type Reading =
  | { readonly type: 'good'; readonly claims: Claims; readonly signedByOther: boolean }
  /** Not a token of ours, or the wrong kind of token. */
  | { readonly type: 'unreadable' }
  /** Expired, or signed with another key: logging in again helps. */
  | { readonly type: 'outdated' };

export interface Tokens {
  /** The tokens of a session; they do not outlive it. */
  issue(user: User, session: Pick<Session, 'id' | 'endsAt' | 'rotation'>): TokenPair;
  /** What a browser keeps of the session of an access token that was just issued. It renews nothing. */
  cookieOf(accessToken: string): Cookie;
  /**
   * What a browser keeps for the next login of a user who has just signed in: it opens nothing, and says that the user
   * has signed in there before (OWASP: device cookies). @param browser its id where it has one for this user
   */
  issueBrowser(accessToken: string, browser?: string): string;
  /** For the anonymous user of a public customer. */
  issuePublic(customer: Customer, sessionId?: string): TokenPair;
  /** For somebody who has shown the password, and has no session yet. */
  issueStep(user: User, step: LoginStep, via?: SessionVia): string;
  readStep(token: string): { readonly step: LoginStep; readonly reading: Reading } | undefined;
  readAccess(token: string): Reading;
  /** What `readAccess` says of a text that was read as a token before; undefined: it was not, or is forgotten. */
  readAccessAgain(text: string): Reading | undefined;
  readRefresh(token: string): Reading;
  readCookie(value: string): Reading;
  /** `sessionId` is the id of the browser. */
  readBrowser(value: string): Reading;
}

/** What is left of a login after the password. */
export type LoginStep = 'verifying' | 'enrolling';

interface Cookie {
  readonly value: string;
  readonly maxAgeSeconds: number;
}

const REFRESH_SCOPE = 'REFRESH_TOKEN';
/** The `typ` of each kind. RFC 9068 §2.1 gives the first one. */
const TYPES = {
  access: 'at+jwt',
  refresh: 'refresh+jwt',
  cookie: 'cookie+jwt',
  browser: 'browser+jwt',
  verifying: 'verifying+jwt',
  enrolling: 'enrolling+jwt',
} as const;
type TokenKind = keyof typeof TYPES;
/** Browsers keep no cookie for longer. The session ends earlier, and is looked up each time. */
const COOKIE_MAX_AGE_S = 400 * 24 * 60 * 60;
/** Tokens whose signature was checked, about 1 KB each. Beyond it the one checked first is forgotten. */
const VERIFIED_MAX = 20_000;

interface Verified {
  readonly type: 'verified';
  readonly token: string;
  readonly kind: TokenKind;
  readonly reading: Reading;
  readonly expiresAt: Instant;
}

/**
 * Under what a token is remembered: the end of its signature. A map has to go through all characters of a key, which are many, and
 * new ones with each request; that they are the same is seen at a glance.
 */
const endOf = (token: string): string => token.slice(-24);

const KINDS = ['access', 'refresh', 'cookie', 'browser', 'verifying', 'enrolling'] as const;
/** How long somebody may take to show the second factor, or to set it up. */
const STEP_EXPIRES_S = 600;

const completeShape = z.object({ header: z.unknown(), payload: z.unknown() });
const headerShape = z.object({ typ: z.enum(TYPES) });
const payloadShape = z.object({
  userId: z.string(),
  sessionId: z.string(),
  credentialsVersion: z.int(),
  rotation: z.int().nonnegative().default(0),
  exp: z.number(),
  isPublic: z.boolean(),
  sub: z.string(),
  via: z.object({ providerId: z.string(), sid: z.string().optional() }).optional(),
});

interface Issued {
  readonly sub: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly credentialsVersion: number;
  readonly isPublic: boolean;
}

function readPayload(
  token: string,
  header: unknown,
  payload: unknown,
  signedByOther: boolean,
): Verified | { readonly type: 'unreadable' } {
  const typ = headerShape.safeParse(header).data?.typ;
  const kind = KINDS.find((one) => TYPES[one] === typ);
  if (kind === undefined) return { type: 'unreadable' };
  const { success, data } = payloadShape.safeParse(payload);
  const userId = success ? parseId<UserId>(data.userId) : undefined;
  if (!success || userId === undefined) return { type: 'unreadable' };
  const { sessionId, credentialsVersion, rotation } = data;
  const publicCustomer = data.isPublic ? parseId<CustomerId>(data.sub) : undefined;
  const providerId = parseId<ProviderId>(data.via?.providerId ?? '');
  const { sid } = data.via ?? {};
  const via = providerId && { providerId, ...(sid === undefined ? {} : { sid }) };
  const common = { userId, sessionId, credentialsVersion, rotation, publicCustomer };
  const claims = via === undefined ? common : { ...common, via };
  return {
    type: 'verified',
    token,
    kind,
    reading: { type: 'good', claims, signedByOther },
    expiresAt: data.exp * 1000,
  };
}

/** Whether the token is one, signed with another key than was tried. */
function isOfOtherKey(error: unknown): boolean {
  return error instanceof TokenError && error.code === TOKEN_ERROR_CODES.invalidSignature;
}

export function createTokens(settings: TokenSettings, clock: Clock): Tokens {
  const { signingKey: key, issuer, audience } = settings;
  const signer = (kind: TokenKind) =>
    createSigner({ algorithm: 'HS512', key, header: { alg: 'HS512', typ: TYPES[kind] } });
  const sign = {
    access: signer('access'),
    refresh: signer('refresh'),
    cookie: signer('cookie'),
    browser: signer('browser'),
    verifying: signer('verifying'),
    enrolling: signer('enrolling'),
  };
  // Expiry is checked in `read`, by our clock.
  const verifier = (by: Buffer) =>
    createVerifier({
      algorithms: ['HS512'],
      key: by,
      allowedIss: issuer,
      ignoreExpiration: true,
      complete: true,
    });
  const verify = verifier(key);
  const verifyByOther =
    settings.otherSigningKey === undefined ? undefined : verifier(settings.otherSigningKey);

  /** Throws the error of the last key that was tried. */
  function verifyByEither(token: string): { readonly complete: unknown; readonly signedByOther: boolean } {
    try {
      return { complete: verify(token), signedByOther: false };
    } catch (error) {
      if (verifyByOther === undefined || !isOfOtherKey(error)) throw error;
      return { complete: verifyByOther(token), signedByOther: true };
    }
  }
  const audienceShape = z.object({ aud: z.literal(audience) });
  const verified = new Map<string, Verified>();

  function remembered(text: string): Verified | undefined {
    const found = verified.get(endOf(text));
    return found?.token === text ? found : undefined;
  }

  /** Checks signature, issuer and shape. A good result stays true, so it is remembered; a bad one is not. */
  function open(token: string): Verified | Exclude<Reading, { type: 'good' }> {
    const before = remembered(token);
    if (before !== undefined) return before;
    let checked: ReturnType<typeof verifyByEither>;
    try {
      checked = verifyByEither(token);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      return { type: isOfOtherKey(error) ? 'outdated' : 'unreadable' };
    }
    const { header, payload } = completeShape.parse(checked.complete);
    // Of another claimd, or of a version that named none: logging in again helps.
    if (!audienceShape.safeParse(payload).success) return { type: 'outdated' };
    const opened = readPayload(token, header, payload, checked.signedByOther);
    if (opened.type === 'unreadable') return opened;
    const [oldest] = verified.size < VERIFIED_MAX ? [] : verified.keys();
    if (oldest !== undefined) verified.delete(oldest);
    verified.set(endOf(token), opened);
    return opened;
  }

  function read(token: string, wanted: Verified['kind']): Reading {
    const opened = open(token);
    return opened.type === 'verified' ? readingOf(opened, wanted) : opened;
  }

  function readingOf(opened: Verified, wanted: Verified['kind']): Reading {
    if (opened.kind !== wanted) return { type: 'unreadable' };
    return clock.now() < opened.expiresAt ? opened.reading : { type: 'outdated' };
  }

  /** Both tokens of one session. */
  function pair(common: Issued, scope: string, access: object, endsAt: Instant, rotation: number): TokenPair {
    const iat = Math.floor(clock.now() / 1000);
    const end = Math.floor(endsAt / 1000);
    const all = { ...common, iss: issuer, aud: audience, iat };
    const { accessExpiresInSeconds, refreshExpiresInSeconds } = settings;
    return {
      token: sign.access({
        ...all,
        scopes: [scope],
        exp: Math.min(iat + accessExpiresInSeconds, end),
        ...access,
      }),
      refreshToken: sign.refresh({
        ...all,
        scopes: [REFRESH_SCOPE],
        exp: Math.min(iat + refreshExpiresInSeconds, end),
        rotation,
        jti: randomUUID(),
      }),
    };
  }

  /** Of the user of an access token that was just issued. */
  function longLived(kind: 'cookie' | 'browser', accessToken: string, id?: string): string {
    const reading = read(accessToken, 'access');
    if (reading.type !== 'good') throw new Error('a session was to begin with what is no access token');
    const { userId, sessionId, credentialsVersion } = reading.claims;
    const iat = Math.floor(clock.now() / 1000);
    const common = { sub: userId, userId, sessionId: id ?? sessionId, credentialsVersion, isPublic: false };
    return sign[kind]({ ...common, iss: issuer, aud: audience, iat, exp: iat + COOKIE_MAX_AGE_S });
  }

  return {
    issue(user, { id: sessionId, endsAt, rotation }) {
      const { credentialsVersion, membership, firstName, lastName, enabled } = user;
      const common = { sub: user.email, userId: user.id, sessionId, credentialsVersion, isPublic: false };
      const access = {
        firstName,
        lastName,
        enabled,
        tenantId: tenantOf(membership),
        customerId: customerOf(membership),
      };
      return pair(common, membership.authority, access, endsAt, rotation);
    },

    issuePublic({ id, tenantId }, sessionId = randomUUID()) {
      const common = { sub: id, userId: NULL_UUID, sessionId, credentialsVersion: 0, isPublic: true };
      const name = { firstName: 'Public', lastName: 'Public', enabled: true };
      return pair(
        common,
        'CUSTOMER_USER',
        { ...name, tenantId, customerId: id },
        Number.POSITIVE_INFINITY,
        0,
      );
    },

    readAccess: (token) => read(token, 'access'),
    readAccessAgain(text) {
      const opened = remembered(text);
      return opened && readingOf(opened, 'access');
    },
    cookieOf: (accessToken) => ({
      value: longLived('cookie', accessToken),
      maxAgeSeconds: COOKIE_MAX_AGE_S,
    }),
    issueBrowser: (accessToken, browser = randomUUID()) => longLived('browser', accessToken, browser),

    issueStep({ id, email, credentialsVersion }, step, via) {
      const iat = Math.floor(clock.now() / 1000);
      // There is no session yet; what is enrolled by this token is known by the id.
      const claims = { sub: email, userId: id, sessionId: randomUUID(), credentialsVersion, isPublic: false };
      const began = via === undefined ? {} : { via };
      return sign[step]({ ...claims, ...began, iss: issuer, aud: audience, iat, exp: iat + STEP_EXPIRES_S });
    },

    readStep(token) {
      const opened = open(token);
      const kind = opened.type === 'verified' ? opened.kind : undefined;
      if (kind !== 'verifying' && kind !== 'enrolling') return undefined;
      return { step: kind, reading: read(token, kind) };
    },

    readRefresh: (token) => read(token, 'refresh'),
    readCookie: (value) => read(value, 'cookie'),
    readBrowser: (value) => read(value, 'browser'),
  };
}
