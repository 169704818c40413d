/**
 * From the headers of a request to the principal. A good signature is not enough: the user must still be there, be
 * enabled, and have neither changed the password nor logged out since. That is looked up, and remembered for a moment,
 * because a confirm must cost microseconds; changes made in this process are seen at once.
 */
import type { Accounts, Standing, User } from '../actors/accounts.ts';
import type { Clock, Instant } from '../actors/clock.ts';
import type { UserId } from '../actors/ids.ts';
import { badCredentials, notAuthenticated, tokenExpired } from './errors.ts';
import type { Principal } from './principal.ts';
import type { Problem } from './reply.ts';
import type { TokenSettings } from './settings.ts';
import type { Claims, Reading, Tokens } from './tokens.ts';

export interface Authentication {
  /** @param headers values of `X-Authorization` and `Authorization`; the first counts when both are there */
  authenticate(headers: {
    readonly custom: string | undefined;
    readonly standard: string | undefined;
  }): Promise<Principal | Problem>;
  /** Whose refresh token this is, and of which session. */
  refresh(
    refreshToken: string,
  ): Promise<{ readonly type: 'good'; readonly user: User; readonly sessionId: string } | Problem>;
}

const BEARER = /^Bearer +(\S+)$/i;

export function createAuthentication(
  accounts: Accounts,
  tokens: Tokens,
  clock: Clock,
  settings: Pick<TokenSettings, 'standingTtlMs' | 'standingMax'>,
): Authentication {
  const standings = createStandings(accounts, clock, settings);

  /** The user behind a token, if the token is still worth something. */
  async function check(reading: Reading): Promise<{ user: User; claims: Claims } | Problem> {
    if (reading.type === 'unreadable') return badCredentials;
    if (reading.type === 'outdated') return tokenExpired;
    const { claims } = reading;
    const standing = await standings(claims.userId);
    if (standing === undefined) return tokenExpired;
    const { user, endedSessions } = standing;
    const outdated = user.credentialsVersion !== claims.credentialsVersion;
    const ended = endedSessions.some(({ id }) => id === claims.sessionId);
    return outdated || ended ? tokenExpired : { user, claims };
  }

  return {
    async authenticate({ custom, standard }) {
      const [, token] = BEARER.exec(custom ?? standard ?? '') ?? [];
      if (token === undefined) return notAuthenticated;
      const checked = await check(tokens.readAccess(token));
      if ('type' in checked) return checked;
      const { user, claims } = checked;
      return { userId: user.id, sessionId: claims.sessionId, ...user.membership };
    },

    async refresh(refreshToken) {
      const checked = await check(tokens.readRefresh(refreshToken));
      if ('type' in checked) return checked;
      return { type: 'good', user: checked.user, sessionId: checked.claims.sessionId };
    },
  };
}

interface Remembered {
  readonly standing: Promise<Standing | undefined>;
  readonly at: Instant;
}

/** Looks standings up, at most once per user and `standingTtlMs`. */
function createStandings(
  accounts: Accounts,
  clock: Clock,
  settings: Pick<TokenSettings, 'standingTtlMs' | 'standingMax'>,
) {
  const remembered = new Map<UserId, Remembered>();
  accounts.onUserChange((id) => remembered.delete(id));

  return (id: UserId): Promise<Standing | undefined> => {
    const known = remembered.get(id);
    if (known !== undefined && clock.now() - known.at < settings.standingTtlMs) return known.standing;

    const standing = accounts.users.standing(id);
    remembered.delete(id); // so that it moves to the end: the first is always the one looked up longest ago
    const [oldest] = remembered.keys();
    if (oldest !== undefined && remembered.size >= settings.standingMax) remembered.delete(oldest);
    const entry: Remembered = { standing, at: clock.now() };
    remembered.set(id, entry);
    standing.catch(() => {
      if (remembered.get(id) === entry) remembered.delete(id); // a failure is not remembered
    });
    return standing;
  };
}
