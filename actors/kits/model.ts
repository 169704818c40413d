/**
 * Kits (rules K1 to K6): a code on a box that claims all devices of an order. What one is, and what can be asked of it.
 *
 * A kit holds its devices, and what became of each, in one record: so it is split, revoked and claimed by one conditional
 * commit, and of two customers who show the code at once exactly one has it. Which devices it claims is then carried out in the
 * background (`runs.ts`), each by a decision of the device.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, DeviceId, KitId, TenantId, UserId } from '../base/ids.ts';
import type { SecretDigest } from '../base/secret.ts';
import type { RefusalReason } from '../device/messages.ts';
import type { EntityQuery, Page } from '../records/pages.ts';

/** Devices of one kit; its record holds them all. */
export const KIT_DEVICES_MAX = 1_000;
/** Kits of one tenant, those that are over too: with their devices they are some gigabytes on disk. */
export const KITS_MAX = 10_000;
/** A kit that has been over for so long makes room for a new one where there are as many as there may be. */
export const OVER_KEPT_MS = 30 * 86_400_000;

export interface KitDevice {
  readonly id: DeviceId;
  /** What it was called when it was put in. */
  readonly name: string;
  /** The owner epoch that it was in then: the kit claims it in no other (O9). */
  readonly epoch: number;
  readonly outcome: 'waiting' | 'claimed' | 'refused';
  /** Why it was left out. */
  readonly reason?: RefusalReason;
}

/** A device as it is put into a kit. */
export type PackedDevice = Pick<KitDevice, 'id' | 'name' | 'epoch'>;

export interface Kit {
  readonly id: KitId;
  /** Counts the changes, from 1. */
  readonly version: number;
  readonly tenantId: TenantId;
  readonly createdBy: UserId;
  readonly createdAt: Instant;
  /** For the tenant: an order, a room. */
  readonly label: string;
  /** Of the code, for the tenant. */
  readonly codeDigest: SecretDigest;
  /** The tenant may read the code again, to print it. */
  readonly sealedCode: string;
  /** It can be claimed until just before this instant. */
  readonly expiresAt: Instant;
  readonly state: 'open' | 'revoked' | 'claiming' | 'claimed';
  /** Who shows the code first has the kit, for ever. */
  readonly claim: (Omit<Claimant, 'tenantId'> & { readonly at: Instant }) | null;
  readonly devices: readonly KitDevice[];
  /** A kit that was split off and is not written yet: whoever meets it finishes that. */
  readonly part?: NewPart;
}

interface NewPart
  extends Pick<Kit, 'id' | 'label' | 'codeDigest' | 'sealedCode' | 'createdAt' | 'createdBy'> {
  readonly devices: readonly KitDevice[];
}

/** Told to the tenant, and to who shows the code of a kit. */
export const KIT_REASONS = [
  'kit-unknown',
  'kit-expired',
  'kit-revoked',
  'kit-claimed',
  'kit-too-large',
  'kit-empty',
  'kit-not-over',
  'too-many-kits',
] as const;
export type KitReason = (typeof KIT_REASONS)[number];

export type KitAnswer =
  | { readonly type: 'done'; readonly kit: Kit }
  | { readonly type: 'refused'; readonly reason: KitReason };

export interface NewKit {
  /** Given by who may ask twice; absent: a new one. */
  readonly id?: KitId;
  readonly label: string;
  readonly expiresAt: Instant;
}

export interface Claimant {
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
  readonly userId: UserId;
  /** The administrator who looked in as that user, if one did. */
  readonly impersonatorId?: UserId;
}

/** A page is read with the devices of its kits: it should be small. */
type KitQuery = Pick<EntityQuery, 'page' | 'pageSize' | 'sortOrder'>;

/** All of it rejects with `StoreUnavailable`. Another tenant's kit is `kit-unknown`. */
export interface Kits {
  create(
    tenantId: TenantId,
    userId: UserId,
    kit: NewKit,
    devices: readonly PackedDevice[],
  ): Promise<KitAnswer>;
  /** Puts devices into a kit that is made if it is not there; those that are in it already are left alone. */
  fill(
    tenantId: TenantId,
    userId: UserId,
    kit: NewKit & { readonly id: KitId },
    devices: readonly PackedDevice[],
  ): Promise<KitAnswer>;
  find(tenantId: TenantId, id: string): Promise<Kit | undefined>;
  /** The kits of a tenant, in the order of creation: a search would read them all, with their devices. */
  list(tenantId: TenantId, query: KitQuery): Promise<Page<Kit>>;
  /** Null when the server's key that sealed it has been dropped: then the code opens nothing either. */
  codeOf(kit: Kit): string | null;
  /** Takes devices out into a kit of their own, with a code of its own. Those that are not in it do not count. */
  split(
    tenantId: TenantId,
    userId: UserId,
    id: string,
    devices: ReadonlySet<DeviceId>,
    label: string,
  ): Promise<KitAnswer>;
  /** Its code opens nothing more. What it claimed before stays claimed. */
  revoke(tenantId: TenantId, id: string): Promise<KitAnswer>;
  /** Deletes a kit that is over (revoked, expired, or claimed and carried out). Then its code is as one that never was. */
  forget(tenantId: TenantId, id: string): Promise<KitAnswer>;
  /** Whoever shows the code first has the kit. Shown again by the same customer, it is the same answer. */
  claim(who: Claimant, code: string): Promise<KitAnswer>;
  /** Goes on with what was under way when the process ended. */
  resume(): Promise<void>;
  /** Goes on with what no process works at: its run failed, or its process is gone. To be called from time to time. */
  takeOver(): Promise<void>;
  stop(): Promise<void>;
}
