/**
 * Device profiles: how the devices of a tenant talk. Entities, like accounts.
 *
 * Every tenant has one from its beginning, `default`, whose id is the tenant's own with another version number
 * (8, RFC 9562 §5.8); its record is written when it is first looked at. A device that names no profile, or one that
 * is gone, follows the tenant's default.
 */

import type { Clock, Instant } from '../base/clock.ts';
import { newId, type ProfileId, type TenantId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { unreachable } from '../base/unreachable.ts';
import { type Bus, silentBus } from '../cluster/bus.ts';
import { lists } from '../device/indexes.ts';
import { createCollection, type Kind } from '../records/collection.ts';
import type { EntityQuery, Page } from '../records/pages.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';

export type PayloadType = 'JSON' | 'PROTOBUF';

/** Which transports serve the profile's devices, and what their messages are. */
export type TransportConfiguration =
  /** Every transport; JSON. */
  | { readonly type: 'DEFAULT' }
  | {
      readonly type: 'MQTT';
      readonly payloadType: PayloadType;
      /** `enableCompatibilityWithJsonPayloadFormat`: what is no protobuf may be JSON. For PROTOBUF only. */
      readonly jsonCompatible: boolean;
      /** `sendAckOnValidationException`: a malformed message is acknowledged; before MQTT 5 it would end the session. */
      readonly ackMalformed: boolean;
    }
  | { readonly type: 'COAP'; readonly payloadType: PayloadType };

export interface ProfileFields {
  /** Unique within the tenant, exact match. */
  readonly name: string;
  readonly description: string | null;
  readonly transport: TransportConfiguration;
  /** The rest of what the tenant wrote, to be given back as it was; nothing here reads it. */
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
export type ProfileAnswer<Value> =
  | { readonly type: 'done'; readonly value: Value }
  | { readonly type: 'refused'; readonly reason: ProfileRefusal };

/** How a device's messages are read. */
export type PayloadFormat = 'JSON' | 'PROTOBUF' | 'PROTOBUF_OR_JSON';
export interface Speech {
  readonly format: PayloadFormat;
  readonly ackMalformed: boolean;
}
export const PLAIN_SPEECH: Speech = { format: 'JSON', ackMalformed: false };

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
  /** The tenant's default. */
  default(tenantId: TenantId): Promise<DeviceProfile>;
  /** Its id: the profile of devices that name none. Remembered for a moment, so that it costs a claim nothing. */
  defaultIdOf(tenantId: TenantId): ProfileId | Promise<ProfileId>;
  makeDefault(tenantId: TenantId, id: ProfileId): Promise<ProfileAnswer<DeviceProfile>>;
  /** Refused for the default, and while devices name the profile. */
  remove(tenantId: TenantId, id: ProfileId): Promise<ProfileAnswer<void>>;
  /** Removes all profiles of a tenant that is being deleted. Broken off, asking again goes on where it ended. */
  forgetTenant(tenantId: TenantId): Promise<void>;
  /** How a device speaks on a transport; undefined: not at all, its profile is for another one. */
  speech(device: ProfileHolder, transport: 'MQTT' | 'COAP'): Promise<Speech | undefined>;
}

/** What tells a device's profile; every device record does. */
export interface ProfileHolder {
  readonly tenantId: TenantId;
  readonly profileId?: ProfileId | null;
}

const profilesOf = (tenantId: TenantId) => `device-profiles/${tenantId}`;
const nameKey = (tenantId: TenantId, name: string) => `device-profile-name/${tenantId}/${name}`;

const profileKind: Kind<DeviceProfile> = {
  name: 'device-profile',
  keys: ({ tenantId, name }) => [nameKey(tenantId, name)],
  lists: ({ tenantId }) => [profilesOf(tenantId)],
  title: ({ name }) => name,
};

/** The id of the profile that a tenant has from its beginning. */
export function firstProfileOf(tenantId: TenantId): ProfileId {
  const versionDigit = 14;
  return `${tenantId.slice(0, versionDigit)}8${tenantId.slice(versionDigit + 1)}` as ProfileId; // a UUID made of one
}

export interface ProfileSettings {
  /** For so long profiles and defaults are believed without looking again; changes show at once, unless a message is lost. */
  readonly speechTtlMs: number;
  /** Profiles remembered so. */
  readonly speechMax: number;
}

/** Profiles removed between two looks at the list. */
const REMOVAL_BATCH = 100;

const PROFILES_CHANGED = 'profiles-changed';

export const PROFILE_DEFAULTS: ProfileSettings = { speechTtlMs: 2_000, speechMax: 10_000 };

export function createProfiles(
  store: Store,
  clock: Clock,
  { speechTtlMs, speechMax }: ProfileSettings = PROFILE_DEFAULTS,
  bus: Bus = silentBus,
): Profiles {
  const rows = createCollection(store, profileKind);
  /** Which profile is each tenant's default, where it was ever asked. */
  const defaults = openRecords<{ readonly id: ProfileId }>(store, 'default-device-profile');
  const remembered = new Map<
    string,
    { readonly until: Instant; readonly transport: TransportConfiguration }
  >();

  /** Defaults as last looked at. */
  const defaultIds = new Map<TenantId, { readonly until: Instant; readonly id: ProfileId }>();

  /** A fleet that comes all at once looks once. */
  const lookups = new Map<string, Promise<TransportConfiguration>>();

  /** Counts the changes: what was looked up before one is not remembered after it. */
  let changes = 0;

  bus.subscribe(PROFILES_CHANGED, forget);

  function forget(): void {
    changes += 1;
    remembered.clear();
    defaultIds.clear();
    lookups.clear();
  }

  function changed(): void {
    forget();
    bus.publish(PROFILES_CHANGED, {});
  }

  async function lookUpDefaultId(tenantId: TenantId): Promise<ProfileId> {
    const asOf = changes;
    const until = clock.now() + speechTtlMs;
    const { id } = await defaultOf(tenantId);
    if (asOf !== changes) return id;
    if (defaultIds.size >= speechMax) defaultIds.clear();
    defaultIds.set(tenantId, { until, id });
    return id;
  }

  async function find(tenantId: TenantId, id: ProfileId): Promise<DeviceProfile | undefined> {
    if (id === firstProfileOf(tenantId)) await defaultOf(tenantId); // it is there from the beginning
    const row = await rows.find(id);
    return row?.tenantId === tenantId ? row : undefined;
  }

  async function defaultOf(tenantId: TenantId): Promise<DeviceProfile> {
    const chosen = await defaults.get(tenantId);
    const row = chosen === undefined ? undefined : await rows.find(chosen.id);
    return row ?? createFirst(tenantId, chosen?.id);
  }

  /**
   * Whoever does this at the same time makes the same, and the first to write it made it.
   * @param gone the default there was, whose record is no more
   */
  async function createFirst(tenantId: TenantId, gone: ProfileId | undefined): Promise<DeviceProfile> {
    const id = firstProfileOf(tenantId);
    const there = await rows.find(id);
    const row: DeviceProfile = there ?? {
      id,
      tenantId,
      createdAt: clock.now(),
      version: 1,
      name: 'default',
      description: 'Default device profile',
      transport: { type: 'DEFAULT' },
      more: null,
    };
    const made = there !== undefined || (await rows.create(row)) ? row : await rows.find(id);
    if (made === undefined) throw new Error('the name of the default profile is taken');
    await defaults.update(tenantId, (now) => (now === undefined || now.id === gone ? { id } : now));
    return made;
  }

  function transportOf(holder: ProfileHolder): TransportConfiguration | Promise<TransportConfiguration> {
    const key = holder.profileId ?? holder.tenantId;
    const known = remembered.get(key);
    if (known !== undefined && clock.now() < known.until) return known.transport;
    const underWay = lookups.get(key);
    if (underWay !== undefined) return underWay;
    const looking = lookUp(key, holder).finally(() => {
      if (lookups.get(key) === looking) lookups.delete(key);
    });
    lookups.set(key, looking);
    return looking;
  }

  async function lookUp(
    key: string,
    { tenantId, profileId }: ProfileHolder,
  ): Promise<TransportConfiguration> {
    const now = clock.now();
    const asOf = changes;
    const named = profileId ? await find(tenantId, profileId) : undefined;
    const { transport } = named ?? (await defaultOf(tenantId));
    if (asOf !== changes) return transport;
    if (remembered.size >= speechMax) remembered.clear();
    remembered.set(key, { until: now + speechTtlMs, transport });
    return transport;
  }

  return {
    find,

    async create(tenantId, fields) {
      await defaultOf(tenantId);
      const at = clock.now();
      const row: DeviceProfile = { id: newId<ProfileId>(at), tenantId, createdAt: at, version: 1, ...fields };
      return (await rows.create(row)) ? done(row) : refused('name-taken');
    },

    async update(tenantId, id, fields, version) {
      if ((await find(tenantId, id)) === undefined) return refused('not-found');
      const change = await rows.change(id, (row) => ({ ...row, ...fields }), version);
      changed();
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
    },

    async findByName(tenantId, name) {
      await defaultOf(tenantId);
      return rows.findByKey(nameKey(tenantId, name));
    },

    async list(tenantId, query) {
      await defaultOf(tenantId);
      return rows.page(profilesOf(tenantId), query);
    },

    default: defaultOf,

    defaultIdOf(tenantId) {
      const known = defaultIds.get(tenantId);
      if (known !== undefined && clock.now() < known.until) return known.id;
      return lookUpDefaultId(tenantId);
    },

    async makeDefault(tenantId, id) {
      const row = await find(tenantId, id);
      if (row === undefined) return refused('not-found');
      await defaults.put(tenantId, { id });
      changed();
      return done(row);
    },

    async remove(tenantId, id) {
      if ((await find(tenantId, id)) === undefined) return refused('not-found');
      if ((await defaultOf(tenantId)).id === id) return refused('is-default');
      if ((await store.index.count(lists.ofProfile(id))) > 0) return refused('in-use');
      await rows.remove(id);
      changed();
      return done(undefined);
    },

    async forgetTenant(tenantId) {
      for (;;) {
        const some = await rows.first(profilesOf(tenantId), REMOVAL_BATCH);
        if (some.length === 0) break;
        for (const { id } of some) await rows.remove(id);
      }
      await defaults.remove(tenantId);
      changed();
    },

    async speech(device, transport) {
      const configuration = await transportOf(device);
      if (configuration.type === 'DEFAULT') return PLAIN_SPEECH;
      if (configuration.type !== transport) return undefined;
      const compatible = configuration.type === 'MQTT' && configuration.jsonCompatible;
      const { payloadType } = configuration;
      return {
        format: payloadType === 'PROTOBUF' && compatible ? 'PROTOBUF_OR_JSON' : payloadType,
        ackMalformed: configuration.type === 'MQTT' && configuration.ackMalformed,
      };
    },
  };
}

function done<Value>(value: Value): ProfileAnswer<Value> {
  return { type: 'done', value };
}

function refused(reason: ProfileRefusal): { readonly type: 'refused'; readonly reason: ProfileRefusal } {
  return { type: 'refused', reason };
}
