/**
 * From the headers of a request to the principal. A good signature is not enough. The user must still exist, be enabled, have
 * the same password as then, and a second factor where one is required; the token's session must be among the live ones. What
 * is looked up for that is remembered for a moment, because a confirm takes microseconds; a change made in this process counts
 * at once.
 */

import type { Accounts, Customer, Session, Standing, User } from '../../actors/accounts/accounts.ts';
import { isRevoked } from '../../actors/accounts/api-keys.ts';
import { isEnded, type LinkHolder } from '../../actors/accounts/provider-links.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { UserId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { reportBug } from '../../actors/runtime/supervision.ts';
import type { TokenSettings } from '../settings.ts';
import { badCredentials, notAuthenticated, tokenExpired, unavailable } from '../wire/errors.ts';
import type { Problem } from '../wire/reply.ts';
import { isProblem } from '../wire/reply.ts';
import type { ExternalTokens } from './external-tokens.ts';
import { isRightBelow, type Principal } from './principal.ts';
import { mustHaveFactor } from './second-factor.ts';
import type { Claims, LoginStep, Reading, TokenPair, Tokens } from './tokens.ts';

/** Values of `X-Authorization` and of `Authorization`; the first counts if both are there. */
export interface Identity {
  readonly custom: string | undefined;
  readonly standard: string | undefined;
}

export interface Authentication {
  /** At once where user and session are remembered, as a claim needs nothing else; it may reject. */
  authenticate(identity: Identity): Principal | Problem | Promise<Principal | Problem>;
  /** Whether who was let in would be let in now, were its token a new one. Rejects with `StoreUnavailable`. */
  stands(principal: Principal): Promise<boolean>;
  /**
   * New tokens of the session whose newest refresh token this is. `reused`: it was used before, by the client or by a
   * thief, and nobody knows which of the two has the newest; the session has ended.
   */
  refresh(
    refreshToken: string,
  ): Promise<
    | { readonly type: 'good'; readonly tokens: TokenPair }
    | { readonly type: 'reused'; readonly user: User }
    | Problem
  >;
  /** An access token of the session that a browser's cookie names. */
  enter(cookie: string): Promise<Entered | Problem>;
}

interface Entered {
  readonly type: 'good';
  readonly token: string;
  /** The cookie was signed with the key that goes, so the browser should have another one. */
  readonly outdates: boolean;
}

type Checked =
  | {
      readonly kind: 'user';
      readonly user: User;
      readonly session: Session;
      readonly claims: Claims;
      readonly signedByOther: boolean;
    }
  | { readonly kind: 'anonymous'; readonly customer: Customer; readonly claims: Claims };

/** What each of our access tokens begins with: `{"alg":"HS512"`. Of anything else it is asked first whose it is. */
const OUR_HEADER = 'eyJhbGciOiJIUzUxMiIs';
/** As nearly all write it. */
const BEARER_START = 'Bearer ';
const BEARER = /^Bearer +(\S+)$/i;
const API_KEY = /^ApiKey +(\S+)$/i;

interface AuthenticationNeeds {
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: Pick<TokenSettings, 'standingTtlMs' | 'standingMax'>;
  readonly external?: ExternalTokens;
}

export function createAuthentication(needs: AuthenticationNeeds): Authentication {
  const { accounts, tokens, clock, log, settings, external } = needs;
  const standings = createStandings(accounts, clock, settings);

  /** The user of a token, or the public customer, if the token is still valid. */
  async function check(reading: Reading): Promise<Checked | Problem> {
    if (reading.type === 'unreadable') return badCredentials;
    if (reading.type === 'outdated') return tokenExpired;
    const { claims, signedByOther } = reading;
    if (claims.publicCustomer !== undefined) {
      const customer = await accounts.customers.findPublic(claims.publicCustomer);
      return customer === undefined ? tokenExpired : { kind: 'anonymous', customer, claims };
    }
    // What is remembered may be older than the token: another process has just started the session.
    const found =
      sessionOf(await standings.of(claims.userId), claims) ??
      sessionOf(await standings.of(claims.userId, 'anew'), claims);
    if (found === undefined) return tokenExpired;
    const { user, session } = found;
    if (!(await mayLookIn(session, user))) return tokenExpired;
    writeUse(accounts.users.used(user.id, session));
    return { kind: 'user', user, session, claims, signedByOther };
  }

  /** Who looks in as another user may do so while the own session lives, and the own rights last. */
  async function mayLookIn({ impersonator }: Session, user: User): Promise<boolean> {
    if (impersonator === undefined) return true;
    const own = await standings.of(impersonator.userId);
    if (own === undefined || !own.sessions.some(({ id }) => id === impersonator.sessionId)) return false;
    return isRightBelow(own.user.membership, user.membership);
  }

  /** Not waited for: an answer does not depend on it, and the next use writes it as well. */
  function writeUse(writing: Promise<void> | undefined): void {
    writing?.catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) reportBug(log, 'http request', error);
    });
  }

  /** Somebody whose login is not complete: there is no session yet. */
  async function halfway(step: LoginStep, reading: Reading): Promise<Principal | Problem> {
    if (reading.type !== 'good') return tokenExpired;
    const { userId, credentialsVersion, sessionId: tokenId, via } = reading.claims;
    const user = (await standings.of(userId))?.user;
    if (user === undefined || user.credentialsVersion !== credentialsVersion) return tokenExpired;
    const began = via === undefined ? {} : { via };
    const common = { userId, sessionId: undefined, grant: step, ...user.membership, ...began };
    return step === 'enrolling' ? { ...common, enrolment: tokenId } : common;
  }

  /** Whoever asks again within moments: user and session are remembered. Undefined: there is more to look up. */
  function remembered(claims: Claims): Principal | undefined {
    if (claims.publicCustomer !== undefined) return undefined;
    const found = sessionOf(standings.remembered(claims.userId), claims);
    if (found === undefined || found.session.impersonator !== undefined) return undefined;
    const { user, session } = found;
    writeUse(accounts.users.used(user.id, session));
    const { id: userId, credentialsVersion, membership } = user;
    return { userId, sessionId: session.id, credentialsVersion, grant: 'everything', ...membership };
  }

  function letIn(token: string, reading: Reading): Principal | Promise<Principal | Problem> {
    const known = reading.type === 'good' ? remembered(reading.claims) : undefined;
    return known ?? byToken(token, reading);
  }

  async function byToken(token: string, reading: Reading): Promise<Principal | Problem> {
    const half = reading.type === 'unreadable' ? tokens.readStep(token) : undefined;
    if (half !== undefined) return halfway(half.step, half.reading);
    const checked = await check(reading);
    if (isProblem(checked)) return checked;
    if (checked.kind === 'user') {
      const { user, session } = checked;
      const { impersonator } = session;
      const { id, credentialsVersion, membership } = user;
      const common = { userId: id, sessionId: session.id, credentialsVersion, ...membership };
      return impersonator === undefined
        ? { ...common, grant: 'everything' }
        : { ...common, grant: 'delegated', impersonatorId: impersonator.userId };
    }
    const { userId, sessionId } = checked.claims;
    const { id: customerId, tenantId } = checked.customer;
    return { userId, sessionId, grant: 'reading', authority: 'CUSTOMER_USER', tenantId, customerId };
  }

  async function byApiKey(value: string): Promise<Principal | Problem> {
    const key = await accounts.apiKeys.find(value);
    const standing = key === undefined ? undefined : await standings.of(key.userId);
    if (key === undefined || standing === undefined || isRevoked(key, standing.user)) return badCredentials;
    const { id: userId, membership } = standing.user;
    writeUse(accounts.apiKeys.used(key));
    const grant = key.claimingOnly ? 'claiming' : 'delegated';
    return { userId, sessionId: undefined, grant, apiKeyId: key.id, ...membership };
  }

  /** At once where token and user are remembered. Undefined: it is of no issuer that counts here. */
  function byForeignToken(from: ExternalTokens, token: string) {
    const known = from.remembered(token);
    const standing = known && standings.remembered(known.userId);
    if (known !== undefined && standing !== undefined) return foreign(known, standing);
    return from.mayBe(token) ? verifyForeign(from, token) : undefined;
  }

  async function verifyForeign(from: ExternalTokens, token: string): Promise<Principal | Problem> {
    const holder = await from.verify(token);
    if (holder === 'not-ours') return byToken(token, tokens.readAccess(token));
    if (holder === 'unavailable') return unavailable('overloaded');
    if (holder === 'bad') return badCredentials;
    const standing = await standings.of(holder.userId);
    return standing === undefined ? badCredentials : foreign(holder, standing);
  }

  function foreign(holder: LinkHolder, { user }: Standing): Principal | Problem {
    if (isEnded(holder, user)) return badCredentials;
    const grant = holder.claimingOnly ? 'claiming' : 'delegated';
    return { userId: user.id, sessionId: undefined, grant, ...user.membership };
  }

  return {
    authenticate({ custom, standard }) {
      const header = custom?.trim() ? custom : (standard ?? ''); // a blank header counts as absent, as in ThingsBoard
      // Nearly every request shows a token that was shown before; then no other look at its many characters is needed.
      const again = header.startsWith(BEARER_START) ? header.slice(BEARER_START.length) : '';
      const before = tokens.readAccessAgain(again);
      if (before !== undefined) return letIn(again, before);
      const token = BEARER.exec(header)?.[1];
      if (token === undefined) {
        const apiKey = API_KEY.exec(header)?.[1];
        return apiKey === undefined ? notAuthenticated : byApiKey(apiKey);
      }
      if (external !== undefined && !token.startsWith(OUR_HEADER)) {
        const holder = byForeignToken(external, token);
        if (holder !== undefined) return holder;
      }
      return letIn(token, tokens.readAccess(token));
    },

    async stands(principal) {
      const { userId, sessionId, apiKeyId, grant } = principal;
      if (grant === 'reading')
        return (
          'customerId' in principal &&
          (await accounts.customers.findPublic(principal.customerId)) !== undefined
        );
      const standing = await standings.of(userId);
      if (standing === undefined) return false;
      if (apiKeyId !== undefined) return accounts.apiKeys.works(apiKeyId);
      if (sessionId === undefined) return true; // by a token of another issuer, who may end it and does not tell
      const session = standing.sessions.find(({ id }) => id === sessionId);
      return session !== undefined && mayLookIn(session, standing.user);
    },

    async refresh(refreshToken) {
      const checked = await check(tokens.readRefresh(refreshToken));
      if (isProblem(checked)) return checked;
      if (checked.kind === 'anonymous') {
        // Whoever knows the customer's id may log in, so there is nothing that a rotation would protect.
        return { type: 'good', tokens: tokens.issuePublic(checked.customer, checked.claims.sessionId) };
      }
      const { user, session, claims } = checked;
      const rotated = await accounts.users.rotate(user.id, session.id, claims.rotation);
      if (rotated === undefined) return tokenExpired;
      if (rotated === 'reused') return { type: 'reused', user };
      return { type: 'good', tokens: tokens.issue(user, rotated) };
    },

    async enter(cookie) {
      const checked = await check(tokens.readCookie(cookie));
      if (isProblem(checked)) return checked;
      if (checked.kind === 'anonymous') return badCredentials;
      const { user, session, signedByOther } = checked;
      return { type: 'good', token: tokens.issue(user, session).token, outdates: signedByOther };
    },
  };
}

/** The live session of a token, if it counts under the user's credentials. */
function sessionOf(standing: Standing | undefined, { sessionId, credentialsVersion }: Claims) {
  const session = standing?.sessions.find(({ id }) => id === sessionId);
  if (standing === undefined || session === undefined) return undefined;
  return standing.user.credentialsVersion === credentialsVersion
    ? { user: standing.user, session }
    : undefined;
}

/**
 * Where a second factor is required, the sessions of who has none do not count: they began with the password alone, and may be
 * a thief's. Logging in again leads through setting one up. An administrator who looks in has shown an own one.
 */
async function withoutBare({ secondFactors }: Accounts, standing: Standing): Promise<Standing> {
  if (!mustHaveFactor(await secondFactors.policyOfLate(), standing.user)) return standing;
  const factor = await secondFactors.get(standing.user.id);
  if (factor !== undefined && factor.enrolment === undefined) return standing;
  return {
    ...standing,
    sessions: standing.sessions.filter(({ impersonator }) => impersonator !== undefined),
  };
}

interface Remembered {
  readonly standing: Promise<Standing | undefined>;
  /** What it resolved to. */
  known: Standing | undefined;
  /** By `Clock.elapsed`. */
  readonly at: number;
}

/** Looks up the standing of users, each at most once per `standingTtlMs`, unless it is asked for anew. */
function createStandings(
  accounts: Accounts,
  clock: Clock,
  settings: Pick<TokenSettings, 'standingTtlMs' | 'standingMax'>,
) {
  const remembered = new Map<UserId, Remembered>();
  accounts.onUserChange((id) => remembered.delete(id));

  function recent(id: UserId): Remembered | undefined {
    const cached = remembered.get(id);
    return cached !== undefined && clock.elapsed() - cached.at < settings.standingTtlMs ? cached : undefined;
  }

  function of(id: UserId, how?: 'anew'): Promise<Standing | undefined> {
    const cached = how === 'anew' ? undefined : recent(id);
    if (cached !== undefined) return cached.standing;

    const standing = accounts.users.standing(id).then((found) => found && withoutBare(accounts, found));
    remembered.delete(id); // moves it to the end: the first is always the one looked up longest ago
    const [oldest] = remembered.keys();
    if (oldest !== undefined && remembered.size >= settings.standingMax) remembered.delete(oldest);
    const entry: Remembered = { standing, known: undefined, at: clock.elapsed() };
    remembered.set(id, entry);
    standing.then(
      (known) => {
        entry.known = known;
      },
      () => {
        if (remembered.get(id) === entry) remembered.delete(id); // failures are not cached
      },
    );
    return standing;
  }

  /** `remembered`: without a look, which takes a promise. */
  return { of, remembered: (id: UserId) => recent(id)?.known };
}
