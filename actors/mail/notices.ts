/**
 * Makes mails of what happens to devices: one more target of the outbox of events (`../outbox`), so no claim waits for it and no event
 * is skipped. Delivering to it is keeping letters; an event that is read twice makes the same letters.
 */
import { createHash } from 'node:crypto';
import type { Accounts, User } from '../accounts/accounts.ts';
import type { Clock, Instant } from '../base/clock.ts';
import { type CustomerId, type MailId, NULL_UUID, type TenantId, timedId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { type Secrets, unsealedOrNull } from '../base/secret.ts';
import type { DeviceRecord } from '../device/state.ts';
import { StoreUnavailable } from '../journal/unavailable.ts';
import type { Message, Target } from '../outbox/message.ts';
import { reportBug } from '../runtime/supervision.ts';
import type { Choices, Notice } from './choices.ts';
import type { Letter } from './model.ts';

export interface NoticeNeeds {
  readonly users: Pick<Accounts['users'], 'list' | 'findByEmail'>;
  readonly read: (message: Message) => Promise<DeviceRecord | undefined>;
  readonly choicesOf: (user: User['id']) => Promise<Choices>;
  readonly secrets: Pick<Secrets, 'unseal'>;
  readonly keep: (letter: Letter, tenantId: TenantId, id: MailId) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Users of one customer who are told. */
const USERS_MAX = 20;
/** What is older when it is read is no news any more: mail was just switched on, or was off for long. */
const NEWS_FOR_MS = 24 * 3_600_000;

interface Told {
  readonly notice: Notice;
  readonly customerId: CustomerId;
}

/** Which customers are told what of an event; an offer says in the device's record whom it is for. */
function toldOf({ type, data }: Message): readonly Told[] {
  const told = (notice: Notice, member: string): Told[] => {
    const customerId = data[member];
    // It is one where the event was written.
    return typeof customerId === 'string' ? [{ notice, customerId: customerId as CustomerId }] : [];
  };
  switch (type) {
    case 'device.claimed':
      return told('claimed', 'assignedCustomerId');
    case 'device.assigned':
    case 'device.transfer.accepted':
      return [...told('claimed', 'assignedCustomerId'), ...told('givenBack', 'previousCustomerId')];
    case 'device.reclaimed':
    case 'device.unassigned':
      return told('givenBack', 'unassignedCustomerId');
    case 'device.takeover.asked':
      return told('takeOver', 'customerId');
    case 'device.takeover.completed':
      return [...told('claimed', 'assignedCustomerId'), ...told('taken', 'previousCustomerId')];
    case 'device.reset':
      return told('reset', 'unassignedCustomerId');
    default:
      return [];
  }
}

const OFFERED = 'device.transfer.offered';
const TYPES = new Set([
  OFFERED,
  'device.claimed',
  'device.assigned',
  'device.transfer.accepted',
  'device.reclaimed',
  'device.unassigned',
  'device.takeover.asked',
  'device.takeover.completed',
  'device.reset',
]);

export function createNoticeTarget({
  users,
  read,
  choicesOf,
  secrets,
  keep,
  clock,
  log,
}: NoticeNeeds): Target {
  async function tell(message: Message, notice: Notice, user: User, until: Instant | null): Promise<void> {
    if (!user.activated || !user.enabled || !(await choicesOf(user.id))[notice]) return;
    const letter: Letter = {
      type: 'notice',
      notice,
      userId: user.id,
      deviceName: String(message.data.deviceName),
      until,
    };
    await keep(letter, message.tenantId, idOf(message, user.id));
  }

  async function tellCustomer(message: Message, told: Told, until: Instant | null): Promise<void> {
    const { tenantId } = message;
    const { notice, customerId } = told;
    const query = { page: 0, pageSize: USERS_MAX };
    const { items } = await users.list({ authority: 'CUSTOMER_USER', tenantId, customerId }, query);
    for (const user of items) await tell(message, notice, user, until);
  }

  /** Who has no account yet hears of an offer too: it was made to the address. */
  async function tellAddress(message: Message, email: string, until: Instant): Promise<void> {
    const user = await users.findByEmail(email);
    if (user === undefined) {
      const letter = { type: 'offer', email, deviceName: String(message.data.deviceName), until } as const;
      return keep(letter, message.tenantId, idOf(message, email));
    }
    const { membership } = user;
    if (membership.authority === 'CUSTOMER_USER' && membership.tenantId === message.tenantId)
      await tell(message, 'offered', user, until);
  }

  async function tellOfOffer(message: Message): Promise<void> {
    const device = await read(message);
    const offer = device?.offer;
    if (device === undefined || offer === undefined || offer.offeredAt !== message.at) return; // it has ended already
    const { to, expiresAt } = offer;
    if (to.type === 'customer' && to.isNobody !== true)
      await tellCustomer(message, { notice: 'offered', customerId: to.customerId }, expiresAt);
    if (to.type !== 'address') return;
    const address = unsealedOrNull(secrets, device.id, to.sealedAddress);
    if (address !== null) await tellAddress(message, address, expiresAt); // else its key has been dropped
  }

  async function tellAll(message: Message): Promise<void> {
    const { dueAt } = message.data;
    if (message.type === OFFERED) await tellOfOffer(message);
    for (const told of toldOf(message))
      await tellCustomer(message, told, typeof dueAt === 'number' ? dueAt : null);
  }

  return {
    id: 'mail-notices',
    tenantId: NULL_UUID as TenantId, // of no tenant
    isActive: true,
    version: 1,
    wants: ({ type, at }) => TYPES.has(type) && clock.now() - at < NEWS_FOR_MS,
    async deliver(message) {
      const begun = clock.elapsed();
      try {
        await tellAll(message);
      } catch (error) {
        if (error instanceof StoreUnavailable) throw error;
        // One event that cannot be told must not keep those behind it, of all tenants, from being told.
        reportBug(log, 'mail', error, { event: message.id, about: message.type, tenantId: message.tenantId });
      }
      const tookMs = clock.elapsed() - begun;
      return { type: 'delivered', told: { outcome: 'kept', answer: '', tookMs } };
    },
  };
}

/** The same for the same event and person. */
function idOf({ id, at }: Message, whom: string): MailId {
  const bytes = createHash('sha256').update(`${id} ${whom}`).digest().subarray(0, 16);
  return timedId<MailId>(bytes, at, bytes.readUInt16BE(6) & 0xfff);
}
