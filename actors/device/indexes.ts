/**
 * The index entries of a device: a pure function of its state, and what changes between two states.
 *
 * Unique keys: the credentials in the whole server, the name within the tenant. Lists: a tenant's devices in the order of
 * creation (ids ascend with time), by name, by label, and by type; a customer's devices by name, and those offered to it or
 * to an e-mail address; a profile's, those that a gateway brought up, and those of a group of claim states, by id.
 */
import { memberByInstant } from '../base/by-instant.ts';
import {
  type CustomerId,
  type DeviceId,
  type ProfileId,
  storedId,
  type TenantId,
  type TransferId,
} from '../base/ids.ts';
import type { CredentialsId, SecretDigest } from '../base/secret.ts';
import { composed, spellingsOf } from '../base/spelling.ts';
import { unreachable } from '../base/unreachable.ts';
import { changesBetween, changesNothing, NO_ENTRIES, takingAgain } from '../journal/index-changes.ts';
import type { IndexChanges, IndexEntries, ListMember } from '../journal/journal.ts';
import { type ClaimGroup, claimGroupOf } from './claim-state.ts';
import type { DeviceEvent } from './device.ts';
import type { Refusal } from './messages.ts';
import type { Device, DeviceState } from './state.ts';

const NAME_KEYS = 'device-name/';
const TRANSFER_KEYS = 'device-transfer/';

export const keys = {
  credentials: (credentialsId: CredentialsId) => `credentials/${credentialsId}`,
  /** Of one spelling of a name; a device takes those of all its `spellingsOf`. */
  name: (tenantId: TenantId, name: string) => `${NAME_KEYS}${tenantId}/${name}`,
  transfer: (id: TransferId) => `${TRANSFER_KEYS}${id}`,
};

/** What it means that another device holds a unique key. */
export function refusalOfTaken(key: string): Refusal {
  if (key.startsWith(NAME_KEYS)) return { reason: 'name-taken' };
  return { reason: key.startsWith(TRANSFER_KEYS) ? 'transfer-taken' : 'credentials-taken' };
}

export const lists = {
  byCreation: (tenantId: TenantId) => `devices/${tenantId}`,
  byName: (tenantId: TenantId) => `devices-by-name/${tenantId}`,
  /** Only devices that have a label. */
  byLabel: (tenantId: TenantId) => `devices-by-label/${tenantId}`,
  /** By type; within a type in the order of creation. */
  byType: (tenantId: TenantId) => `devices-by-type/${tenantId}`,
  ofCustomer: (customerId: CustomerId) => `customer-devices/${customerId}`,
  /** Devices that are offered to the customer. */
  offeredTo: (customerId: CustomerId) => `offered-devices/${customerId}`,
  /** Devices that are offered to an e-mail address; its digest is the tenant's own. */
  offeredToAddress: (addressDigest: SecretDigest) => `offered-devices-by-address/${addressDigest}`,
  /** Only devices that name the profile, not those that follow the tenant's default. */
  ofProfile: (profileId: ProfileId) => `profile-devices/${profileId}`,
  /** The tenant's devices that name no profile. */
  withoutProfile: (tenantId: TenantId) => `devices-without-profile/${tenantId}`,
  /** The devices that a gateway brought up. */
  viaGateway: (gateway: DeviceId) => `gateway-devices/${gateway}`,
  /** Each device of the tenant is in the list of one group. Opening a window changes none, so that it costs no key. */
  ofGroup: (tenantId: TenantId, group: ClaimGroup) => `${group}-devices/${tenantId}`,
  /** The devices of the group `keyed`, by the instant at which their key elapses. */
  byKeyExpiry: (tenantId: TenantId) => `keyed-devices-by-expiry/${tenantId}`,
};

/** A list member that sorts by name, whatever its case, and ends with the device's id. */
export function memberByName(name: string, id: DeviceId): string {
  return `${namePrefix(name)}${id}`;
}

/** The common prefix of all members of a name, whatever its case. */
export function namePrefix(name: string): string {
  return `${foldName(name)}\0`;
}

/** The common prefix of all members of a type. */
export function typePrefix(type: string): string {
  return `${type}\0`;
}

/** A name as it lies in lists, where case does not matter. */
export function foldName(name: string): string {
  return name.toLowerCase();
}

/** A folded text as it is searched for and in. */
export function searchedText(folded: string): string {
  return composed(folded);
}

const ID_LENGTH = 36;

/** The text before the id in a list member: a folded name or label, or a type. */
export function textOf(member: string): string {
  return member.slice(0, -ID_LENGTH - 1);
}

/** The device of a list member. */
export function deviceOf(member: string): DeviceId {
  return storedId(member.slice(-ID_LENGTH));
}

/** All index entries of a device. */
export function indexEntries(id: DeviceId, state: DeviceState): IndexEntries {
  if (state.status === 'absent') return NO_ENTRIES;
  return bothOf(describedEntries(id, state), heldEntries(id, state));
}

/** What `describedEntries` looks at. */
type Description = Pick<
  Device,
  'tenantId' | 'name' | 'label' | 'type' | 'credentials' | 'profileId' | 'viaGateway'
>;

/** Whether two states have the same `describedEntries`, which is so with most changes of owner. */
function isDescribedAlike(one: Description, other: Description): boolean {
  return (
    one.tenantId === other.tenantId &&
    one.name === other.name &&
    one.label === other.label &&
    one.type === other.type &&
    one.credentials === other.credentials &&
    one.profileId === other.profileId &&
    one.viaGateway === other.viaGateway
  );
}

/** The entries by what the device is, whoever has it. */
function describedEntries(id: DeviceId, device: Description): IndexEntries {
  const { tenantId, name, label, type, credentials, viaGateway } = device;
  const members = [
    { list: lists.byCreation(tenantId), member: id },
    { list: lists.byName(tenantId), member: memberByName(name, id) },
    { list: lists.byType(tenantId), member: `${typePrefix(type)}${id}` },
    ...profileEntries(id, device),
  ];
  if (label) members.push({ list: lists.byLabel(tenantId), member: memberByName(label, id) });
  if (viaGateway !== undefined) members.push({ list: lists.viaGateway(viaGateway), member: id });
  return { unique: [keys.credentials(credentials.credentialsId), ...nameKeys(tenantId, name)], members };
}

/** The entries by who has it, may claim it, or is to have it. */
function heldEntries(id: DeviceId, device: Device): IndexEntries {
  const { name, nextCredentials, owner, offer } = device;
  const byName = memberByName(name, id);
  const members = groupEntries(id, device);
  if (owner !== null) members.push({ list: lists.ofCustomer(owner.customerId), member: byName });
  const unique: string[] = [];
  // Found by both until the old ones end.
  if (nextCredentials !== undefined) unique.push(keys.credentials(nextCredentials.credentials.credentialsId));
  // A transfer is found by its id while it is offered, and after it for as long as its new owner has the device (H2).
  if (owner?.transferId !== undefined) unique.push(keys.transfer(owner.transferId));
  if (offer !== undefined) unique.push(keys.transfer(offer.transferId));
  if (offer?.to.type === 'customer' && offer.to.isNobody !== true) {
    members.push({ list: lists.offeredTo(offer.to.customerId), member: byName });
  }
  if (offer?.to.type === 'address') {
    members.push({ list: lists.offeredToAddress(offer.to.addressDigest), member: byName });
  }
  return { unique, members };
}

function bothOf(one: IndexEntries, other: IndexEntries): IndexEntries {
  return { unique: [...one.unique, ...other.unique], members: [...one.members, ...other.members] };
}

/** What differs between the entries of two states. */
function changesOf(id: DeviceId, before: DeviceState, after: DeviceState): IndexChanges {
  const isHeldOnly =
    before.status === 'provisioned' && after.status === 'provisioned' && isDescribedAlike(before, after);
  return isHeldOnly
    ? changesBetween(heldEntries(id, before), heldEntries(id, after))
    : changesBetween(indexEntries(id, before), indexEntries(id, after));
}

/** The entries that devices of older stores lack, until the background has made them (`fleet/claim-lists.ts`). */
export function laterEntries(id: DeviceId, device: Device): readonly ListMember[] {
  return [...groupEntries(id, device), ...(device.profileId ? [] : profileEntries(id, device))];
}

function profileEntries(
  id: DeviceId,
  { tenantId, profileId }: Pick<Device, 'tenantId' | 'profileId'>,
): readonly ListMember[] {
  return [{ list: profileId ? lists.ofProfile(profileId) : lists.withoutProfile(tenantId), member: id }];
}

/** The entries by which a device is found by its claim state. */
function groupEntries(id: DeviceId, device: Device): ListMember[] {
  const { tenantId, serverKey } = device;
  const group = claimGroupOf(device);
  const own = { list: lists.ofGroup(tenantId, group), member: id };
  if (group !== 'keyed' || serverKey === null) return [own];
  return [own, { list: lists.byKeyExpiry(tenantId), member: memberByInstant(serverKey.expiresAt, id) }];
}

function nameOf(state: DeviceState): string | undefined {
  return state.status === 'absent' ? undefined : state.name;
}

function groupsOf(stream: string, state: DeviceState): IndexEntries {
  if (state.status === 'absent') return NO_ENTRIES;
  return { unique: [], members: groupEntries(storedId<DeviceId>(stream), state) };
}

function nameKeysOf(state: DeviceState): readonly string[] {
  return state.status === 'absent' ? [] : nameKeys(state.tenantId, state.name);
}

function nameKeys(tenantId: TenantId, name: string): readonly string[] {
  return spellingsOf(name).map((spelling) => keys.name(tenantId, spelling));
}

/** What an event changes in the indexes; undefined for the frequent events, which change nothing. */
export function indexChanges(
  stream: string,
  before: DeviceState,
  event: DeviceEvent,
  after: DeviceState,
): IndexChanges | undefined {
  switch (event.type) {
    case 'ClaimWindowOpened':
    case 'ChallengeIssued':
    case 'ResetNoted':
    case 'ClaimWindowClosed':
    case 'ClaimWindowExpired':
    case 'TakeOverAsked':
    case 'TakeOverEnded':
    case 'ClaimWindowApproved':
    case 'CredentialsRead':
    case 'ClaimsRefused':
      return undefined;
    case 'AttributesSaved':
    case 'AttributesDeleted': {
      // Most attributes decide nothing.
      const changes = changesBetween(groupsOf(stream, before), groupsOf(stream, after));
      return changesNothing(changes) ? undefined : changes;
    }
    case 'DeviceProvisioned':
    case 'DeviceUpdated':
    case 'CredentialsChanged':
    case 'CredentialsRotated':
    case 'DeviceDeleted':
    case 'DeviceClaimed':
    case 'DeviceTakenOver':
    case 'DeviceReset':
    case 'DeviceReclaimed':
    case 'DeviceAssigned':
    case 'DeviceUnassigned':
    case 'DeviceOffered':
    case 'DeviceTransferred':
    case 'OfferDeclined':
    case 'OfferWithdrawn':
    case 'OfferExpired': {
      const id = storedId<DeviceId>(stream);
      const changes = changesOf(id, before, after);
      const isRenamed = event.type === 'DeviceUpdated' && nameOf(before) !== nameOf(after);
      return isRenamed ? takingAgain(changes, nameKeysOf(after)) : changes;
    }
    default:
      return unreachable(event);
  }
}
