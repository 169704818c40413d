/** Mails, composed: the outbox, who sends it, how letters read, and how many there may be. */
import type { Accounts } from '../accounts/accounts.ts';
import type { Clock } from '../base/clock.ts';
import { type MailId, newId } from '../base/ids.ts';
import { type Log, logBounded } from '../base/log.ts';
import type { Secrets } from '../base/secret.ts';
import { networksOf } from '../limits/address.ts';
import type { Counters } from '../limits/counters.ts';
import { createLease } from '../records/lease.ts';
import type { Store } from '../store/store.ts';
import type { Language } from '../texts/languages.ts';
import type { MailLook } from './layout.ts';
import { createLetters } from './letters.ts';
import type { Letter, Mails, Smtp } from './model.ts';
import { openMailOutbox } from './outbox.ts';
import { createMailSender, type MailSender } from './sender.ts';

export interface MailSettings {
  readonly look: MailLook;
  readonly baseUrl: string;
  readonly domain: string;
  readonly language: Language;
  readonly resetLifeMs: number;
  readonly connections: number;
  /** Mails an hour on behalf of one tenant. */
  readonly perTenant: number;
}

export interface MailNeeds {
  readonly store: Store;
  readonly accounts: Pick<Accounts, 'users'>;
  readonly secrets: Secrets;
  readonly counters: Counters;
  readonly smtp: Smtp;
  readonly clock: Clock;
  readonly log: Log;
}

const HOUR = 3_600_000;
/** One mail that a stranger asks for, in this time, to one address: its link stays good meanwhile. */
const ASKED_EVERY_MS = 5 * 60_000;
/** Mails that strangers ask for, an hour, from one address of the network. */
const ASKED_PER_NETWORK = 10;
const LEASE_MS = 6_000;

export function createMails(settings: MailSettings, needs: MailNeeds): { mails: Mails; sender: MailSender } {
  const { store, secrets, counters, smtp, clock, log } = needs;
  const outbox = openMailOutbox(store, secrets, clock);
  const letters = createLetters({ ...settings, users: needs.accounts.users, secrets, clock });
  const sender = createMailSender({
    outbox,
    index: store.index,
    smtp,
    write: letters.write,
    lease: createLease(store, clock, 'mail', LEASE_MS),
    clock,
    log,
    chance: Math.random,
    atOnce: settings.connections,
  });
  const perTenant = counters('mail-tenant', { windowMs: HOUR });
  const perAsked = counters('mail-asked', { windowMs: ASKED_EVERY_MS });
  const perNetwork = counters('mail-network', { windowMs: HOUR });

  const tooMany = (about: object) =>
    logBounded(log, 'warn', performance.now(), about, 'mail: there are too many; this one is not sent');

  async function keep(letter: Letter, tenantId: Parameters<Mails['post']>[1]): Promise<boolean> {
    const kept = await outbox.keep(letter, tenantId);
    if (kept) sender.wake();
    else tooMany({ about: letter.type, tenantId });
    return kept;
  }

  return {
    sender,
    mails: {
      async post(letter, tenantId) {
        if (tenantId !== null && (await perTenant.add(tenantId)).count > settings.perTenant) {
          tooMany({ about: letter.type, tenantId, option: 'mail.perTenantPerHour' });
          return 'too-many';
        }
        return (await keep(letter, tenantId)) ? 'kept' : 'too-many';
      },

      async ask(letter, from) {
        for (const { name, times } of networksOf(from)) {
          if ((await perNetwork.add(name)).count > ASKED_PER_NETWORK * times) return;
        }
        // Whoever has the address or not, it is counted and kept alike.
        if ((await perAsked.add(`${letter.type} ${letter.email.toLowerCase()}`)).count > 1) return;
        await keep(letter, null);
      },

      test: (to, tag) => smtp.send(letters.test(newId<MailId>(clock.now()), to, tag)),
    },
  };
}
