/**
 * Device profiles: which transports serve a tenant's devices, what their payloads are, and which ownership rules they
 * follow. Entities, like accounts.
 *
 * Every tenant has a profile `default` from the start. Its id follows from the tenant's, and its record is written when
 * it is first read. A device that names no profile, or one that is gone, follows the tenant's default.
 */
import type { Clock, Instant } from '../base/clock.ts';
import { newId, type ProfileId, storedId, type TenantId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { findSpelling, spellingsOf } from '../base/spelling.ts';
import { createTtlCache } from '../base/ttl-cache.ts';
import { unreachable } from '../base/unreachable.ts';
import { type Bus, silentBus } from '../cluster/bus.ts';
import { lists } from '../device/indexes.ts';
import { DEFAULT_OWNERSHIP_RULES, type OwnershipRules } from '../device/ownership-rules.ts';
import { type Change, type Collection, createCollection, type Kind } from '../records/collection.ts';
import type { EntityQuery, Page } from '../records/pages.ts';
import { openRecords } from '../records/records.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';

type PayloadType = 'JSON' | 'PROTOBUF';

/** Which transports serve the profile's devices, and what their messages are. */
export type TransportConfiguration =
  /** Every transport; JSON. */
  | { readonly type: 'DEFAULT' }
  | {
      readonly type: 'MQTT';
      readonly payloadType: PayloadType;
      /** `enableCompatibilityWithJsonPayloadFormat`: what is not protobuf may be JSON. For PROTOBUF only. */
      readonly jsonCompatible: boolean;
      /** `sendAckOnValidationException`: a malformed message is acknowledged; before MQTT 5 it otherwise ends the session. */
      readonly ackMalformed: boolean;
    }
  | { readonly type: 'COAP'; readonly payloadType: PayloadType };

export interface ProfileFields {
  /** Unique within the tenant, exact match. */
  readonly name: string;
  readonly description: string | null;
  readonly transport: TransportConfiguration;
  /** What the profile says otherwise than the server's defaults; absent: nothing. */
  readonly ownership?: Partial<OwnershipRules>;
  /** The rest of what the tenant wrote. Kept and returned as it is; nothing here reads it. */
  readonly more: JsonObject | null;
}

export interface DeviceProfile extends ProfileFields {
  readonly id: ProfileId;
  readonly tenantId: TenantId;
  readonly createdAt: Instant;
  /** Counts the changes, from 1. */
  readonly version: number;
}

export type ProfileRefusal = 'not-found' | 'name-taken' | 'version-conflict' | 'is-default' | 'in-use';
type ProfileAnswer<Value> =
  | { readonly type: 'done'; readonly value: Value }
  | { readonly type: 'refused'; readonly reason: ProfileRefusal };

/** How a device's payloads are read. */
export type PayloadFormat = 'JSON' | 'PROTOBUF' | 'PROTOBUF_OR_JSON';
export interface PayloadRules {
  readonly format: PayloadFormat;
  /** Whether a malformed payload is acknowledged. */
  readonly ackMalformed: boolean;
}
export const PLAIN_JSON: PayloadRules = { format: 'JSON', ackMalformed: false };

/** Every call names the tenant: another tenant's profile is not found. All of it rejects with `StoreUnavailable`. */
export interface Profiles {
  create(tenantId: TenantId, fields: ProfileFields): Promise<ProfileAnswer<DeviceProfile>>;
  /** Replaces the fields. With `version`: only if that is still the newest. */
  update(
    tenantId: TenantId,
    id: ProfileId,
    fields: ProfileFields,
    version?: number,
  ): Promise<ProfileAnswer<DeviceProfile>>;
  find(tenantId: TenantId, id: ProfileId): Promise<DeviceProfile | undefined>;
  findByName(tenantId: TenantId, name: string): Promise<DeviceProfile | undefined>;
  list(tenantId: TenantId, query: EntityQuery): Promise<Page<DeviceProfile>>;
  /** Of all, in the order of their names, without what is kept in them. */
  names(tenantId: TenantId): Promise<readonly Pick<DeviceProfile, 'id' | 'name'>[]>;
  /** The tenant's default. */
  default(tenantId: TenantId): Promise<DeviceProfile>;
  /** The default's id. Remembered for a short time, so that it costs a claim nothing. */
  defaultIdOf(tenantId: TenantId): ProfileId | Promise<ProfileId>;
  makeDefault(tenantId: TenantId, id: ProfileId): Promise<ProfileAnswer<DeviceProfile>>;
  /** Refused for the default, and while devices name the profile. */
  remove(tenantId: TenantId, id: ProfileId): Promise<ProfileAnswer<void>>;
  /** Removes all profiles of a tenant that is being deleted. If it fails, calling it again continues. */
  forgetTenant(tenantId: TenantId): Promise<void>;
  /** How a device's payloads are read on a transport; undefined: its profile is for another transport. */
  payloadRules(device: ProfileHolder, transport: 'MQTT' | 'COAP'): Promise<PayloadRules | undefined>;
  /** The ownership rules of a device. Remembered for a short time, so that they cost a claim nothing. */
  ownershipOf(device: ProfileHolder): OwnershipRules | Promise<OwnershipRules>;
}

/** What a device's profile is found by; every device record has it. */
interface ProfileHolder {
  readonly tenantId: TenantId;
  readonly profileId?: ProfileId | null;
}

/** Looks at a default that others change meanwhile. */
const TRIES_MAX = 20;

const profilesOf = (tenantId: TenantId) => `device-profiles/${tenantId}`;
const nameKey = (tenantId: TenantId, name: string) => `device-profile-name/${tenantId}/${name}`;

const profileKind: Kind<DeviceProfile> = {
  name: 'device-profile',
  keys: ({ tenantId, name }) => spellingsOf(name).map((spelling) => nameKey(tenantId, spelling)),
  lists: ({ tenantId }) => [profilesOf(tenantId)],
  title: ({ name }) => name,
};

/** The id of the tenant's first profile: the tenant's own id as a UUID of version 8 (RFC 9562 §5.8). */
export function firstProfileOf(tenantId: TenantId): ProfileId {
  const versionDigit = 14;
  return storedId(`${tenantId.slice(0, versionDigit)}8${tenantId.slice(versionDigit + 1)}`);
}

export interface ProfileSettings {
  /** How long a profile is believed without another look. A change shows earlier, unless its message is lost. */
  readonly ttlMs: number;
  /** How many profiles are remembered so. */
  readonly rememberedMax: number;
}

/** How many profiles are removed between two reads of their list. */
const REMOVAL_BATCH = 100;

const PROFILES_CHANGED = 'profiles-changed';

export const PROFILE_DEFAULTS: ProfileSettings = { ttlMs: 2_000, rememberedMax: 10_000 };

export function createProfiles(
  store: Store,
  clock: Clock,
  { ttlMs, rememberedMax }: ProfileSettings = PROFILE_DEFAULTS,
  bus: Bus = silentBus,
  ownership: OwnershipRules = DEFAULT_OWNERSHIP_RULES,
): Profiles {
  const rows = createCollection(store, profileKind);
  const defaults = createDefaults(store, rows, clock);
  const defaultIds = createTtlCache<TenantId, ProfileId>(clock, ttlMs, rememberedMax);
  const transports = createTtlCache<ProfileId | TenantId, TransportConfiguration>(
    clock,
    ttlMs,
    rememberedMax,
  );
  const ownerships = createTtlCache<ProfileId | TenantId, OwnershipRules>(clock, ttlMs, rememberedMax);

  bus.subscribe(PROFILES_CHANGED, forget);

  function forget(): void {
    defaultIds.clear();
    transports.clear();
    ownerships.clear();
  }

  function changed(): void {
    forget();
    bus.publish(PROFILES_CHANGED, {});
  }

  async function find(tenantId: TenantId, id: ProfileId): Promise<DeviceProfile | undefined> {
    if (id === firstProfileOf(tenantId)) await defaults.of(tenantId); // creates it if need be
    const row = await rows.find(id);
    return row?.tenantId === tenantId ? row : undefined;
  }

  async function profileOf({ tenantId, profileId }: ProfileHolder): Promise<DeviceProfile> {
    const named = profileId ? await find(tenantId, profileId) : undefined;
    return named ?? (await defaults.of(tenantId));
  }

  return {
    find,

    async create(tenantId, fields) {
      await defaults.of(tenantId);
      const at = clock.now();
      const row: DeviceProfile = { id: newId<ProfileId>(at), tenantId, createdAt: at, version: 1, ...fields };
      return (await rows.create(row)) ? done(row) : refused('name-taken');
    },

    async update(tenantId, id, fields, version) {
      if ((await find(tenantId, id)) === undefined) return refused('not-found');
      const change = await rows.change(id, (row) => ({ ...row, ...fields }), version);
      changed();
      return answerOf(change);
    },

    async findByName(tenantId, name) {
      await defaults.of(tenantId);
      return findSpelling(name, (spelling) => rows.findByKey(nameKey(tenantId, spelling)));
    },

    async list(tenantId, query) {
      await defaults.of(tenantId);
      return rows.page(profilesOf(tenantId), query);
    },

    async names(tenantId) {
      await defaults.of(tenantId);
      const found: Pick<DeviceProfile, 'id' | 'name'>[] = [];
      for await (const { id, name } of rows.each(profilesOf(tenantId))) found.push({ id, name });
      return found.sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
    },

    default: defaults.of,

    defaultIdOf: (tenantId) => defaultIds.get(tenantId, async () => (await defaults.of(tenantId)).id),

    async makeDefault(tenantId, id) {
      const row = await find(tenantId, id);
      if (row === undefined) return refused('not-found');
      await defaults.choose(tenantId, id);
      changed();
      return done(row);
    },

    async remove(tenantId, id) {
      if ((await find(tenantId, id)) === undefined) return refused('not-found');
      if ((await defaults.of(tenantId)).id === id) return refused('is-default');
      if ((await store.index.count(lists.ofProfile(id))) > 0) return refused('in-use');
      await rows.remove(id);
      changed();
      return done(undefined);
    },

    async forgetTenant(tenantId) {
      await removeAll(rows, tenantId);
      await defaults.forget(tenantId);
      changed();
    },

    async payloadRules(device, transport) {
      const key = device.profileId ?? device.tenantId;
      return rulesOf(await transports.get(key, async () => (await profileOf(device)).transport), transport);
    },

    ownershipOf(device) {
      const key = device.profileId ?? device.tenantId;
      return ownerships.get(key, async () => ({ ...ownership, ...(await profileOf(device)).ownership }));
    },
  };
}

/** Which profile is each tenant's default. */
interface Defaults {
  /** Creates the tenant's first profile if need be. */
  readonly of: (tenantId: TenantId) => Promise<DeviceProfile>;
  choose(tenantId: TenantId, id: ProfileId): Promise<void>;
  forget(tenantId: TenantId): Promise<void>;
}

function createDefaults(store: Store, rows: Collection<DeviceProfile>, clock: Clock): Defaults {
  /** No record where nobody asked for the default yet. */
  const defaults = openRecords<{ readonly id: ProfileId }>(store, 'default-device-profile');

  async function of(tenantId: TenantId): Promise<DeviceProfile> {
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const chosen = await defaults.get(tenantId);
      const row = chosen === undefined ? undefined : await rows.find(chosen.id);
      if (row !== undefined) return row;
      await chooseFirst(tenantId, chosen?.id);
    }
    throw new StoreUnavailable(store.name, 'the default profile changes all the time');
  }

  /**
   * Makes the tenant's first profile its default, and creates it if need be. Two processes at once create the same one: the
   * first write counts. Where another profile has its name by now, that one becomes the default.
   * @param gone the id of a default whose profile was removed
   */
  async function chooseFirst(tenantId: TenantId, gone: ProfileId | undefined): Promise<void> {
    const first: DeviceProfile = {
      id: firstProfileOf(tenantId),
      tenantId,
      createdAt: clock.now(),
      version: 1,
      name: 'default',
      description: 'Default device profile',
      transport: { type: 'DEFAULT' },
      more: null,
    };
    const isThere = (await rows.find(first.id)) !== undefined || (await rows.create(first));
    const made = isThere ? first : await rows.findByKey(nameKey(tenantId, first.name));
    if (made === undefined) return; // it is there by now, or its name is free again
    await defaults.update(tenantId, (now) => (now === undefined || now.id === gone ? { id: made.id } : now));
  }

  return {
    of,
    choose: (tenantId, id) => defaults.put(tenantId, { id }),
    async forget(tenantId) {
      await defaults.remove(tenantId);
    },
  };
}

async function removeAll(rows: Collection<DeviceProfile>, tenantId: TenantId): Promise<void> {
  for (;;) {
    const some = await rows.first(profilesOf(tenantId), REMOVAL_BATCH);
    if (some.length === 0) return;
    for (const { id } of some) await rows.remove(id);
  }
}

function answerOf(change: Change<DeviceProfile>): ProfileAnswer<DeviceProfile> {
  switch (change.type) {
    case 'done':
      return done(change.entity);
    case 'taken':
      return refused('name-taken');
    case 'conflict':
      return refused('version-conflict');
    case 'not-found':
      return refused('not-found');
    default:
      return unreachable(change);
  }
}

function rulesOf(
  configuration: TransportConfiguration,
  transport: 'MQTT' | 'COAP',
): PayloadRules | undefined {
  if (configuration.type === 'DEFAULT') return PLAIN_JSON;
  if (configuration.type !== transport) return undefined;
  const { payloadType } = configuration;
  if (configuration.type === 'COAP') return { format: payloadType, ackMalformed: false };
  const { jsonCompatible, ackMalformed } = configuration;
  return {
    format: payloadType === 'PROTOBUF' && jsonCompatible ? 'PROTOBUF_OR_JSON' : payloadType,
    ackMalformed,
  };
}

function done<Value>(value: Value): ProfileAnswer<Value> {
  return { type: 'done', value };
}

function refused(reason: ProfileRefusal): { readonly type: 'refused'; readonly reason: ProfileRefusal } {
  return { type: 'refused', reason };
}
