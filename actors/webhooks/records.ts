/** Where webhooks are stored: each as an entity, in the lists of its tenant and of all. */
import type { TenantId } from '../base/ids.ts';
import { type Collection, createCollection, type Kind } from '../records/collection.ts';
import type { Store } from '../store/store.ts';
import type { Webhook } from './model.ts';

export const webhooksOf = (tenantId: TenantId) => `webhooks/${tenantId}`;
export const ALL_WEBHOOKS = 'webhooks';

const kind: Kind<Webhook> = {
  name: 'webhook',
  keys: () => [],
  lists: ({ tenantId }) => [webhooksOf(tenantId), ALL_WEBHOOKS],
  title: ({ label }) => label,
};

export function openWebhooks(store: Store): Collection<Webhook> {
  return createCollection(store, kind);
}
