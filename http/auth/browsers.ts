/**
 * Browsers that users have signed in with before. Such a browser keeps a signed mark for each of its last users, out of reach
 * of scripts (OWASP: "device cookies"). It opens nothing; but who shows one for the user that logs in has a small budget of
 * wrong passwords of its own, so a crowd that guesses at the user does not keep the user out.
 *
 * The mark is bound to the user and not to the password: who has just changed it comes back as who is known, too.
 */
import type { UserId } from '../../actors/base/ids.ts';
import type { Tokens } from './tokens.ts';

/** The header by which a page shows the marks of its browser. */
export const KNOWN_BROWSER_HEADER = 'x-known-browser';

export interface Browsers {
  /** What the browser keeps from now on. @param kept what it kept so far. @param accessToken of who has just signed in */
  remember(kept: string | undefined, accessToken: string): string;
  /** The id of the browser under which this user is known there; undefined: it is not. */
  find(kept: string | undefined, user: UserId): string | undefined;
}

/** Users of one browser; a mark takes half a KB. */
const USERS_MAX = 4;
const BETWEEN = '~';

export function createBrowsers({
  issueBrowser,
  readAccess,
  readBrowser,
}: Pick<Tokens, 'issueBrowser' | 'readAccess' | 'readBrowser'>): Browsers {
  /** The good marks among what was sent; each takes the check of a signature, so no more are looked at than are kept. */
  function read(kept: string | undefined) {
    const marks = kept?.split(BETWEEN).slice(0, USERS_MAX) ?? [];
    return marks.flatMap((mark) => {
      const reading = readBrowser(mark);
      if (reading.type !== 'good') return [];
      const { userId, sessionId: browser } = reading.claims;
      return [{ mark, userId, browser }];
    });
  }

  const find: Browsers['find'] = (kept, user) =>
    kept === undefined ? undefined : read(kept).find(({ userId }) => userId === user)?.browser;

  return {
    find,
    remember(kept, accessToken) {
      const reading = readAccess(accessToken);
      const user = reading.type === 'good' ? reading.claims.userId : undefined;
      const own = user === undefined ? undefined : find(kept, user);
      const others = read(kept).filter(({ userId }) => userId !== user);
      const marks = [issueBrowser(accessToken, own), ...others.map(({ mark }) => mark)];
      return marks.slice(0, USERS_MAX).join(BETWEEN);
    },
  };
}
