/**
 * What a device is: its record, and the questions that its record answers by itself.
 *
 * All times are instants in milliseconds since the epoch; no duration is ever stored.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, DeviceId, ProfileId, TenantId, TransferId, UserId } from '../base/ids.ts';
import type { Json, JsonObject } from '../base/json.ts';
import type { CredentialsId, SecretDigest } from '../base/secret.ts';
import type { TraceText } from '../base/tracing.ts';
import type { Evidence, GivenAttributes, Handover, InEpoch } from './messages.ts';

export type DeviceState = AbsentDevice | Device;

/** Never provisioned, or deleted. */
export interface AbsentDevice {
  readonly status: 'absent';
}

export const absentDevice: AbsentDevice = { status: 'absent' };

export interface Device {
  readonly status: 'provisioned';
  readonly tenantId: TenantId;
  readonly createdAt: Instant;
  readonly name: string;
  readonly type: string;
  readonly label: string | null;
  readonly additionalInfo: JsonObject | null;
  /** Which profile says how the device talks; absent or null: the tenant's default profile. */
  readonly profileId?: ProfileId | null;
  readonly credentials: Credentials;
  /** What its credentials will be: from their first use on, or when their time is up (O9). */
  readonly nextCredentials?: NextCredentials;
  /** Somebody else may know the credentials: a window that they open waits for the tenant's approval (O9). */
  readonly quarantined?: true;
  /** A customer has read the newest credentials. */
  readonly credentialsRead?: true;
  readonly owner: Owner | null;
  /** The gateway that brought the device up (O8); absent: none did. */
  readonly viaGateway?: DeviceId;
  /** The owner epoch in which the tenant last set the credentials; absent: 0. */
  readonly credentialsEpoch?: number;
  /** How often the owner has changed (R5); absent: never since epochs are counted. */
  readonly ownerEpoch?: number;
  /** To whom the owner offers it; absent: to nobody. */
  readonly offer?: Offer;
  /** Of a device that somebody owns: opened by the device itself, for a take-over (O2). */
  readonly window: ClaimWindow | null;
  /** A window that waits for the tenant's approval: with its secret nothing can be claimed. */
  readonly pendingWindow?: ClaimWindow;
  readonly serverKey: ServerKey | null;
  readonly attributes: Attributes;
  /** What the tenant had where a customer wrote or deleted since: it comes back when the owner changes (R4). */
  readonly tenantAttributes?: Attributes;
  /** The same for the description. */
  readonly tenantDescription?: Pick<Device, 'label' | 'additionalInfo'>;
  /** Changes of owner, the newest last and without the one that made the present owner (R6); absent: none of them. */
  readonly handovers?: readonly Handover[];
  /** Those after them: few, so that giving a device back writes little. They are added to the others together. */
  readonly recentHandovers?: readonly Handover[];
  /** Challenges that the device may sign (C11); absent: there is none, not even an elapsed one. */
  readonly challenges?: readonly Challenge[];
  /** Somebody wants the device, and its owner may object (N2). */
  readonly takeOver?: TakeOver;
  /** When the device last told of a reset that was carried out, owned or not (N5); absent: never. */
  readonly lastResetAt?: Instant;
}

/** A device together with its id, as reads return it. */
export interface DeviceRecord extends Device {
  readonly id: DeviceId;
}

export const CREDENTIALS_TYPES = [
  'ACCESS_TOKEN',
  'MQTT_BASIC',
  'X509_CERTIFICATE',
] as const satisfies readonly Credentials['type'][];

/**
 * How a device proves who it is (`fleet/credentials.ts`). `credentialsId` is unique over the whole server: a keyed digest of
 * what the device shows, so that nobody can act as the device who merely reads this.
 */
export type Credentials = AccessToken | MqttBasic | X509Certificate;

/** Those that replace the present ones, which until then can do nothing but fetch these. */
export interface NextCredentials {
  readonly credentials: Credentials;
  /** The present ones work until just before this instant. */
  readonly until: Instant;
}

export interface AccessToken {
  readonly type: 'ACCESS_TOKEN';
  readonly credentialsId: CredentialsId;
  /** Sealed for this device: the tenant may read it. */
  readonly sealedToken: string;
}

/** What CONNECT must contain; null: anything will do. At least one of `clientId` and `userName` is set. */
export interface MqttBasic {
  readonly type: 'MQTT_BASIC';
  readonly credentialsId: CredentialsId;
  readonly clientId: string | null;
  readonly userName: string | null;
  /** Sealed for this device: the tenant may read it. */
  readonly sealedPassword: string | null;
}

export interface X509Certificate {
  readonly type: 'X509_CERTIFICATE';
  readonly credentialsId: CredentialsId;
  /** Base64 of the DER, without line breaks. */
  readonly certificate: string;
}

export interface Owner {
  readonly customerId: CustomerId;
  readonly since: Instant;
  /** How the customer became the owner: by a claim of its own, assigned by the tenant, or from the owner before it. */
  readonly by: 'claim' | 'assignment' | 'transfer' | 'take-over';
  /** By what, where `by` does not say it; absent in older records too. */
  readonly evidence?: Evidence;
  /** Of `transfer`: by which one, for who asks again whether it succeeded. */
  readonly transferId?: TransferId;
}

/** The owner that an assignment makes. */
export function assignedTo(customerId: CustomerId, since: Instant): Owner {
  return { customerId, since, by: 'assignment' };
}

/** A nonce that a customer got, to be signed by the device. One per customer; a change of owner ends them all. */
interface Challenge {
  readonly customerId: CustomerId;
  readonly nonceDigest: SecretDigest;
  /** It works until just before this instant. */
  readonly expiresAt: Instant;
}

/** Open from `openedAt` until just before `closesAt`, whatever any timer says (C8). */
export interface ClaimWindow {
  readonly secretDigest: SecretDigest;
  readonly openedAt: Instant;
  readonly closesAt: Instant;
  readonly openedBy: 'device' | 'gateway';
  /** The gateway that opened it, where a customer owned or had owned that one: the window ends with that epoch (O9). */
  readonly gateway?: OwnedGateway;
  /** When the message arrived that asked for it, where that was before `openedAt` (O5). */
  readonly arrivedAt?: Instant;
  /** Of what opened it: what becomes of the window is a part of the same trace. */
  readonly trace?: TraceText;
}

/** A gateway in one of its owner epochs: what it was granted ends with the epoch (O9). */
export interface OwnedGateway {
  readonly id: DeviceId;
  readonly ownerEpoch: number;
}

/** A device that its owner offers to somebody: open until just before `expiresAt`, whatever any timer says (H4). */
export interface Offer {
  readonly transferId: TransferId;
  readonly to: OfferedTo;
  readonly offeredAt: Instant;
  readonly expiresAt: Instant;
}

/** For whom an offer is (H3). Codes and addresses are kept as keyed digests. */
export type OfferedTo =
  /** `isNobody`: the tenant has no such customer. Whoever offers is not told, and no list has the offer. */
  | { readonly type: 'customer'; readonly customerId: CustomerId; readonly isNobody?: true }
  /** The address is sealed too, for the owner to read again. */
  | { readonly type: 'address'; readonly addressDigest: SecretDigest; readonly sealedAddress: string }
  | { readonly type: 'code'; readonly codeDigest: SecretDigest };

/** A take-over that was asked for: it happens at `dueAt`, unless it is ended before. */
export interface TakeOver extends GivenAttributes {
  /** Who wants the device, and which of its users asked. */
  readonly customerId: CustomerId;
  readonly userId: UserId;
  /** The administrator who looked in as that user, if one did. */
  readonly impersonatorId?: UserId;
  readonly askedAt: Instant;
  readonly dueAt: Instant;
  /** The owner epoch in which it was asked for; in any other it does not happen. */
  readonly inEpoch: number;
}

/** The attribute `claimingData`: a key set by the tenant (C3). Its secret is kept sealed, see `base/secret.ts`. */
export interface ServerKey {
  readonly secretDigest: SecretDigest;
  readonly sealedSecret: string;
  /** The key works until just before this instant. */
  readonly expiresAt: Instant;
  readonly savedAt: Instant;
}

export type AttributeScope = 'SERVER_SCOPE' | 'SHARED_SCOPE';
export type Attributes = { readonly [Scope in AttributeScope]: { readonly [key: string]: Attribute } };

export interface Attribute {
  readonly value: Json;
  readonly savedAt: Instant;
  /** The owner's: its users wrote it, or it was given with the claim (C12). It goes with the owner (R4). */
  readonly byCustomer?: true;
}

/** The server attribute that allows (true) or forbids (false) claiming this device (O3). */
export const CLAIMING_ALLOWED = 'claimingAllowed';
/** The server attribute with the public key by which the device signs proofs (C11), as a JWK. */
export const CLAIM_PUBLIC_KEY = 'claimPublicKey';
/** The server attribute that holds a server-side key; kept as `Device.serverKey`, never among `attributes`. */
export const CLAIMING_DATA = 'claimingData';
/** The server attributes that decide how the device is claimed: only the tenant writes them. */
export const STEERING: readonly string[] = [CLAIMING_DATA, CLAIMING_ALLOWED, CLAIM_PUBLIC_KEY];

export function steersClaiming(key: string): boolean {
  return STEERING.includes(key);
}

/** The window, if it is open at this instant (C8); an elapsed one may still be in the record. */
export function openWindow({ window }: Pick<Device, 'window'>, at: Instant): ClaimWindow | null {
  return window !== null && at < window.closesAt ? window : null;
}

/** The offer, if it stands at this instant (H4). */
export function openOffer({ offer }: Pick<Device, 'offer'>, at: Instant): Offer | null {
  return offer !== undefined && at < offer.expiresAt ? offer : null;
}
/** When something of the device is due: the alarms then wake it with `ExpireDue`. Null: nothing is. */
export function dueAt({ window, offer, takeOver, pendingWindow, nextCredentials }: Device): Instant | null {
  let first = window?.closesAt ?? null;
  if (offer !== undefined) first = earlier(first, offer.expiresAt);
  if (takeOver !== undefined) first = earlier(first, takeOver.dueAt);
  if (pendingWindow !== undefined) first = earlier(first, pendingWindow.closesAt);
  if (nextCredentials !== undefined) first = earlier(first, nextCredentials.until);
  return first;
}

function earlier(one: Instant | null, other: Instant): Instant {
  return one === null ? other : Math.min(one, other);
}

/** What the attribute `claimingAllowed` says. Only a boolean counts: the text "true" says nothing (O3). */
export function claimingAttribute({ attributes }: Pick<Device, 'attributes'>): boolean | null {
  const value = attributes.SERVER_SCOPE[CLAIMING_ALLOWED]?.value;
  return typeof value === 'boolean' ? value : null;
}

/** Whether the tenant forbade claiming this device, whatever the server's default: windows and server keys do not count. */
export function isForbidden(device: Pick<Device, 'attributes'>): boolean {
  return claimingAttribute(device) === false;
}

/** Whether the device may open a window: its attribute decides, and without one the server's default (O3). */
export function mayBeClaimed(device: Pick<Device, 'attributes'>, allowedByDefault: boolean): boolean {
  return claimingAttribute(device) ?? allowedByDefault;
}

/** The owner epoch: one more with each change of owner (R5). */
export function ownerEpochOf({ ownerEpoch = 0 }: Pick<Device, 'ownerEpoch'>): number {
  return ownerEpoch;
}

export function nextEpoch(device: Pick<Device, 'ownerEpoch'>): number {
  return ownerEpochOf(device) + 1;
}

/** Whether a command holds in the owner epoch in which the device is (R5). */
export function isInEpoch(device: Pick<Device, 'ownerEpoch'>, { inEpochs }: InEpoch): boolean {
  return inEpochs === undefined || inEpochs.includes(ownerEpochOf(device));
}

export function isOwnedBy({ owner }: Pick<Device, 'owner'>, customerId: CustomerId): boolean {
  return owner !== null && owner.customerId === customerId;
}

/** Whether who asks may change the device: the tenant's administrator (null) always, a customer only if it owns it. */
export function mayWrite(device: Pick<Device, 'owner'>, customerId: CustomerId | null): boolean {
  return customerId === null || isOwnedBy(device, customerId);
}

export function withoutPending(device: Device): Device {
  if (device.pendingWindow === undefined) return device;
  const { pendingWindow: _gone, ...rest } = device;
  return rest;
}
