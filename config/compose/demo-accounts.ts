/**
 * Accounts of the demo that still have their public passwords. Every start says that they are there, and with them a
 * server listens beyond its own machine only where it was told to: a store that was made for trying out tends to stay.
 */
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { Log } from '../../actors/base/log.ts';
import { openRecords } from '../../actors/records/records.ts';
import type { Store } from '../../actors/store/store.ts';
import { DEMO_PEOPLE } from '../demo/demo-data.ts';
import { nameDoors, openDoors } from '../options/doors.ts';
import type { Config } from '../options/schema.ts';
import { StartRefused } from './refusal.ts';

interface Needs {
  readonly accounts: Pick<Accounts, 'users'>;
  readonly store: Store;
  readonly log: Log;
  /** Of several processes on one machine one says it. */
  readonly quiet: boolean;
}

/** What was found out about one set of credentials, because comparing passwords takes tens of milliseconds each. */
interface Found {
  readonly credentialsVersion: number;
  readonly isPublic: boolean;
}

/** @throws StartRefused */
export async function watchDemoAccounts(config: Config, { log, quiet, ...needs }: Needs): Promise<void> {
  const emails = await demoAccounts(needs);
  if (emails.length === 0) return;
  const doors = openDoors(config);
  if (doors.length > 0 && !config.install.demoPublic) {
    throw new StartRefused(
      `this store holds accounts of the demo with public passwords (${emails.join(', ')}), and others than this machine ` +
        `could reach it: ${nameDoors(doors)}. Delete them or give them other passwords, listen on 127.0.0.1, or say ` +
        '--demo-public if everybody may be administrator here',
    );
  }
  if (quiet) return;
  const mayLogIn = config.install.loadDemo;
  log.warn(
    { accounts: emails, passwordsWork: mayLogIn, reachable: doors.length > 0 },
    'this store holds accounts of the demo, whose passwords are public',
  );
}

async function demoAccounts({ accounts: { users }, store }: Omit<Needs, 'log' | 'quiet'>): Promise<string[]> {
  const kept = openRecords<Found>(store, 'demo-account');
  const emails: string[] = [];
  for (const { email, password } of DEMO_PEOPLE) {
    const user = await users.findByEmail(email);
    if (user === undefined || !user.activated) continue;
    const { id, credentialsVersion } = user;
    let found = await kept.get(id);
    if (found?.credentialsVersion !== credentialsVersion) {
      found = { credentialsVersion, isPublic: await users.hasPassword(id, password) };
      await kept.put(id, found);
    }
    if (found.isPublic) emails.push(email);
  }
  return emails;
}
