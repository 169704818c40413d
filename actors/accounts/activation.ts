/**
 * Activation: a user without a password gets one by a link. The link's token is 30 random bytes, which work once,
 * within a day. Its digest is one of the user's unique keys, so that using it up and setting the password are one
 * commit, and of two activations at once exactly one is done. The token lies beside it sealed, since the administrator may
 * ask for the link again.
 */
import { randomBytes } from 'node:crypto';
import type { Instant } from '../base/clock.ts';
import type { UserId } from '../base/ids.ts';
import { credentialOrNull } from '../base/secret.ts';
import {
  activationKey,
  digestOfActivation,
  publicUser,
  type StoredUser,
  sealedActivation,
  tokenDigest,
} from './kinds.ts';
import { type AccountAnswer, type Activation, done, type News, refused, type Users } from './model.ts';
import { owing } from './news.ts';
import { OVERLOADED, type UserBase, withPassword } from './user-base.ts';

const TOKEN_BYTES = 30;
/** A link this close to its end is renewed when it is asked for. */
const RENEW_BEFORE_MS = 15 * 60 * 1000;

export function newActivation(expiresAt: Instant): Activation {
  return { token: randomBytes(TOKEN_BYTES).toString('base64url'), expiresAt };
}

export function activationOf({
  clock,
  settings,
  users,
  passwords,
  checkPassword,
  secrets,
  change,
}: UserBase): Pick<Users, 'activation' | 'anotherActivation' | 'activationWorks' | 'activate'> {
  const works = ({ activation }: StoredUser, token: string) =>
    activation !== null &&
    digestOfActivation(activation) === tokenDigest(token) &&
    clock.now() < activation.expiresAt;

  /** The link that is stored; null: there is none, or its key has been dropped. */
  function stored({ id, activation }: StoredUser): Activation | null {
    if (activation === null || 'token' in activation) return activation;
    const token = credentialOrNull(secrets, id, activation.sealed);
    return token === null ? null : { token, expiresAt: activation.expiresAt };
  }

  /** The user that may be activated by this token now. */
  async function activatable(token: string): Promise<StoredUser | undefined> {
    const user = await users.findByKey(activationKey(tokenDigest(token)));
    return user !== undefined && works(user, token) ? user : undefined;
  }

  /** Renews a link that `isGood` does not hold of. */
  async function renewed(
    id: UserId,
    isGood: (link: Activation, now: Instant) => boolean,
    news?: News,
  ): Promise<AccountAnswer<Activation>> {
    const now = clock.now();
    const next = sealedActivation(secrets, id, newActivation(now + settings.activationTtlMs));
    const renew = (user: StoredUser): StoredUser => {
      const link = stored(user);
      const stays = user.passwordHash !== null || (link !== null && isGood(link, now));
      return stays ? user : { ...user, activation: next };
    };
    const changed = await change(id, owing(news, now, renew));
    if (changed.type !== 'done') return refused({ reason: 'not-found' });
    const link = stored(changed.entity);
    if (link === null || changed.entity.passwordHash !== null)
      return refused({ reason: 'already-activated' });
    return done(link);
  }

  return {
    activation: (id) => renewed(id, ({ expiresAt }, now) => expiresAt - now > RENEW_BEFORE_MS),
    anotherActivation: (id, news) => renewed(id, () => false, news),

    async activationWorks(token) {
      return (await activatable(token)) !== undefined;
    },

    async activate(token, password, news) {
      const user = await activatable(token);
      if (user === undefined) return refused({ reason: 'activation-token-invalid' });
      const wrong = await checkPassword(password, user);
      if (wrong !== undefined) return refused(wrong);
      const passwordHash = await passwords.hash(password);
      if (passwordHash === 'overloaded') return OVERLOADED;
      const at = clock.now();
      const set = withPassword(passwordHash, at, ({ emailIsProven }) => {
        const isProven = emailIsProven === true;
        return { apiKeys: !isProven, signIns: !isProven };
      });
      const activated = await change(
        user.id,
        owing(news, at, (before) => (works(before, token) ? set(before) : before)),
      );
      if (activated.type === 'taken') return refused({ reason: 'email-taken', email: user.email });
      return activated.type === 'done' && activated.entity.passwordHash === passwordHash
        ? done(publicUser(activated.entity))
        : refused({ reason: 'activation-token-invalid' });
    },
  };
}
