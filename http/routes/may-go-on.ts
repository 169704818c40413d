/** Whether what runs in the background for somebody, a batch or an import, goes on: only while they may do it still. */
import type { Accounts, BegunIn, Standing } from '../../actors/accounts/accounts.ts';
import type { ApiKeyId, TenantId, UserId } from '../../actors/base/ids.ts';
import type { StartedBy } from '../../actors/imports/model.ts';

/** A batch is carried out for who created it, an import for who started it: of older records that is not known. */
interface BackgroundJob {
  readonly tenantId: TenantId;
  readonly createdBy: UserId;
  readonly impersonatorId?: UserId;
  readonly apiKeyId?: ApiKeyId;
  readonly begunIn?: BegunIn;
  readonly startedBy?: StartedBy;
}

/**
 * Whether the user may still do it, and who looked in as that user; and whether the API key or the password still counts by which
 * they came in. Rejects with `StoreUnavailable`.
 */
export function createMayGoOn({ users, apiKeys }: Pick<Accounts, 'users' | 'apiKeys'>) {
  return async (job: BackgroundJob): Promise<boolean> => {
    const by = job.startedBy ?? { ...job, userId: job.createdBy };
    const { userId, impersonatorId, apiKeyId, begunIn } = by;
    if (apiKeyId !== undefined && !(await apiKeys.works(apiKeyId))) return false;
    if (impersonatorId !== undefined && (await users.standing(impersonatorId)) === undefined) return false;
    const standing = await users.standing(userId);
    if (standing === undefined || (begunIn !== undefined && !counts(standing, begunIn))) return false;
    const { membership } = standing.user;
    return membership.authority === 'TENANT_ADMIN' && membership.tenantId === job.tenantId;
  };
}

/**
 * Logging out ends nothing: whoever has begun it need not stay. A new password does, as the one before may have been a thief's; but
 * for the session that has set it.
 */
function counts({ user, sessions }: Standing, { sessionId, credentialsVersion }: BegunIn): boolean {
  return user.credentialsVersion === credentialsVersion || sessions.some(({ id }) => id === sessionId);
}
