/**
 * Passwords that people show, when they log in and when they change what they log in with: counted together.
 *
 * Wrong ones are counted for the user name and address together, for the address over all user names (so that nobody tries
 * one password on all), and for the user name over all addresses (so that nobody guesses from many). The last two concern
 * only addresses that the user has never logged in from: otherwise others could lock the user out.
 */
import type { Accounts, Login, User } from '../../actors/accounts/accounts.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { networksOf } from '../../actors/limits/address.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import type { LimitSettings } from '../settings.ts';
import { badRequest, tooManyRequests, unavailable } from '../wire/errors.ts';
import type { Problem } from '../wire/reply.ts';
import { attempt, type Blocked, createLimiter, type Party } from './attempts.ts';

export interface Logins {
  /** Whether this is the password of a user who may log in. */
  attempt(email: string, password: string, address: string): Promise<Login | Blocked>;
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
): Logins {
  const perBoth = createLimiter('login', failedLogins, counters);
  const perUser = createLimiter('login-user', failedLoginsPerUser, counters);
  const perOwner = createLimiter('login-owner', failedLoginsPerUser, counters);
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

  function tryPassword(
    { email, password, address, known }: Shown,
    more: readonly Party[],
  ): Promise<Login | Blocked> {
    return attempt(
      [{ limiter: perBoth, key: `${email.toLowerCase()} ${address}` }, ...more],
      () => users.login(email, password, { party: address, known }),
      ({ type }) => (type === 'refused' ? 1 : 0),
    );
  }

  async function tryLogin(email: string, password: string, address: string): Promise<Login | Blocked> {
    const known = await users.hasSignedInFrom(email, address);
    const more = known ? [] : strangers(email.toLowerCase(), address);
    return tryPassword({ email, password, address, known }, more);
  }

  return {
    attempt: tryLogin,

    async confirm(user, password, address) {
      // Whoever has taken over a session may be anywhere, and must not keep the user from logging in.
      const owner = { limiter: perOwner, key: user.id };
      const login = await tryPassword({ email: user.email, password, address, known: true }, [owner]);
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
