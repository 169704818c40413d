/** Mails that go out beside what was asked for: that has happened, and must not look undone because a mail could not be kept. */
import type { User } from '../../actors/accounts/accounts.ts';
import { type Log, logBounded } from '../../actors/base/log.ts';
import { ifUnavailable } from '../../actors/journal/unavailable.ts';
import type { Letter, Mails, Posted } from '../../actors/mail/model.ts';

/** Resolves when the letter is kept, or cannot be. Undefined: there is no SMTP server, or the store is away. */
export type Post = (letter: Letter, user: Pick<User, 'membership'>) => Promise<Posted | undefined>;

export function createPost(mails: Mails | undefined, log: Log): Post {
  return async (letter, { membership }) => {
    const tenantId = membership.authority === 'SYS_ADMIN' ? null : membership.tenantId;
    return mails?.post(letter, tenantId).catch(
      ifUnavailable((err) => {
        const about = { err, about: letter.type, tenantId };
        logBounded(log, 'warn', performance.now(), about, 'a mail could not be kept: the store is away');
        return undefined;
      }),
    );
  };
}
