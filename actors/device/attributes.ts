/**
 * A device's attributes: saving and deleting them. Three of them steer claiming: `claimingAllowed` (O3), `claimPublicKey`
 * (C11), and `claimingData`, a key that the tenant sets (C3) and that is kept apart, digested and sealed.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId } from '../base/ids.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { isCleanText } from '../base/text.ts';
import type { Decision } from '../runtime/decider.ts';
import {
  type AskedBy,
  accept,
  type GivenAttributes,
  IGNORE,
  type RecordedBy,
  type Refusal,
  recordedBy,
  refuse,
  type SteeringFault,
} from './messages.ts';
import type { OwnershipRules } from './ownership-rules.ts';
import { publicJwk } from './proof.ts';
import {
  type Attribute,
  type AttributeScope,
  type Attributes,
  CLAIM_PUBLIC_KEY,
  CLAIMING_ALLOWED,
  CLAIMING_DATA,
  type Device,
  mayWrite,
  type ServerKey,
  steersClaiming,
} from './state.ts';

// --------------------------------------------------------------------------------------------------------- saving

export interface SaveAttributes extends AskedBy {
  readonly type: 'SaveAttributes';
  readonly tenantId: TenantId;
  /** Set when a customer asks: only the owner may. */
  readonly customerId: CustomerId | null;
  readonly scope: AttributeScope;
  readonly values: { readonly [key: string]: Json };
  /** `claimingData`, already digested and sealed; absent: it is not among the attributes saved. SERVER_SCOPE only. */
  readonly serverKey?: Omit<ServerKey, 'savedAt'>;
  /** Of the server key, see `secretLengthOf`; absent: 0. */
  readonly secretLength?: number;
}

export interface AttributesSaved extends RecordedBy<'AttributesSaved'> {
  readonly scope: AttributeScope;
  readonly values: { readonly [key: string]: Json };
  readonly serverKey?: Omit<ServerKey, 'savedAt'>;
}

export function saveAttributes(
  policy: { readonly maxAttributeBytes: number; readonly ownership: Pick<OwnershipRules, 'minSecretLength'> },
  device: Device,
  command: SaveAttributes,
  at: Instant,
): Decision<AttributesSaved, Refusal> {
  if (!mayWrite(device, command.customerId)) return refuse({ reason: 'not-owner' });
  const { scope, values, serverKey, secretLength = 0 } = command;
  const steers =
    serverKey !== undefined || (scope === 'SERVER_SCOPE' && Object.keys(values).some(steersClaiming));
  // Else an owner would decide how the device is claimed after it.
  if (steers && command.customerId !== null) return refuse({ reason: 'not-owner' });
  const fault = steeringFault(command, at);
  if (fault !== undefined) return refuse({ reason: 'steering-attribute-malformed', fault });
  const { minSecretLength } = policy.ownership;
  if (serverKey !== undefined && secretLength < minSecretLength) {
    return refuse({ reason: 'secret-too-short', minSecretLength }); // O10
  }
  const event: AttributesSaved = {
    type: 'AttributesSaved',
    at,
    ...recordedBy(command),
    scope,
    values,
    ...(serverKey === undefined ? {} : { serverKey }),
  };
  const tooLarge = whyTooLarge(policy.maxAttributeBytes, attributesSaved(device, event), steers);
  return tooLarge === undefined ? accept(event) : refuse(tooLarge);
}

/** Characters of a name. */
const KEY_MAX = 255;

/** Whether an attribute can have this name. */
export function isAttributeKey(key: string): boolean {
  return key.trim() !== '' && key.length <= KEY_MAX && isCleanText(key);
}

/**
 * The refusal, if a device would keep more than it may.
 * @param steers what is new to it steers claiming. R4: whatever else fills it leaves room for that
 */
export function whyTooLarge(maxAttributeBytes: number, after: Device, steers: boolean): Refusal | undefined {
  const maxBytes = maxAttributeBytes - (steers ? 0 : roomFor(maxAttributeBytes));
  const { attributes, tenantAttributes: tenant, serverKey, takeOver } = after;
  const key = steers ? serverKey : null;
  // What a take-over will save has its place from the beginning: when it happens, nobody is left who could be refused.
  const due = takeOver?.attributes;
  const promised = due && withValues(NONE, 'SERVER_SCOPE', due, takeOver.dueAt, true);
  const kept = JSON.stringify({ ...attributes, key, tenant, promised });
  return Buffer.byteLength(kept) > maxBytes ? { reason: 'attributes-too-large', maxBytes } : undefined;
}

/** Bytes of JSON that are kept free for them. */
const ROOM_BYTES = 1024;

function roomFor(maxBytes: number): number {
  return Math.min(ROOM_BYTES, Math.floor(maxBytes / 8));
}

/** An instant in seconds and below this is before the year 5138; in milliseconds it is before March 1973. */
const SECONDS_BELOW = 1e11;

/**
 * O3, C3: what would be stored and then steer nothing is refused, since whoever sets it relies on it. Above all a
 * `claimingAllowed` that only looks like no (the text "false") would leave the device open.
 */
function steeringFault({ scope, values, serverKey }: SaveAttributes, at: Instant): SteeringFault | undefined {
  // In SERVER_SCOPE `claimingData` comes as `serverKey`, never among the values.
  if (Object.hasOwn(values, CLAIMING_DATA)) return 'wrong-scope';
  if (Object.hasOwn(values, CLAIMING_ALLOWED)) {
    if (scope !== 'SERVER_SCOPE') return 'wrong-scope';
    if (typeof values[CLAIMING_ALLOWED] !== 'boolean') return 'allowed-not-boolean';
  }
  if (Object.hasOwn(values, CLAIM_PUBLIC_KEY)) {
    if (scope !== 'SERVER_SCOPE') return 'wrong-scope';
    if (publicJwk(values[CLAIM_PUBLIC_KEY]) === undefined) return 'key-malformed'; // C11
  }
  if (serverKey === undefined || serverKey.expiresAt > at) return undefined;
  return serverKey.expiresAt < SECONDS_BELOW && serverKey.expiresAt * 1000 > at
    ? 'expiry-in-seconds'
    : 'expiry-past';
}

export function attributesSaved(device: Device, event: AttributesSaved): Device {
  const { scope, values, customerId, serverKey, at } = event;
  const after = written(device, scope, values, at, customerId !== undefined);
  return serverKey === undefined ? after : { ...after, serverKey: { ...serverKey, savedAt: at } };
}

/** C12: what was given with a claim goes with the owner that it was given for, as what that one writes does (R4). */
export function attributesGiven(
  device: Device,
  { attributes, at }: GivenAttributes & { readonly at: Instant },
): Device {
  return attributes === undefined ? device : written(device, 'SERVER_SCOPE', attributes, at, true);
}

function written(
  device: Device,
  scope: AttributeScope,
  values: JsonObject,
  at: Instant,
  byCustomer: boolean,
): Device {
  const attributes = withValues(device.attributes, scope, values, at, byCustomer);
  return { ...withTenants(device, scope, Object.keys(values), byCustomer), attributes };
}

// ------------------------------------------------------------------------------------------------------- deleting

export interface DeleteAttributes extends AskedBy {
  readonly type: 'DeleteAttributes';
  readonly tenantId: TenantId;
  /** Set when a customer asks: only the owner may. */
  readonly customerId: CustomerId | null;
  readonly scope: AttributeScope;
  readonly keys: readonly string[];
}

export interface AttributesDeleted extends RecordedBy<'AttributesDeleted'> {
  readonly scope: AttributeScope;
  /** Those of the keys that were there. */
  readonly keys: readonly string[];
}

export function deleteAttributes(
  device: Device,
  command: DeleteAttributes,
  at: Instant,
): Decision<AttributesDeleted, Refusal> {
  if (!mayWrite(device, command.customerId)) return refuse({ reason: 'not-owner' });
  const { scope } = command;
  if (command.customerId !== null && scope === 'SERVER_SCOPE' && command.keys.some(steersClaiming)) {
    return refuse({ reason: 'not-owner' });
  }
  const hidden = command.customerId === null ? device.tenantAttributes?.[scope] : undefined;
  const keys = [...new Set(command.keys)].filter(
    (key) =>
      Object.hasOwn(device.attributes[scope], key) ||
      Object.hasOwn(hidden ?? {}, key) ||
      (scope === 'SERVER_SCOPE' && key === CLAIMING_DATA && device.serverKey !== null),
  );
  if (keys.length === 0) return IGNORE;
  return accept({ type: 'AttributesDeleted', at, ...recordedBy(command), scope, keys });
}

export function attributesDeleted(device: Device, event: AttributesDeleted): Device {
  const attributes = withoutKeys(device.attributes, event.scope, event.keys);
  const keyGoes = event.scope === 'SERVER_SCOPE' && event.keys.includes(CLAIMING_DATA);
  const after = withTenants(device, event.scope, event.keys, event.customerId !== undefined);
  return { ...after, attributes, serverKey: keyGoes ? null : device.serverKey };
}

// ------------------------------------------------------------------------------- what the owner wrote goes with it (R4)

const NONE: Attributes = { SERVER_SCOPE: {}, SHARED_SCOPE: {} };

/** Keeps what the tenant has under keys that a customer writes or deletes; forgets it when the tenant does so itself. */
function withTenants(
  device: Device,
  scope: AttributeScope,
  keys: readonly string[],
  byCustomer: boolean,
): Device {
  const { tenantAttributes, ...rest } = device;
  if (!byCustomer) {
    if (tenantAttributes === undefined) return device;
    const left = withoutKeys(tenantAttributes, scope, keys);
    return isEmpty(left) ? rest : { ...rest, tenantAttributes: left };
  }
  const written = new Set(keys);
  const own = Object.entries(device.attributes[scope]).filter(
    ([key, attribute]) => written.has(key) && !attribute.byCustomer,
  );
  if (own.length === 0) return device;
  return { ...device, tenantAttributes: merged(tenantAttributes ?? NONE, scope, own) };
}

/** The device without what its owner's users wrote: what the tenant had is back. */
export function withoutWritings(device: Device): Device {
  if (device.owner === null) return device;
  const isTouched = device.tenantAttributes !== undefined || device.tenantDescription !== undefined;
  if (!(isTouched || hasWritings(device.attributes))) return device;
  const { tenantAttributes, tenantDescription, ...rest } = device;
  const attributes = withoutCustomers(device.attributes, tenantAttributes ?? NONE);
  return { ...rest, ...tenantDescription, attributes };
}

function hasWritings({ SERVER_SCOPE, SHARED_SCOPE }: Attributes): boolean {
  return [SERVER_SCOPE, SHARED_SCOPE].some((scoped) =>
    Object.values(scoped).some(({ byCustomer }) => byCustomer),
  );
}

function withoutCustomers({ SERVER_SCOPE, SHARED_SCOPE }: Attributes, tenants: Attributes): Attributes {
  const kept = (scoped: Attributes[AttributeScope]) =>
    Object.entries(scoped).filter(([, { byCustomer }]) => !byCustomer);
  return {
    SERVER_SCOPE: Object.fromEntries([...kept(SERVER_SCOPE), ...Object.entries(tenants.SERVER_SCOPE)]),
    SHARED_SCOPE: Object.fromEntries([...kept(SHARED_SCOPE), ...Object.entries(tenants.SHARED_SCOPE)]),
  };
}

function isEmpty({ SERVER_SCOPE, SHARED_SCOPE }: Attributes): boolean {
  return Object.keys(SERVER_SCOPE).length + Object.keys(SHARED_SCOPE).length === 0;
}

// ---------------------------------------------------------------------------------------------------------- parts

export function withValues(
  attributes: Attributes,
  scope: AttributeScope,
  values: { readonly [key: string]: Json },
  savedAt: Instant,
  byCustomer = false,
): Attributes {
  const saved = Object.entries(values).map(([key, value]): [string, Attribute] => [
    key,
    byCustomer ? { value, savedAt, byCustomer } : { value, savedAt },
  ]);
  return merged(attributes, scope, saved);
}

function merged(
  attributes: Attributes,
  scope: AttributeScope,
  more: readonly [string, Attribute][],
): Attributes {
  // Entries, not spread or assignment: a key called `__proto__` is data like any other.
  const scoped = Object.fromEntries([...Object.entries(attributes[scope]), ...more]);
  return { ...attributes, [scope]: scoped };
}

export function withoutKeys(
  attributes: Attributes,
  scope: AttributeScope,
  keys: readonly string[],
): Attributes {
  const gone = new Set(keys);
  const kept = Object.entries(attributes[scope]).filter(([key]) => !gone.has(key));
  return { ...attributes, [scope]: Object.fromEntries(kept) };
}
