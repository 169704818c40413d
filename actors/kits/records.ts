/** Where kits are stored: each as an entity, found by the digest of its code, in the lists of its tenant and of what is under way. */
import type { TenantId } from '../base/ids.ts';
import type { SecretDigest } from '../base/secret.ts';
import { type Collection, createCollection, emptyList, type Kind } from '../records/collection.ts';
import type { Store } from '../store/store.ts';
import type { Kit } from './model.ts';

export const kitsOf = (tenantId: TenantId) => `kits/${tenantId}`;
/** Kits with something to be finished, of all tenants. */
export const UNDER_WAY = 'kits-under-way';
export const codeKey = (tenantId: TenantId, digest: SecretDigest) => `kit-code/${tenantId}/${digest}`;

const isUnderWay = ({ state, part }: Kit) => state === 'claiming' || part !== undefined;

const kind: Kind<Kit> = {
  name: 'kit',
  keys: ({ tenantId, codeDigest }) => [codeKey(tenantId, codeDigest)],
  lists: (kit) => [kitsOf(kit.tenantId), ...(isUnderWay(kit) ? [UNDER_WAY] : [])],
  title: ({ label }) => label,
};

export function openKits(store: Store): Collection<Kit> {
  return createCollection(store, kind);
}

/** Removes all that a tenant has. If it fails, calling it again continues. */
export function forgetKits(store: Store, tenantId: TenantId): Promise<void> {
  return emptyList(openKits(store), kitsOf(tenantId));
}
