/**
 * A device's attributes: saving and deleting them. Three of them steer claiming: `claimingAllowed` (O3), `claimPublicKey`
 * (C11), and `claimingData`, a key that the tenant sets (C3) and that is kept apart, digested and sealed.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TenantId } from '../base/ids.ts';
import type { Json } from '../base/json.ts';
import type { Decision } from '../runtime/decider.ts';
import {
  type AskedBy,
  accept,
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
  const after = attributesSaved(device, event);
  const kept = JSON.stringify({ ...after.attributes, key: after.serverKey });
  const maxBytes = policy.maxAttributeBytes;
  return Buffer.byteLength(kept) > maxBytes
    ? refuse({ reason: 'attributes-too-large', maxBytes })
    : accept(event);
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
  const attributes = withValues(device.attributes, event.scope, event.values, event.at);
  if (event.serverKey === undefined) return { ...device, attributes };
  return { ...device, attributes, serverKey: { ...event.serverKey, savedAt: event.at } };
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
  const keys = command.keys.filter(
    (key) =>
      Object.hasOwn(device.attributes[scope], key) ||
      (scope === 'SERVER_SCOPE' && key === CLAIMING_DATA && device.serverKey !== null),
  );
  if (keys.length === 0) return IGNORE;
  return accept({ type: 'AttributesDeleted', at, ...recordedBy(command), scope, keys });
}

export function attributesDeleted(device: Device, event: AttributesDeleted): Device {
  const attributes = withoutKeys(device.attributes, event.scope, event.keys);
  const keyGoes = event.scope === 'SERVER_SCOPE' && event.keys.includes(CLAIMING_DATA);
  return { ...device, attributes, serverKey: keyGoes ? null : device.serverKey };
}

// ---------------------------------------------------------------------------------------------------------- parts

export function withValues(
  attributes: Attributes,
  scope: AttributeScope,
  values: { readonly [key: string]: Json },
  savedAt: Instant,
): Attributes {
  // Entries, not spread or assignment: a key called `__proto__` is data like any other.
  const saved = Object.entries(values).map(([key, value]): [string, Attribute] => [key, { value, savedAt }]);
  const scoped = Object.fromEntries([...Object.entries(attributes[scope]), ...saved]);
  return { ...attributes, [scope]: scoped };
}

export function withoutKeys(
  attributes: Attributes,
  scope: AttributeScope,
  keys: readonly string[],
): Attributes {
  const kept = Object.entries(attributes[scope]).filter(([key]) => !keys.includes(key));
  return { ...attributes, [scope]: Object.fromEntries(kept) };
}
