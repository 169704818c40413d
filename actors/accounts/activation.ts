/**
 * Activation: a user without a password gets one by a link. The link's token is 30 random bytes, which work once,
 * within a day. Its digest is one of the user's unique keys, so that using it up and setting the password are one
 * commit, and of two activations at once exactly one is done. The token lies beside it sealed, since the administrator may
 * ask for the link again.
 */
import { randomBytes } from 'node:crypto';
import type { Instant } from '../base/clock.ts';
import { credentialOrNull } from '../base/secret.ts';
import {
  activationKey,
  digestOfActivation,
  publicUser,
  type StoredUser,
  sealedActivation,
  tokenDigest,
} from './kinds.ts';
import { type Activation, done, refused, type Users } from './model.ts';
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
}: UserBase): Pick<Users, 'activation' | 'activationWorks' | 'activate'> {
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

  return {
    async activation(id, another = false) {
      const now = clock.now();
      const renewed = sealedActivation(secrets, id, newActivation(now + settings.activationTtlMs));
      const changed = await change(id, (user) => {
        const link = stored(user);
        const fresh = !another && link !== null && link.expiresAt - now > RENEW_BEFORE_MS;
        return fresh || user.passwordHash !== null ? user : { ...user, activation: renewed };
      });
      if (changed.type !== 'done') return refused({ reason: 'not-found' });
      const link = stored(changed.entity);
      if (link === null || changed.entity.passwordHash !== null)
        return refused({ reason: 'already-activated' });
      return done(link);
    },

    async activationWorks(token) {
      return (await activatable(token)) !== undefined;
    },

    async activate(token, password) {
      const user = await activatable(token);
      if (user === undefined) return refused({ reason: 'activation-token-invalid' });
      const wrong = await checkPassword(password, user);
      if (wrong !== undefined) return refused(wrong);
      const passwordHash = await passwords.hash(password);
      if (passwordHash === 'overloaded') return OVERLOADED;
      const set = withPassword(passwordHash, clock.now(), ({ emailIsProven }) => {
        const isProven = emailIsProven === true;
        return { apiKeys: !isProven, signIns: !isProven };
      });
      const activated = await change(user.id, (before) => (works(before, token) ? set(before) : before));
      if (activated.type === 'taken') return refused({ reason: 'email-taken', email: user.email });
      return activated.type === 'done' && activated.entity.passwordHash === passwordHash
        ? done(publicUser(activated.entity))
        : refused({ reason: 'activation-token-invalid' });
    },
  };
}
