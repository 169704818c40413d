/**
 * Passwords that people show, when they log in and when they change what they log in with: counted together.
 *
 * Wrong ones are counted three times:
 *
 *   user name and address together
 *   address, over all user names     so nobody tries one password on all
 *   user name, over all addresses    so nobody guesses from many
 *
 * The last two concern only addresses that the user has never logged in from: otherwise others could lock the user out. A
 * browser that the user has signed in with is counted by itself (`browsers.ts`), wherever it is.
 */
import type { Accounts, Login, User } from '../../actors/accounts/accounts.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { networksOf } from '../../actors/limits/address.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import type { Origin } from '../route.ts';
import type { LimitSettings } from '../settings.ts';
import { badRequest, tooManyRequests, unavailable } from '../wire/errors.ts';
import type { Problem } from '../wire/reply.ts';
import { attemptAs, type Blocked, createLimiter, type Party } from './attempts.ts';
import type { Browsers } from './browsers.ts';

export interface Logins {
  /** Whether this is the password of a user who may log in. */
  attempt(
    email: string,
    password: string,
    from: Pick<Origin, 'address' | 'browser'>,
  ): Promise<Login | Blocked>;
  /** Why this is not the present password of somebody who is logged in; undefined: it is. */
  confirm(user: User, password: string, address: string): Promise<Problem | undefined>;
}

interface Shown {
  readonly email: string;
  readonly password: string;
  readonly address: string;
  /** Whether it is shown by somebody who has logged in from there before. */
  readonly known: boolean;
}

type LoginLimits = Pick<LimitSettings, 'failedLogins' | 'failedLoginsPerAddress' | 'failedLoginsPerUser'>;

export function createLogins(
  { users }: Pick<Accounts, 'users'>,
  { failedLogins, failedLoginsPerAddress, failedLoginsPerUser }: LoginLimits,
  counters: Counters | undefined,
  browsers: Pick<Browsers, 'find'>,
): Logins {
  const perBoth = createLimiter('login', failedLogins, counters);
  const perUser = createLimiter('login-user', failedLoginsPerUser, counters);
  const perOwner = createLimiter('login-owner', failedLoginsPerUser, counters);
  const { windowMs: strangersMs } = failedLoginsPerUser;
  const perBrowser = createLimiter('login-browser', { ...failedLogins, windowMs: strangersMs }, counters);
  /** Of all browsers of a user: one who once had the password may have signed in with many. */
  const perBrowsers = createLimiter('login-browsers', failedLoginsPerUser, counters);
  const { max, windowMs } = failedLoginsPerAddress;
  const perNetwork = new Map(
    [1, 4, 16].map((times) => [
      times,
      createLimiter(`login-address-${times}`, { max: max * times, windowMs }, counters),
    ]),
  );

  /** Those of an address that the user has never logged in from. */
  function strangers(name: string, address: string): Party[] {
    const networks = networksOf(address).flatMap(({ name: key, times }) => {
      const limiter = perNetwork.get(times);
      return limiter === undefined ? [] : [{ limiter, key }];
    });
    return [...networks, { limiter: perUser, key: name }];
  }

  /** @param groups as in `attemptAs` */
  function tryPassword(
    { email, password, address, known }: Shown,
    groups: readonly (readonly Party[])[],
  ): Promise<Login | Blocked> {
    return attemptAs(
      groups,
      () => users.login(email, password, { party: address, known }),
      ({ type }) => (type === 'refused' ? 1 : 0),
    );
  }

  const atAddress = (email: string, address: string): Party => ({
    limiter: perBoth,
    key: `${email.toLowerCase()} ${address}`,
  });

  /** Whom a browser counts as that shows a mark of this user; nobody where it has none. */
  async function knownBrowser(email: string, marks: string | undefined): Promise<Party[] | undefined> {
    const user = marks === undefined ? undefined : await users.findByEmail(email);
    const browser = user === undefined ? undefined : browsers.find(marks, user.id);
    if (user === undefined || browser === undefined) return undefined;
    return [
      { limiter: perBrowser, key: browser },
      { limiter: perBrowsers, key: user.id },
    ];
  }

  const tryLogin: Logins['attempt'] = async (email, password, { address, browser }) => {
    const inBrowser = await knownBrowser(email, browser);
    const knownHere = await users.hasSignedInFrom(email, address);
    const known = knownHere || inBrowser !== undefined;
    const here = [atAddress(email, address), ...(knownHere ? [] : strangers(email.toLowerCase(), address))];
    return tryPassword(
      { email, password, address, known },
      inBrowser === undefined ? [here] : [inBrowser, here],
    );
  };

  return {
    attempt: tryLogin,

    async confirm(user, password, address) {
      // Whoever has taken over a session may be anywhere, and must not keep the user from logging in.
      const owner = { limiter: perOwner, key: user.id };
      const shown = { email: user.email, password, address, known: true };
      const login = await tryPassword(shown, [[atAddress(user.email, address), owner]]);
      switch (login.type) {
        case 'welcome':
          return undefined;
        case 'blocked':
          return tooManyRequests('Too many wrong passwords, try again later', login.retryAfterMs);
        case 'unavailable':
          return unavailable(login.reason);
        case 'refused':
          return badRequest("Current password doesn't match!");
        default:
          return unreachable(login);
      }
    },
  };
}
