/** Mails, composed: the outbox, who sends it, how letters read, and how many there may be. */
import type { Accounts } from '../accounts/accounts.ts';
import type { AuditTrail } from '../audit/audit.ts';
import type { Clock } from '../base/clock.ts';
import { type MailId, newId, type TenantId } from '../base/ids.ts';
import { type Log, logBounded } from '../base/log.ts';
import type { Secrets } from '../base/secret.ts';
import { readDevice } from '../fleet/live-devices.ts';
import { networksOf } from '../limits/address.ts';
import type { Counters } from '../limits/counters.ts';
import type { Target } from '../outbox/message.ts';
import { createLease } from '../records/lease.ts';
import type { Store } from '../store/store.ts';
import type { Language } from '../texts/languages.ts';
import { openMailChoices } from './choices.ts';
import type { MailLook } from './layout.ts';
import { createLetters } from './letters.ts';
import type { Letter, Mails, Posted, Smtp } from './model.ts';
import { createNoticeTarget } from './notices.ts';
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
  readonly audit: Pick<AuditTrail, 'note'>;
  readonly clock: Clock;
  readonly log: Log;
}

const HOUR = 3_600_000;
/** One mail that a stranger asks for, in this time, to one address: its link stays good meanwhile. */
const ASKED_EVERY_MS = 5 * 60_000;
/** Mails that strangers ask for, an hour, from one address of the network. */
const ASKED_PER_NETWORK = 10;
/**
 * Mails of one kind that one address gets on behalf of one tenant, or of strangers, whoever asks for them. After so many in a
 * day one in an hour goes on: its link is good for an hour, so who asks for many keeps nobody from setting a password.
 */
const PER_ADDRESS = { anHour: 5, aDay: 20, anHourAfterwards: 1 } as const;
/** Those tell somebody of an attack: what else a tenant sends must not use their number up. */
const WARNINGS: ReadonlySet<Letter['type']> = new Set(['password-changed', 'address-changed']);
const LEASE_MS = 6_000;

/** Notices of devices that one person gets in an hour: whoever plays with devices must not fill a mailbox. */
const NOTICES_PER_USER = 20;
/** Offers that one address without an account hears of in a day. */
const OFFERS_PER_ADDRESS = 3;

export interface MailParts {
  readonly mails: Mails;
  readonly sender: MailSender;
  /** Makes mails of events. */
  readonly notices: Target;
}

export function createMails(settings: MailSettings, needs: MailNeeds): MailParts {
  const { store, secrets, counters, smtp, clock, log } = needs;
  const outbox = openMailOutbox(store, secrets, clock);
  const letters = createLetters({ ...settings, users: needs.accounts.users, secrets, clock });
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
  const perTenant = counters('mail-tenant', { windowMs: HOUR });
  const perAsked = counters('mail-asked', { windowMs: ASKED_EVERY_MS });
  const perNetwork = counters('mail-network', { windowMs: HOUR });
  const perUser = counters('mail-user', { windowMs: HOUR });
  const perStranger = counters('mail-stranger', { windowMs: 24 * HOUR });
  const perAddress = {
    hour: counters('mail-address-hour', { windowMs: HOUR }),
    day: counters('mail-address-day', { windowMs: 24 * HOUR }),
  };
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
      case 'address-changed':
        return letter.email;
      case 'activation':
        return (await needs.accounts.users.find(letter.userId))?.email;
      default:
        return undefined;
    }
  }

  /**
   * Each kind for itself: whoever makes a tenant send activation mails must not keep a password from being reset. And each
   * tenant for itself: what another one sends is neither seen here nor in the way.
   */
  async function addressHasEnough(letter: Letter, tenantId: TenantId | null): Promise<boolean> {
    const address = await boundedAddress(letter);
    if (address === undefined) return false;
    const key = `${letter.type} ${tenantId ?? ''} ${address.toLowerCase()}`;
    const { count: inHour } = await perAddress.hour.add(key);
    if (inHour > PER_ADDRESS.anHour) return true;
    const { count: inDay } = await perAddress.day.add(key);
    return inDay > PER_ADDRESS.aDay && inHour > PER_ADDRESS.anHourAfterwards;
  }

  async function post(letter: Letter, tenantId: TenantId | null, id?: MailId): Promise<Posted> {
    const kind = WARNINGS.has(letter.type) ? ' warnings' : '';
    if (tenantId !== null && (await perTenant.add(`${tenantId}${kind}`)).count > settings.perTenant) {
      tooMany({ about: letter.type, tenantId, option: 'mail.perTenantPerHour' });
      return 'too-many';
    }
    if (await addressHasEnough(letter, tenantId)) {
      tooMany({ about: letter.type, tenantId });
      return 'too-many';
    }
    return (await keep(letter, tenantId, id)) ? 'kept' : 'too-many';
  }

  async function hasEnough(letter: Letter): Promise<boolean> {
    if (letter.type === 'notice') return (await perUser.add(letter.userId)).count > NOTICES_PER_USER;
    if (letter.type === 'offer')
      return (await perStranger.add(letter.email.toLowerCase())).count > OFFERS_PER_ADDRESS;
    return false;
  }

  const notices = createNoticeTarget({
    users: needs.accounts.users,
    read: ({ deviceId }) => readDevice(store.journal, deviceId),
    choicesOf: choices.of,
    secrets,
    async keep(letter, tenantId, id) {
      if (await hasEnough(letter)) tooMany({ about: letter.type, tenantId });
      else await post(letter, tenantId, id);
    },
    clock,
    log,
  });

  return {
    notices,
    sender,
    mails: {
      post: (letter, tenantId) => post(letter, tenantId),
      choicesOf: choices.of,
      choose: choices.set,

      async ask(letter, from) {
        for (const { name, times } of networksOf(from)) {
          if ((await perNetwork.add(name)).count > ASKED_PER_NETWORK * times) return;
        }
        // Whoever has the address or not, it is counted and kept alike.
        if ((await perAsked.add(`${letter.type} ${letter.email.toLowerCase()}`)).count > 1) return;
        if (await addressHasEnough(letter, null)) return tooMany({ about: letter.type, tenantId: null });
        await keep(letter, null);
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
