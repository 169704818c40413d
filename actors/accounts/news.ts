/**
 * News of users: what has to be told of a change, in the audit trail and by mail. It is written down in the user's record by the
 * commit that makes the change, and taken off when it has been told; so a crash in between keeps nobody from hearing of it. Who
 * is owed any is in one list, so nobody goes through all users. Telling is not for this room: see `../mail/user-news.ts`.
 */
import type { Instant } from '../base/clock.ts';
import { type MailId, newId } from '../base/ids.ts';
import { publicUser, type StoredUser, USERS_WITH_NEWS } from './kinds.ts';
import type { News, Users } from './model.ts';
import type { UserBase } from './user-base.ts';

/** Of one user; where nothing can be told for long, the oldest are forgotten. */
const OWED_MAX = 100;

/** A change that has news. Where it changes nothing there is none. */
export function owing(
  news: News | undefined,
  at: Instant,
  next: (user: StoredUser) => StoredUser,
): (user: StoredUser) => StoredUser {
  if (news === undefined) return next;
  const owed = { ...news, id: newId<MailId>(at), at };
  return (before) => {
    const after = next(before);
    return after === before ? before : { ...after, news: [...(after.news ?? []), owed].slice(-OWED_MAX) };
  };
}

export function newsOf({
  clock,
  users,
  change,
}: UserBase): Pick<Users, 'announce' | 'news' | 'toldNews' | 'withNews'> {
  return {
    async announce(id, news) {
      await change(
        id,
        owing(news, clock.now(), (user) => ({ ...user })),
      );
    },

    async news(id) {
      return (await users.find(id))?.news ?? [];
    },

    async toldNews(id, told) {
      const ids = new Set(told.map((one) => one.id));
      const changed = await change(id, (user) => {
        const { news = [], ...rest } = user;
        const left = news.filter((one) => !ids.has(one.id));
        if (left.length === news.length) return user;
        return left.length === 0 ? rest : { ...rest, news: left };
      });
      return changed.type === 'done' ? publicUser(changed.entity) : undefined;
    },

    async *withNews() {
      for await (const user of users.each(USERS_WITH_NEWS)) yield publicUser(user);
    },
  };
}
