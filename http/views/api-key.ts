/** What clients see of an API key. */
import { z } from 'zod';
import type { ApiKey } from '../../actors/accounts/api-keys.ts';
import { entityId, instant } from './parts.ts';

export const apiKeyView = z
  .object({
    id: entityId('API_KEY'),
    createdTime: instant,
    userId: entityId('USER'),
    description: z.string(),
    /** 0: never. */
    expirationTime: instant,
    enabled: z.literal(true),
    claimingOnly: z.boolean(),
    /** 0: never. To within five minutes. */
    lastUsedTime: instant,
  })
  .meta({ id: 'ApiKey' });
export const newApiKeyView = apiKeyView.extend({ value: z.string() }).meta({ id: 'NewApiKey' });

export function viewApiKey(key: ApiKey): z.infer<typeof apiKeyView> {
  return {
    id: { entityType: 'API_KEY', id: key.id },
    createdTime: key.createdAt,
    userId: { entityType: 'USER', id: key.userId },
    description: key.description,
    expirationTime: key.expiresAt ?? 0,
    enabled: true,
    claimingOnly: key.claimingOnly,
    lastUsedTime: key.lastUsedAt ?? 0,
  };
}
