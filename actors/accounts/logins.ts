/** Logging in, and whether a user may: passwords, and the standing that every token depends on. */
import { NULL_UUID, storedId, type UserId } from '../base/ids.ts';
import { isDemoPassword } from './demo-passwords.ts';
import { emailKey, publicUser } from './kinds.ts';
import { done, refused, type Users } from './model.ts';
import { owing } from './news.ts';
import type { Sessions } from './sessions.ts';
import { OVERLOADED, type UserBase, withPassword } from './user-base.ts';

export function loginsOf(
  { clock, settings, users, passwords, membershipStands, checkPassword, change }: UserBase,
  sessions: Sessions,
): Pick<Users, 'login' | 'hasSignedInFrom' | 'standing' | 'hasPassword' | 'setPassword'> {
  return {
    async hasSignedInFrom(email, address) {
      const user = await users.findByKey(emailKey(email, settings.loginCaseSensitive));
      // Nobody's record is looked for too, or the time would tell that there is no such user.
      const known = await sessions.signedInFrom(user?.id ?? storedId<UserId>(NULL_UUID), address);
      return user !== undefined && known;
    },

    async login(email, password, asker) {
      const user = await users.findByKey(emailKey(email, settings.loginCaseSensitive));
      const matches = await passwords.verify(password, user?.passwordHash ?? null, asker);
      if (matches === 'overloaded') return OVERLOADED;
      const opens = matches && (settings.demoPasswordsWork || !isDemoPassword(password));
      if (user === undefined || !opens) return { type: 'refused', reason: 'bad-credentials' };
      if (!user.enabled || !(await membershipStands(user.membership))) {
        return { type: 'refused', reason: 'disabled' };
      }
      return { type: 'welcome', user: publicUser(user) };
    },

    async standing(id: UserId) {
      const user = await users.find(id);
      if (user === undefined || !user.enabled || !(await membershipStands(user.membership))) return undefined;
      return { user: publicUser(user), sessions: await sessions.liveOf(user) };
    },

    async hasPassword(id, password) {
      const { passwordHash = null } = (await users.find(id)) ?? {};
      const matches = await passwords.verify(password, passwordHash);
      if (matches === 'overloaded') throw new Error('a password was to be compared while many log in');
      return matches;
    },

    async setPassword(id, password, keep, ends = {}, news) {
      const user = await users.find(id);
      if (user === undefined) return refused({ reason: 'not-found' });
      const wrong = await checkPassword(password, user);
      if (wrong !== undefined) return refused(wrong);
      const passwordHash = await passwords.hash(password);
      if (passwordHash === 'overloaded') return OVERLOADED;
      const at = clock.now();
      const set = withPassword(passwordHash, at, () => ends);
      const changed = await change(id, owing(news, at, set));
      if (changed.type !== 'done') return refused({ reason: 'not-found' });
      // From the commit on no session is live: this only brings the kept one back.
      await sessions.carryOver(changed.entity, keep);
      return done(publicUser(changed.entity));
    },
  };
}
