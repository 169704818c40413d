/** Logging in, and whether a user's tokens are still good. */
import type { UserId } from '../base/ids.ts';
import type { Records } from '../records/records.ts';
import { emailKey, publicUser } from './kinds.ts';
import { type Activity, refused, type Users } from './model.ts';
import { OVERLOADED, type UserBase, withPassword } from './user-base.ts';

export const ACTIVITY_KIND = 'user-activity';

const NO_ACTIVITY: Activity = { lastLoginAt: null, endedSessions: [] };
/** Per user; of more the oldest are forgotten, and expire by themselves a little later. */
const ENDED_SESSIONS_MAX = 100;

export function loginsOf(
  { clock, settings, users, passwords, membershipStands, checkPassword, adjust, changed }: UserBase,
  activities: Records<Activity>,
): Pick<Users, 'login' | 'standing' | 'activity' | 'setPassword' | 'endSession'> {
  async function activity(id: UserId): Promise<Activity> {
    return (await activities.get(id)) ?? NO_ACTIVITY;
  }

  async function changeActivity(id: UserId, next: (before: Activity) => Activity): Promise<void> {
    await activities.update(id, (before) => next(before ?? NO_ACTIVITY));
    if ((await users.find(id)) === undefined) await activities.remove(id); // the user was removed meanwhile
  }

  return {
    activity,

    async login(email, password, party) {
      const user = await users.findByKey(emailKey(email, settings.loginCaseSensitive));
      const matches = await passwords.verify(password, user?.passwordHash ?? null, party);
      if (matches === 'overloaded') return OVERLOADED;
      if (user === undefined || !matches) return { type: 'refused', reason: 'bad-credentials' };
      if (!user.enabled || !(await membershipStands(user.membership))) {
        return { type: 'refused', reason: 'disabled' };
      }
      await changeActivity(user.id, (before) => ({ ...before, lastLoginAt: clock.now() }));
      return { type: 'welcome', user: publicUser(user) };
    },

    async standing(id) {
      const user = await users.find(id);
      if (user === undefined || !user.enabled || !(await membershipStands(user.membership))) return undefined;
      return { user: publicUser(user), endedSessions: (await activity(id)).endedSessions };
    },

    async setPassword(id, password) {
      const wrong = checkPassword(password);
      if (wrong !== undefined) return refused(wrong);
      const passwordHash = await passwords.hash(password);
      if (passwordHash === 'overloaded') return OVERLOADED;
      return adjust(id, withPassword(passwordHash));
    },

    async endSession(id, sessionId, until) {
      await changeActivity(id, (before) => {
        const alive = before.endedSessions.filter(
          (ended) => clock.now() < ended.until && ended.id !== sessionId,
        );
        const endedSessions = [...alive, { id: sessionId, until }].slice(-ENDED_SESSIONS_MAX);
        return { ...before, endedSessions };
      });
      changed(id);
    },
  };
}
