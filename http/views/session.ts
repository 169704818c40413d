/** What clients see of a session. */
import { z } from 'zod';
import type { Session } from '../../actors/accounts/accounts.ts';
import { instant, optional, uuid } from './parts.ts';

export const sessionView = z
  .object({
    id: uuid,
    createdTime: instant,
    /** To within minutes. */
    lastUsedTime: instant,
    address: z.string(),
    device: optional,
    /** The one that asks. */
    current: z.boolean(),
    /** An administrator looks in as the user. */
    impersonated: z.boolean(),
    /** The identity provider by which it began; null: by password. */
    providerId: uuid.nullable(),
  })
  .meta({ id: 'Session' });

/** @param asking the session of whoever asks */
export function viewSession(session: Session, asking: string | undefined): z.infer<typeof sessionView> {
  const { id, startedAt, lastUsedAt, address, device, impersonator, via } = session;
  return {
    id,
    createdTime: startedAt,
    lastUsedTime: lastUsedAt,
    address,
    device,
    current: id === asking,
    impersonated: impersonator !== undefined,
    providerId: via?.providerId ?? null,
  };
}
