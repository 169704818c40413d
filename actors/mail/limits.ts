/** How many mails there may be: for one address, of one tenant, and asked for by strangers. */
import type { TenantId } from '../base/ids.ts';
import { networksOf } from '../limits/address.ts';
import type { Counters } from '../limits/counters.ts';
import type { Notice } from './choices.ts';
import type { Letter } from './model.ts';

const HOUR = 3_600_000;
/** One mail that a stranger asks for, in this time, to one address: its link stays good meanwhile. */
const ASKED_EVERY_MS = 5 * 60_000;
/** Mails that strangers ask for, an hour, from one address of the network. */
const ASKED_PER_NETWORK = 10;

interface PerAddress {
  readonly anHour: number;
  readonly aDay: number;
  readonly anHourAfterwards: number;
}

/**
 * Mails of one kind that one address gets on behalf of one tenant, or of strangers, whoever asks for them. After so many in a
 * day one in an hour goes on: its link is good for an hour, so who asks for many keeps nobody from setting a password.
 */
const PER_ADDRESS: PerAddress = { anHour: 5, aDay: 20, anHourAfterwards: 1 };
/** Each of these links is good for a day, so there is always one that works. */
const SIGN_UPS_PER_ADDRESS: PerAddress = { anHour: 3, aDay: 5, anHourAfterwards: 0 };

/** Those tell somebody of an attack: what else a tenant sends must not use their number up. */
const WARNINGS: ReadonlySet<Letter['type']> = new Set([
  'password-changed',
  'address-changed',
  'sign-in-added',
]);
/** And those by which an owner hears of losing a device: an offer in front of a take-over must not keep it silent. */
const LOSSES: ReadonlySet<Notice> = new Set(['takeOver', 'taken', 'reset']);

function isWarning(letter: Letter): boolean {
  return WARNINGS.has(letter.type) || (letter.type === 'notice' && LOSSES.has(letter.notice));
}

/**
 * Notices of devices that one person gets in an hour: whoever plays with devices must not fill a mailbox. Of losing a device so many
 * of each: it takes the device to cause one.
 */
const NOTICES_PER_USER = 20;
/** Offers that one address without an account hears of in a day. */
const OFFERS_PER_ADDRESS = 3;

export interface MailLimitSettings {
  /** Mails an hour on behalf of one tenant. */
  readonly perTenant: number;
  /** Mails an hour by which strangers want to become customers of one tenant. */
  readonly signUpsPerTenant: number;
}

/**
 * Each counts one more, where it does not say otherwise, and resolves to whether that is too many. Rejects with `StoreUnavailable`
 * where nodes count together.
 */
export function createMailLimits(counters: Counters, settings: MailLimitSettings) {
  const perTenant = counters('mail-tenant', { windowMs: HOUR });
  const signUps = counters('mail-sign-up', { windowMs: HOUR });
  const perAsked = counters('mail-asked', { windowMs: ASKED_EVERY_MS });
  const perNetwork = counters('mail-network', { windowMs: HOUR });
  const perUser = counters('mail-user', { windowMs: HOUR });
  const perStranger = counters('mail-stranger', { windowMs: 24 * HOUR });
  const inHour = counters('mail-address-hour', { windowMs: HOUR });
  const inDay = counters('mail-address-day', { windowMs: 24 * HOUR });
  return {
    async ofTenant(letter: Letter, tenantId: TenantId): Promise<boolean> {
      const kind = isWarning(letter) ? ' warnings' : '';
      return (await perTenant.add(`${tenantId}${kind}`)).count > settings.perTenant;
    },

    /** Whether the next one would be too many; it counts nothing. */
    async haveSignedUp(tenantId: TenantId): Promise<boolean> {
      return (await signUps.get(tenantId)).count >= settings.signUpsPerTenant;
    },

    async ofSignUps(tenantId: TenantId): Promise<boolean> {
      return (await signUps.add(tenantId)).count > settings.signUpsPerTenant;
    },

    /**
     * Each kind for itself: whoever makes a tenant send activation mails must not keep a password from being reset. And each
     * tenant for itself: what another one sends is neither seen here nor in the way.
     */
    async ofAddress(type: Letter['type'], address: string, tenantId: TenantId | null): Promise<boolean> {
      const { anHour, aDay, anHourAfterwards } = type === 'sign-up' ? SIGN_UPS_PER_ADDRESS : PER_ADDRESS;
      const key = `${type} ${tenantId ?? ''} ${address.toLowerCase()}`;
      const { count: hourly } = await inHour.add(key);
      if (hourly > anHour) return true;
      return (await inDay.add(key)).count > aDay && hourly > anHourAfterwards;
    },

    /** @param from the address in the network */
    async ofNetwork(from: string): Promise<boolean> {
      for (const { name, times } of networksOf(from)) {
        if ((await perNetwork.add(name)).count > ASKED_PER_NETWORK * times) return true;
      }
      return false;
    },

    /** The same was asked for a moment ago. @param tenantId whose customer somebody wants to become */
    async ofAsked(type: Letter['type'], address: string, tenantId: TenantId | null): Promise<boolean> {
      return (await perAsked.add(`${type} ${tenantId ?? ''} ${address.toLowerCase()}`)).count > 1;
    },

    async ofNews(letter: Letter): Promise<boolean> {
      if (letter.type === 'notice') {
        const { userId, deviceName } = letter;
        const key = isWarning(letter) ? `${userId} ${deviceName}` : userId;
        return (await perUser.add(key)).count > NOTICES_PER_USER;
      }
      if (letter.type === 'offer')
        return (await perStranger.add(letter.email.toLowerCase())).count > OFFERS_PER_ADDRESS;
      return false;
    },
  };
}
