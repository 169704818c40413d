/**
 * What format 1 kept as plain records, and format 2 has as entities: tenants, customers, users, device profiles, API keys
 * and import jobs. This is how data in format 1 looks, and never changes again; so it shares nothing with the rooms that
 * read and write such things today.
 *
 * In format 1 a record, its unique keys and its list entries were written one after the other. A record counted only as
 * far as its key agreed, so what a crash left over is dropped here: keys without a record, list entries without one, and
 * records of which the removal had begun. Of tenants and customers that were being deleted the mark is kept, since what
 * belongs to them may still be there.
 */
import { createHash } from 'node:crypto';
import type { EntityName } from './store.ts';

/** The kinds of records that become entities. Users come before API keys, which are dropped with their users. */
export const OLD_KINDS = ['tenant', 'customer', 'user', 'device-profile', 'api-key', 'import'] as const;
export type OldKind = (typeof OLD_KINDS)[number];

/** What the unique keys of these records begin with. */
export const OLD_KEYS = ['account/', 'device-profile-name/'];

/** What the names of the lists of these records begin with, and what is in them. */
export const OLD_LISTS: readonly (readonly [front: string, kind: OldKind])[] = [
  ['account/tenants', 'tenant'],
  ['account/customers/', 'customer'],
  ['account/users/', 'user'],
  ['account/api-keys/', 'api-key'],
  ['device-profiles/', 'device-profile'],
  ['imports/', 'import'],
  ['imports-running', 'import'],
];

/** A record as an entity. */
export interface Lifted {
  readonly name: EntityName;
  readonly version: number;
  readonly text: string;
  readonly keys: readonly string[];
  readonly lists: readonly string[];
}

interface OldFields {
  readonly [field: string]: unknown;
}

/** The key under which a record was kept: `<kind>:<id>`. */
export function oldKindOf(recordKey: string): OldKind | undefined {
  return OLD_KINDS.find((kind) => recordKey.startsWith(`${kind}:`));
}

export function entityNameOf(kind: OldKind, recordKey: string): EntityName {
  return `${kind}/${recordKey.slice(kind.length + 1)}`;
}

/** The unique keys that a record may have had. */
export function oldKeysOf(kind: OldKind, record: string): readonly string[] {
  return keysOf(kind, fieldsOf(record));
}

/**
 * Makes an entity of a record. Undefined where the record is dropped.
 *
 * @param held those of its keys that led to it
 * @param isThere whether there is an entity of this name
 */
export function liftRecord(
  name: EntityName,
  kind: OldKind,
  record: string,
  held: readonly string[],
  isThere: (name: EntityName) => boolean,
): Lifted | undefined {
  const { v: _, id: __, version, deleted, ...fields } = fieldsOf(record);
  const isMarked = deleted === true;
  if (isMarked && kind !== 'tenant' && kind !== 'customer') return undefined;
  if (kind === 'api-key' && !isThere(`user/${fields.userId}`)) return undefined;
  const usedUp = kind === 'user' && !held.some((key) => key.startsWith(ACTIVATION_KEYS));
  return {
    name,
    version: typeof version === 'number' ? version : 1, // import jobs had none
    text: JSON.stringify({
      ...fields,
      ...(usedUp ? { activation: null } : {}),
      ...(isMarked ? { deleted: true } : {}),
    }),
    // Tenants had a key made of their id, which led nowhere that the id did not.
    keys: isMarked || kind === 'tenant' ? [] : held,
    lists: listsOf(kind, fields),
  };
}

const ACTIVATION_KEYS = 'account/activation/';

function keysOf(kind: OldKind, fields: OldFields): readonly string[] {
  const { tenantId, title, name, email, activation, digest } = fields;
  switch (kind) {
    case 'customer':
      return [`account/customer-title/${tenantId}/${title}`];
    case 'user': {
      // Whether letters matter was a setting: the key that leads to the user tells.
      const emails = new Set([String(email), String(email).toLowerCase()]);
      return [...[...emails].map((text) => `account/email/${text}`), ...activationKeysOf(activation)];
    }
    case 'device-profile':
      return [`device-profile-name/${tenantId}/${name}`];
    case 'api-key':
      return [`account/api-key/${digest}`];
    case 'tenant':
    case 'import':
      return [];
  }
}

function activationKeysOf(activation: unknown): readonly string[] {
  if (typeof activation !== 'object' || activation === null || !('token' in activation)) return [];
  const digest = createHash('sha256').update(String(activation.token)).digest('base64url');
  return [`${ACTIVATION_KEYS}${digest}`];
}

function listsOf(kind: OldKind, { tenantId, userId, membership, state }: OldFields): readonly string[] {
  switch (kind) {
    case 'tenant':
      return ['account/tenants'];
    case 'customer':
      return [`account/customers/${tenantId}`];
    case 'user':
      return [usersOf(membership)];
    case 'device-profile':
      return [`device-profiles/${tenantId}`];
    case 'api-key':
      return [`account/api-keys/${userId}`];
    case 'import':
      return [
        `imports/${tenantId}`,
        ...(state === 'trying' || state === 'running' ? ['imports-running'] : []),
      ];
  }
}

function usersOf(membership: unknown): string {
  if (typeof membership === 'object' && membership !== null) {
    if ('customerId' in membership) return `account/users/customer/${membership.customerId}`;
    if ('tenantId' in membership) return `account/users/tenant/${membership.tenantId}`;
  }
  return 'account/users/system';
}

/** A record was `{"value":{"v":1,…}}`. */
function fieldsOf(record: string): OldFields {
  const { value }: { value: OldFields } = JSON.parse(record);
  if (value.v !== 1) throw new Error('a stored record has a format that this version does not know');
  return value;
}
