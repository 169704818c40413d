/**
 * The port through which everybody else reaches devices: transports, the REST layer, the alarms.
 *
 * Commands go to the device's actor, one at a time per device, and are answered when their change is durable. Reads come
 * from the newest durable head and wake no actor.
 */
import type { CustomerId, DeviceId, ProfileId, TenantId, TransferId } from '../base/ids.ts';
import type { CredentialsId, SecretDigest } from '../base/secret.ts';
import type { DeviceCommand, DeviceEvent } from '../device/device.ts';
import type { Refusal } from '../device/messages.ts';
import type { DeviceRecord, DeviceState } from '../device/state.ts';
import type { Page } from '../records/pages.ts';
import type { Answer } from '../runtime/decider.ts';
import type { StateAt } from './claim-states.ts';

export type { Page } from '../records/pages.ts';

export type DeviceAnswer = Answer<DeviceState, Refusal>;

export interface Devices {
  /** Never rejects: faults are answers too. */
  ask(id: DeviceId, command: DeviceCommand): Promise<DeviceAnswer>;
  /** The device as it is now, or undefined. Rejects with `StoreUnavailable`. */
  read(id: DeviceId): Promise<DeviceRecord | undefined>;
}

/** Hears of every event of this process once it is durable. If it throws, that is logged and no claim fails. */
export type DeviceListener = (
  id: DeviceId,
  event: DeviceEvent,
  state: DeviceState,
  before: DeviceState,
) => void;

/** Finds devices by what people and devices know of them. Everything may reject with `StoreUnavailable`, and nothing else. */
export interface Directory {
  /** Which device holds these credentials, or is to have them (O9). Exact match, case-sensitive. */
  byCredentials(credentialsId: CredentialsId): Promise<DeviceRecord | undefined>;
  /** The same, as much of it as a door needs to let it in: at once where that was looked up before and is so still. */
  holderOf(credentialsId: CredentialsId): CredentialsHolder | Promise<CredentialsHolder | undefined>;
  /** The id of the tenant's device of this name. Enough for a command, since the device checks the rest itself. */
  idOf(tenantId: TenantId, name: string): Promise<DeviceId | undefined>;
  /** The id of the tenant's device whose name is this one but for case; undefined where none is, or more than one. */
  idOfTyped(tenantId: TenantId, name: string): Promise<DeviceId | undefined>;
  /** Which device of the tenant has this name. Case-sensitive, in whichever spelling (`base/spelling.ts`). */
  byName(tenantId: TenantId, name: string): Promise<DeviceRecord | undefined>;
  /** The tenant's devices; of their attributes `claimingAllowed` alone, as in all lists. */
  ofTenant(tenantId: TenantId, query: ListQuery): Promise<Page<DeviceRecord>>;
  /** The types of the tenant's devices, in order. */
  typesOf(tenantId: TenantId, atMost: number): Promise<readonly string[]>;
  /** The device that is offered, or that came to its owner, by this transfer. Enough for a command, likewise. */
  ofTransfer(id: TransferId): Promise<DeviceId | undefined>;
  /** The devices that are offered to a customer, and those to an address by its digest; at most a hundred of each. */
  offeredTo(tenantId: TenantId, to: OfferedToWhom): Promise<readonly DeviceRecord[]>;
  /** The devices that the customer owns. Pass the tenant: a customer of another tenant owns nothing of it. */
  ofCustomer(tenantId: TenantId, customerId: CustomerId, query: ListQuery): Promise<Page<DeviceRecord>>;
}

/** A device as it is known by its credentials. Of what an event may change without writing its details there is nothing. */
export interface CredentialsHolder
  extends Pick<DeviceRecord, 'id' | 'tenantId' | 'credentials' | 'nextCredentials'> {
  readonly profileId: ProfileId | null;
  readonly isGateway: boolean;
}

interface OfferedToWhom {
  readonly customerId: CustomerId;
  /** Of one address; more than one while the server's key is changed. */
  readonly addressDigests: readonly SecretDigest[];
}

/** Which devices are connected. */
export interface Presence {
  /** Whether the device has a session now; for sessions of other processes, as far as this one has heard. */
  isConnected(id: DeviceId): boolean;
}

export interface ListQuery {
  /** Counted from 0. */
  readonly page: number;
  /** At least 1. */
  readonly pageSize: number;
  /** Case-insensitive: contained in the name or the label. In long lists matches at the beginning win (`search.ts`). */
  readonly textSearch?: string;
  readonly type?: string;
  /** The profile that the device names. */
  readonly profileId?: ProfileId;
  /** With `profileId`: whether devices that name none are listed too, because it is the tenant's default. */
  readonly orNoProfile?: boolean;
  /** Another filter, by the id alone. */
  readonly where?: (id: DeviceId) => boolean;
  /** Only devices that have this claim state at this instant. */
  readonly claimState?: StateAt;
  /** Goes on behind this place, which an earlier answer gave as `next`, in the same order; pages are counted from there. */
  readonly after?: string;
  /** Whether a search goes on for longer until the page is full: who counts pages knows no place to go on from. */
  readonly untilFull?: boolean;
  readonly sortProperty?: 'createdTime' | 'name';
  readonly sortOrder?: 'ASC' | 'DESC';
}
