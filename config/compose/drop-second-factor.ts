/**
 * Takes the second factor of a user away, beside a running server too: for the only system administrator, whom nobody else can
 * help, after a lost phone or a lost server key. Whoever may read and write the store could do the same by hand.
 */
import { randomUUID } from 'node:crypto';
import { emailKey, type StoredUser, userKind } from '../../actors/accounts/kinds.ts';
import { createSecondFactors } from '../../actors/accounts/second-factors.ts';
import { createBlocks } from '../../actors/audit/blocks.ts';
import type { Note } from '../../actors/audit/entry.ts';
import { lineOfNote } from '../../actors/audit/line.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { Log } from '../../actors/base/log.ts';
import { silentBus } from '../../actors/cluster/bus.ts';
import { createCollection } from '../../actors/records/collection.ts';
import type { Store } from '../../actors/store/store.ts';
import { noteUser } from '../../http/routes/user-notes.ts';
import type { Config } from '../options/schema.ts';
import { StartRefused } from './refusal.ts';
import { openStore } from './store.ts';

/**
 * It is told as a log line, and stands in the audit trail of the user's tenant; system administrators belong to none.
 *
 * @returns whether there was one
 * @throws StartRefused if the store cannot be used, or has no such user
 */
export async function dropSecondFactor(
  config: Config,
  email: string,
  clock: Clock,
  log: Log,
): Promise<boolean> {
  const { store, close } = await openStore(config, 'command', log);
  try {
    const users = createCollection(store, userKind(config.accounts.loginCaseSensitive));
    const user = await users.findByKey(emailKey(email, config.accounts.loginCaseSensitive));
    if (user === undefined) throw new StartRefused(`there is no user ${JSON.stringify(email)}`);
    const factors = createSecondFactors(store, clock, silentBus);
    if ((await factors.get(user.id)) === undefined) return false;
    // First, so that it never happens unseen.
    if (config.system.auditLogEnabled) await note(store, user, clock);
    await factors.forget(user.id);
    log.warn({ userId: user.id }, 'the second factor of a user was taken away from the command line');
    return true;
  } finally {
    await close();
  }
}

/** Written at once: a note in memory would be written with a round of the trail, which does not run here. */
async function note(store: Store, user: StoredUser, clock: Clock): Promise<void> {
  const notes: Note[] = [];
  const data = { secondFactor: 'removed', by: 'command line' };
  await noteUser(
    { note: (one) => notes.push(one), noted: async () => {} },
    'CREDENTIALS_UPDATED',
    user,
    data,
  );
  for (const one of notes) {
    const line = lineOfNote(one, clock.now(), randomUUID());
    await createBlocks(store).append(one.tenantId, [line], undefined);
  }
}
