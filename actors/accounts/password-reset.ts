/**
 * A forgotten password: whoever reads the user's mail sets another one. The token in the link is kept as a digest, which is one
 * of the user's unique keys, so that using it up and setting the password are one commit.
 */
import type { Instant } from '../base/clock.ts';
import { isFromAhead } from '../base/clock-steps.ts';
import { type PasswordReset, publicUser, resetKey, type StoredUser, tokenDigest } from './kinds.ts';
import { done, refused, type Users } from './model.ts';
import { owing } from './news.ts';
import { OVERLOADED, type UserBase, withPassword } from './user-base.ts';

export function passwordResetsOf({
  clock,
  users,
  passwords,
  checkPassword,
  membershipStands,
  change,
}: UserBase): Pick<Users, 'beginReset' | 'resetWorks' | 'resetPassword'> {
  const holds = ({ passwordReset }: StoredUser, digest: string) => passwordReset?.digest === digest;

  async function find(token: string) {
    const digest = tokenDigest(token);
    const user = await users.findByKey(resetKey(digest));
    if (user?.passwordReset === undefined || !holds(user, digest)) return 'unknown';
    return isInTime(user.passwordReset, clock.now()) ? { user, digest } : 'expired';
  }

  /** One that was asked for while the clock was ahead would last for as long as it was. */
  function isInTime({ askedAt, expiresAt }: PasswordReset, now: Instant): boolean {
    return now < expiresAt && !isFromAhead(askedAt, now);
  }

  return {
    async beginReset(id, { token, email, askedAt, lifeMs }) {
      const now = clock.now();
      const digest = tokenDigest(token);
      // What was written while the clock was ahead keeps nobody out until then.
      const isOver = (at: Instant | undefined, isBefore: (at: Instant) => boolean) =>
        at === undefined || isBefore(at) || isFromAhead(at, now);
      const mayHave = (user: StoredUser) =>
        user.enabled &&
        user.passwordHash !== null &&
        user.email === email &&
        isOver(user.passwordSetAt, (at) => at < askedAt) &&
        isOver(user.passwordReset?.askedAt, (at) => at <= askedAt);
      const begun: PasswordReset = { digest, askedAt: Math.min(askedAt, now), expiresAt: now + lifeMs };
      // A mail that is tried again makes its link no younger: it may have arrived the first time.
      const changed = await change(id, (user) =>
        mayHave(user) && !holds(user, digest) ? { ...user, passwordReset: begun } : user,
      );
      if (changed.type !== 'done' || !mayHave(changed.entity) || !holds(changed.entity, digest))
        return refused({ reason: 'not-found' });
      const { passwordReset } = changed.entity;
      return passwordReset !== undefined && isInTime(passwordReset, now)
        ? done(publicUser(changed.entity))
        : refused({ reason: 'not-found' });
    },

    async resetWorks(token) {
      const found = await find(token);
      return typeof found === 'string' ? found : 'good';
    },

    async resetPassword(token, password, news) {
      const found = await find(token);
      if (found === 'expired') return refused({ reason: 'reset-token-expired' });
      if (found === 'unknown' || !(found.user.enabled && (await membershipStands(found.user.membership))))
        return refused({ reason: 'reset-token-invalid' });
      const { user, digest } = found;
      const wrong = await checkPassword(password, user);
      if (wrong !== undefined) return refused(wrong);
      const isSame = await passwords.verify(password, user.passwordHash);
      if (isSame === 'overloaded') return OVERLOADED;
      if (isSame) return refused({ reason: 'password-unchanged' });
      const passwordHash = await passwords.hash(password);
      if (passwordHash === 'overloaded') return OVERLOADED;
      // Whoever was in may have made other ways in.
      const at = clock.now();
      const set = withPassword(passwordHash, at, () => ({ apiKeys: true, signIns: true }));
      const changed = await change(
        user.id,
        owing(news, at, (before) =>
          // Whoever has the link reads the mail of this address.
          holds(before, digest) && before.enabled ? { ...set(before), emailIsProven: true } : before,
        ),
      );
      return changed.type === 'done' && changed.entity.passwordHash === passwordHash
        ? done(publicUser(changed.entity))
        : refused({ reason: 'reset-token-invalid' });
    },
  };
}
