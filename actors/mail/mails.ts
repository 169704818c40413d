/** Mails, composed: the outbox, who sends it, how letters read, and how many there may be. */
import type { Accounts } from '../accounts/accounts.ts';
import type { AuditTrail } from '../audit/audit.ts';
import type { Clock } from '../base/clock.ts';
import { type MailId, newId, type TenantId } from '../base/ids.ts';
import { type Log, logBounded } from '../base/log.ts';
import type { Secrets } from '../base/secret.ts';
import { readDevice } from '../fleet/live-devices.ts';
import type { Counters } from '../limits/counters.ts';
import type { Target } from '../outbox/message.ts';
import { createLease, LEASE_MS } from '../records/lease.ts';
import type { Store } from '../store/store.ts';
import type { Language } from '../texts/languages.ts';
import { openMailChoices } from './choices.ts';
import type { MailLook } from './layout.ts';
import { createLetters } from './letters.ts';
import { createMailLimits, type MailLimitSettings } from './limits.ts';
import type { Letter, Mails, Posted, Smtp } from './model.ts';
import { createNoticeTarget } from './notices.ts';
import { openMailOutbox } from './outbox.ts';
import { createMailSender, type MailSender } from './sender.ts';

export interface MailSettings extends MailLimitSettings {
  readonly look: MailLook;
  readonly baseUrl: string;
  readonly domain: string;
  readonly language: Language;
  readonly resetLifeMs: number;
  readonly connections: number;
}

export interface MailNeeds {
  readonly store: Store;
  readonly accounts: Pick<Accounts, 'users' | 'providerLinks'>;
  readonly secrets: Secrets;
  readonly counters: Counters;
  readonly smtp: Smtp;
  readonly audit: Pick<AuditTrail, 'note'>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface MailParts {
  readonly mails: Mails;
  readonly sender: MailSender;
  /** Makes mails of events. */
  readonly notices: Target;
}

export function createMails(settings: MailSettings, needs: MailNeeds): MailParts {
  const { store, secrets, counters, smtp, clock, log } = needs;
  const outbox = openMailOutbox(store, secrets, clock);
  const letters = createLetters({ ...settings, ...needs.accounts, secrets, clock });
  const sender = createMailSender({
    outbox,
    index: store.index,
    smtp,
    write: letters.write,
    lease: createLease(store, clock, 'mail', LEASE_MS),
    leaseMs: LEASE_MS,
    dropped: createNoteOfDropped(needs),
    clock,
    log,
    chance: Math.random,
    atOnce: settings.connections,
  });
  const limits = createMailLimits(counters, settings);
  const choices = openMailChoices(store);

  const tooMany = (about: object) =>
    logBounded(log, 'warn', performance.now(), about, 'mail: there are too many; this one is not sent');

  async function keep(letter: Letter, tenantId: TenantId | null, id?: MailId): Promise<boolean> {
    const kept = await outbox.keep(letter, tenantId, id);
    if (kept) sender.wake();
    else tooMany({ about: letter.type, tenantId });
    return kept;
  }

  /** Where a letter goes of which others may ask for many; undefined: nobody may, or it is bounded elsewhere. */
  async function boundedAddress(letter: Letter): Promise<string | undefined> {
    switch (letter.type) {
      case 'reset':
      case 'sign-up':
      case 'address-changed':
        return letter.email;
      case 'activation':
      case 'sign-in-added': // it may be an address that the user only says is its own
        return (await needs.accounts.users.find(letter.userId))?.email;
      default:
        return undefined;
    }
  }

  async function addressHasEnough(letter: Letter, tenantId: TenantId | null): Promise<boolean> {
    const address = await boundedAddress(letter);
    return address !== undefined && limits.ofAddress(letter.type, address, tenantId);
  }

  async function post(letter: Letter, tenantId: TenantId | null, id?: MailId): Promise<Posted> {
    if (tenantId !== null && (await limits.ofTenant(letter, tenantId))) {
      tooMany({ about: letter.type, tenantId, option: 'mail.perTenantPerHour' });
      return 'too-many';
    }
    if (await addressHasEnough(letter, tenantId)) {
      tooMany({ about: letter.type, tenantId });
      return 'too-many';
    }
    return (await keep(letter, tenantId, id)) ? 'kept' : 'too-many';
  }

  function tooManySignUps(tenantId: TenantId): Posted {
    tooMany({ about: 'sign-up', tenantId, option: 'security.sign_up.perHour' });
    return 'too-many';
  }

  const notices = createNoticeTarget({
    users: needs.accounts.users,
    read: ({ deviceId }) => readDevice(store.journal, deviceId),
    choicesOf: choices.of,
    secrets,
    async keep(letter, tenantId, id) {
      if (await limits.ofNews(letter)) tooMany({ about: letter.type, tenantId });
      else await post(letter, tenantId, id);
    },
    clock,
    log,
  });

  return {
    notices,
    sender,
    mails: {
      post,
      choicesOf: choices.of,
      choose: choices.set,

      async ask(letter, from) {
        if (await limits.ofNetwork(from)) return 'too-many';
        const tenantId = letter.type === 'sign-up' ? letter.tenantId : null;
        // Before the address is counted: who is told to come later must not hear then that a mail is on its way.
        if (tenantId !== null && (await limits.haveSignedUp(tenantId))) return tooManySignUps(tenantId);
        if (await outbox.isFull()) return 'too-many';
        // Whoever has the address or not, it is counted and kept alike; and nobody hears that somebody else has asked.
        if (await limits.ofAsked(letter.type, letter.email, tenantId)) return 'kept';
        if (await addressHasEnough(letter, tenantId)) {
          tooMany({ about: letter.type, tenantId });
          return 'kept';
        }
        if (tenantId !== null && (await limits.ofSignUps(tenantId))) return tooManySignUps(tenantId);
        return (await keep(letter, null)) ? 'kept' : 'too-many';
      },

      test: (to, tag) => smtp.send(letters.test(newId<MailId>(clock.now()), to, tag)),
    },
  };
}

/** Tells the tenant whose user it is that a mail will not come; without the address, which the entry of the user has. */
function createNoteOfDropped({ accounts: { users }, audit }: Pick<MailNeeds, 'accounts' | 'audit'>) {
  return async (letter: Letter, behalfOf: TenantId | null, why: string): Promise<void> => {
    const user = 'userId' in letter ? await users.find(letter.userId) : await users.findByEmail(letter.email);
    const membership = user?.membership;
    const its = membership === undefined || membership.authority === 'SYS_ADMIN' ? undefined : membership;
    const tenantId = behalfOf ?? its?.tenantId;
    if (tenantId === undefined) return;
    // Who of another tenant has the address is not told.
    const own = its?.tenantId === tenantId ? its : undefined;
    audit.note({
      tenantId,
      action: 'MAIL_DROPPED',
      deviceId: undefined,
      deviceName: undefined,
      customerId: own?.authority === 'CUSTOMER_USER' ? own.customerId : undefined,
      userId: own === undefined ? undefined : user?.id,
      data: { mail: letter.type },
      failure: why,
    });
  };
}
