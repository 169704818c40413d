/**
 * Tells what is owed of changes of users (`../accounts/news.ts`): an entry of the audit trail, and a mail where mails are sent. Whoever
 * makes a change tells it before the answer. What a crash, or a store that was away, left untold is told in the background. Told twice
 * it is one entry, and one mail while that waits; later it is the same mail again, with the same Message-ID.
 */
import type { Accounts, OwedNews, User } from '../accounts/accounts.ts';
import type { AuditTrail } from '../audit/audit.ts';
import { noteOfUser } from '../audit/entry.ts';
import type { Clock } from '../base/clock.ts';
import { type Log, logBounded } from '../base/log.ts';
import { ifUnavailable, StoreUnavailable } from '../journal/unavailable.ts';
import { createRounds, type Rounds } from '../records/rounds.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Store } from '../store/store.ts';
import type { Mails } from './model.ts';

const FIRST_MS = 2_000;
const EVERY_MS = 10_000;

export interface UserNewsNeeds {
  readonly accounts: {
    readonly users: Pick<Accounts['users'], 'news' | 'toldNews' | 'withNews'>;
    readonly secondFactors: Pick<Accounts['secondFactors'], 'get'>;
  };
  readonly audit: Pick<AuditTrail, 'noteOnce'>;
  /** Without it, none are sent. */
  readonly mails?: Pick<Mails, 'post'> | undefined;
  readonly log: Log;
}

/** Resolves to the user as it is when all is told that is owed; where the store is away, to what it was given. */
export type TellNews = (user: User) => Promise<User>;

export function createTellNews(needs: UserNewsNeeds): TellNews {
  return async (user) => {
    const told = async () => tell(needs, user, await needs.accounts.users.news(user.id), 'leave');
    return told().catch(
      ifUnavailable((err) => {
        const about = { err, userId: user.id };
        logBounded(
          needs.log,
          'warn',
          performance.now(),
          about,
          'what became of a user could not be told: the store is away; trying again',
        );
        return user;
      }),
    );
  };
}

/**
 * Rejects with `StoreUnavailable`; all of it is owed then.
 * @param untrue what becomes of news that are announced, but not true
 */
async function tell(
  { accounts: { users, secondFactors }, audit, mails }: UserNewsNeeds,
  user: User,
  owed: readonly OwedNews[],
  untrue: 'leave' | 'drop',
): Promise<User> {
  const over: OwedNews[] = [];
  for (const one of owed) {
    const { id, at, when, mail, action, data } = one;
    const isTrue = when === undefined || (await secondFactors.get(user.id)) === undefined;
    if (isTrue || untrue === 'drop') over.push(one);
    if (!isTrue) continue;
    const note = noteOfUser(user, { action, data, failure: undefined });
    if (note !== undefined) await audit.noteOnce(note, id, at);
    if (mail !== undefined) await mails?.post({ ...mail, userId: user.id }, note?.tenantId ?? null, id);
  }
  return (over.length === 0 ? user : await users.toldNews(user.id, over)) ?? user;
}

export function createUserNewsRounds(store: Store, needs: UserNewsNeeds, clock: Clock): Rounds {
  const { log } = needs;
  const { users } = needs.accounts;
  /** What was owed in the round before: what is not among it may be about to be told by whoever made the change. */
  let before = new Set<string>();

  return createRounds(
    store,
    {
      name: 'user-news',
      what: 'news',
      firstMs: FIRST_MS,
      everyMs: EVERY_MS,
      away: 'what became of users could not be told; trying again',
      async round(mayGoOn) {
        const now = new Set<string>();
        for await (const user of users.withNews()) {
          if (!(await mayGoOn())) return;
          const owed = await users.news(user.id);
          for (const { id } of owed) now.add(id);
          try {
            const left = owed.filter(({ id }) => before.has(id));
            await tell(needs, user, left, 'drop');
          } catch (error) {
            // What cannot be told of one user must not keep the others' from being told.
            if (error instanceof StoreUnavailable) throw error;
            reportBug(log, 'news', error, { userId: user.id });
          }
        }
        before = now;
      },
    },
    clock,
    log,
  );
}
