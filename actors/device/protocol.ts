/**
 * The language of a device: its state, the commands it understands, the facts it records, the reasons it refuses.
 * Everybody who talks to a device talks in these types; nothing here knows how messages travel or are stored.
 *
 * All times are instants in milliseconds since the epoch; only `InitiateClaim.durationMs` is a duration.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, DeviceId, ProfileId, TenantId, UserId } from '../base/ids.ts';
import type { Json, JsonObject } from '../base/json.ts';

/** A keyed digest (HMAC) of a claim secret, base64url. The secret itself never comes this far (rule C9). */
export type SecretDigest = string;

// ---------------------------------------------------------------------------------------------------------- state

export type DeviceState = AbsentDevice | Device;

/** Never provisioned, or deleted. */
export interface AbsentDevice {
  readonly status: 'absent';
}

export interface Device {
  readonly status: 'provisioned';
  readonly tenantId: TenantId;
  readonly createdAt: Instant;
  readonly name: string;
  readonly type: string;
  readonly label: string | null;
  readonly additionalInfo: JsonObject | null;
  /** How the device talks (`../profiles.ts`); absent or null: as the tenant's default profile says. */
  readonly profileId?: ProfileId | null;
  readonly credentials: Credentials;
  readonly owner: Owner | null;
  readonly window: ClaimWindow | null;
  readonly serverKey: ServerKey | null;
  readonly attributes: Attributes;
}

/** How a device proves who it is. `credentialsId` is unique over the whole server. Made by `../credentials.ts`. */
export type Credentials = AccessToken | MqttBasic | X509Certificate;

export interface AccessToken {
  readonly type: 'ACCESS_TOKEN';
  readonly credentialsId: string;
}

/** What CONNECT must say; null: anything. At least one of `clientId` and `userName` is given. */
export interface MqttBasic {
  readonly type: 'MQTT_BASIC';
  readonly credentialsId: string;
  readonly clientId: string | null;
  readonly userName: string | null;
  /** Sealed for this device, as `ServerKey.sealedSecret` is: the tenant may read it back. */
  readonly sealedPassword: string | null;
}

export interface X509Certificate {
  readonly type: 'X509_CERTIFICATE';
  readonly credentialsId: string;
  /** Base64 of the DER, without line breaks. */
  readonly certificate: string;
}

export interface Owner {
  readonly customerId: CustomerId;
  readonly since: Instant;
  /** How it came to be owned: by a customer's confirmation, or assigned by the tenant. */
  readonly by: 'claim' | 'assignment';
}

/** Open from `openedAt` until just before `closesAt`, whatever any timer says (rule C8). */
export interface ClaimWindow {
  readonly secretDigest: SecretDigest;
  readonly openedAt: Instant;
  readonly closesAt: Instant;
  readonly openedBy: 'device' | 'gateway';
}

/** The attribute `claimingData`: a key set by the tenant (rule C3). Its secret is kept sealed, see `secret.ts`. */
export interface ServerKey {
  readonly secretDigest: SecretDigest;
  readonly sealedSecret: string;
  /** Works until just before this instant. */
  readonly expiresAt: Instant;
  readonly savedAt: Instant;
}

export type AttributeScope = 'SERVER_SCOPE' | 'SHARED_SCOPE';
export type Attributes = { readonly [Scope in AttributeScope]: { readonly [key: string]: Attribute } };

export interface Attribute {
  readonly value: Json;
  readonly savedAt: Instant;
}

/** The server attribute that allows (true) or forbids (false) claiming this device (rule O3). */
export const CLAIMING_ALLOWED = 'claimingAllowed';
/** The server attribute that holds a server-side key; kept as `Device.serverKey`, never among `attributes`. */
export const CLAIMING_DATA = 'claimingData';

// ------------------------------------------------------------------------------------------------------- commands

export type DeviceCommand =
  | ProvisionDevice
  | UpdateDevice
  | ChangeCredentials
  | DeleteDevice
  | InitiateClaim
  | ConfirmClaim
  | ReclaimDevice
  | AssignDevice
  | UnassignDevice
  | SaveAttributes
  | DeleteAttributes
  | ExpireClaimWindow;

/** Which user asks, for the audit trail; absent where no user does. */
interface Asked {
  readonly userId?: UserId;
}

export interface ProvisionDevice {
  readonly type: 'ProvisionDevice';
  readonly tenantId: TenantId;
  readonly name: string;
  readonly deviceType: string;
  readonly label: string | null;
  readonly additionalInfo: JsonObject | null;
  readonly profileId?: ProfileId | null;
  readonly credentials: Credentials;
  /** Born assigned, as a gateway's devices are when the gateway itself has an owner. */
  readonly customerId: CustomerId | null;
}

/** Replaces the descriptive fields; ownership, window and credentials stay. */
export interface UpdateDevice extends Asked {
  readonly type: 'UpdateDevice';
  readonly tenantId: TenantId;
  /** Set when a customer asks: only the owner may. */
  readonly customerId: CustomerId | null;
  readonly name: string;
  readonly deviceType: string;
  readonly label: string | null;
  readonly additionalInfo: JsonObject | null;
  /** Absent: stays as it is. */
  readonly profileId?: ProfileId | null;
}

export interface ChangeCredentials extends Asked {
  readonly type: 'ChangeCredentials';
  readonly tenantId: TenantId;
  readonly credentials: Credentials;
}

export interface DeleteDevice {
  readonly type: 'DeleteDevice';
  readonly tenantId: TenantId;
}

export interface InitiateClaim {
  readonly type: 'InitiateClaim';
  readonly openedBy: /** The device itself, having shown these credentials: refused when they are no longer the device's. */
    | { readonly type: 'device'; readonly credentialsId: string }
    | { readonly type: 'gateway'; readonly tenantId: TenantId };
  readonly secretDigest: SecretDigest;
  /** Milliseconds; 0 and negative mean the server's default (rule O1). */
  readonly durationMs: number;
}

export interface ConfirmClaim {
  readonly type: 'ConfirmClaim';
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
  readonly userId: UserId;
  readonly secretDigest: SecretDigest;
}

export interface ReclaimDevice {
  readonly type: 'ReclaimDevice';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** The customer who gives its own device back, or null when the tenant's administrator takes it back. */
  readonly customerId: CustomerId | null;
}

export interface AssignDevice {
  readonly type: 'AssignDevice';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly customerId: CustomerId;
}

export interface UnassignDevice {
  readonly type: 'UnassignDevice';
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** Unassign only from this customer; null: from whoever it is. */
  readonly customerId: CustomerId | null;
}

export interface SaveAttributes extends Asked {
  readonly type: 'SaveAttributes';
  readonly tenantId: TenantId;
  /** Set when a customer asks: only the owner may. */
  readonly customerId: CustomerId | null;
  readonly scope: AttributeScope;
  readonly values: { readonly [key: string]: Json };
  /** `claimingData`, already digested and sealed; undefined: not among the attributes saved. SERVER_SCOPE only. */
  readonly serverKey?: Omit<ServerKey, 'savedAt'>;
}

export interface DeleteAttributes extends Asked {
  readonly type: 'DeleteAttributes';
  readonly tenantId: TenantId;
  /** Set when a customer asks: only the owner may. */
  readonly customerId: CustomerId | null;
  readonly scope: AttributeScope;
  readonly keys: readonly string[];
}

/** Sent by the alarms alone, at or after the window's last instant; too early or stale it does nothing. */
export interface ExpireClaimWindow {
  readonly type: 'ExpireClaimWindow';
}

// --------------------------------------------------------------------------------------------------------- events

export type DeviceEvent =
  | DeviceProvisioned
  | DeviceUpdated
  | CredentialsChanged
  | DeviceDeleted
  | ClaimWindowOpened
  | ClaimWindowClosed
  | ClaimWindowExpired
  | DeviceClaimed
  | DeviceReclaimed
  | DeviceAssigned
  | DeviceUnassigned
  | AttributesSaved
  | AttributesDeleted;

interface Fact<Type extends string> {
  readonly type: Type;
  readonly at: Instant;
}

/** Which user did it, and for which customer if for one; both absent in older records, and where no user did. */
interface Done<Type extends string> extends Fact<Type> {
  readonly userId?: UserId;
  readonly customerId?: CustomerId;
}

export interface DeviceProvisioned extends Fact<'DeviceProvisioned'> {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly deviceType: string;
  readonly label: string | null;
  readonly additionalInfo: JsonObject | null;
  /** Absent, as in records older than profiles: the tenant's default. */
  readonly profileId?: ProfileId | null;
  readonly credentials: Credentials;
  readonly customerId: CustomerId | null;
}

export interface DeviceUpdated extends Done<'DeviceUpdated'> {
  readonly name: string;
  readonly deviceType: string;
  readonly label: string | null;
  readonly additionalInfo: JsonObject | null;
  /** Absent: stays as it is. */
  readonly profileId?: ProfileId | null;
}

export interface CredentialsChanged extends Done<'CredentialsChanged'> {
  readonly credentials: Credentials;
}

/** Whose the device was and what it was called, for whoever reads of it when it is gone. Absent in older records. */
export interface DeviceDeleted extends Fact<'DeviceDeleted'> {
  readonly tenantId?: TenantId;
  readonly name?: string;
}

/** A new window, in place of the one that may have been open (rule O5). */
export interface ClaimWindowOpened extends Fact<'ClaimWindowOpened'> {
  readonly secretDigest: SecretDigest;
  readonly closesAt: Instant;
  readonly openedBy: 'device' | 'gateway';
}

/** Closed by the tenant's reclaim of a device that nobody owned (rule R2). */
export interface ClaimWindowClosed extends Fact<'ClaimWindowClosed'> {
  readonly userId: UserId;
}

export interface ClaimWindowExpired extends Fact<'ClaimWindowExpired'> {}

export interface DeviceClaimed extends Fact<'DeviceClaimed'> {
  readonly customerId: CustomerId;
  readonly userId: UserId;
  /** Whether the attribute `claimingAllowed` was used up by this claim (rule C4). */
  readonly claimingAllowedDeleted: boolean;
}

export interface DeviceReclaimed extends Fact<'DeviceReclaimed'> {
  readonly previousCustomerId: CustomerId;
  readonly userId: UserId;
  /** Whether the attribute `claimingAllowed` appeared again as true (rule R2). */
  readonly claimingAllowedRestored: boolean;
}

export interface DeviceAssigned extends Fact<'DeviceAssigned'> {
  readonly customerId: CustomerId;
  readonly previousCustomerId: CustomerId | null;
  readonly userId: UserId;
}

export interface DeviceUnassigned extends Fact<'DeviceUnassigned'> {
  readonly previousCustomerId: CustomerId;
  readonly userId: UserId;
  /** As in `DeviceReclaimed`: unassigning follows the same rules (R3). */
  readonly claimingAllowedRestored: boolean;
}

export interface AttributesSaved extends Done<'AttributesSaved'> {
  readonly scope: AttributeScope;
  readonly values: { readonly [key: string]: Json };
  readonly serverKey?: Omit<ServerKey, 'savedAt'>;
}

export interface AttributesDeleted extends Done<'AttributesDeleted'> {
  readonly scope: AttributeScope;
  readonly keys: readonly string[];
}

// ------------------------------------------------------------------------------------------------------- refusals

/** Why a device says no. What the caller is told may be coarser; that mapping lives at each edge. */
export type Refusal =
  | { readonly reason: 'unknown-device' }
  | { readonly reason: 'already-provisioned' }
  /** The credentials shown are no longer the device's: the session behind them is over. */
  | { readonly reason: 'credentials-revoked' }
  | { readonly reason: 'already-claimed' }
  | { readonly reason: 'claiming-not-allowed' }
  /** now + duration leaves the range of safe integers: treated like any malformed message (rule O4). */
  | { readonly reason: 'duration-out-of-range' }
  | { readonly reason: 'duration-too-long'; readonly maxDurationMs: number }
  /** Not the device's decision: it was not even asked (`../quota.ts`). */
  | { readonly reason: 'rate-limited'; readonly retryAfterMs: number }
  | { readonly reason: 'no-window' }
  | { readonly reason: 'window-elapsed' }
  | { readonly reason: 'wrong-secret' }
  | { readonly reason: 'not-owner' }
  | { readonly reason: 'not-assigned' }
  | { readonly reason: 'attributes-too-large'; readonly maxBytes: number }
  /** Another device holds the name within the tenant. */
  | { readonly reason: 'name-taken' }
  /** Another device, of any tenant, holds these credentials. */
  | { readonly reason: 'credentials-taken' };

export type RefusalReason = Refusal['reason'];

/** A device together with its id, as reads return it. */
export interface DeviceRecord extends Device {
  readonly id: DeviceId;
}
