/** Passwords that people show, when they log in and when they change what they log in with: counted together. */
import type { Accounts, Login, User } from '../../actors/accounts/accounts.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import type { Limit } from '../settings.ts';
import { badRequest, tooManyRequests, unavailable } from '../wire/errors.ts';
import type { Problem } from '../wire/reply.ts';
import { attempt, type Blocked, createLimiter } from './attempts.ts';

export interface Logins {
  /** Whether this is the password of a user who may log in. */
  attempt(email: string, password: string, address: string): Promise<Login | Blocked>;
  /** Why this is not the present password of somebody who is logged in; undefined: it is. */
  confirm(user: User, password: string, address: string): Promise<Problem | undefined>;
}

/** @param limit failed logins of a user name from an address */
export function createLogins(
  { users }: Pick<Accounts, 'users'>,
  limit: Limit,
  counters: Counters | undefined,
): Logins {
  const limiter = createLimiter('login', limit, counters);

  const tryLogin: Logins['attempt'] = (email, password, address) =>
    attempt(
      [{ limiter, key: `${email.toLowerCase()} ${address}` }],
      () => users.login(email, password, address),
      ({ type }) => (type === 'refused' ? 1 : 0),
    );

  return {
    attempt: tryLogin,

    async confirm(user, password, address) {
      const login = await tryLogin(user.email, password, address);
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
