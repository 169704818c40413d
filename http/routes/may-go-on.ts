/** Whether what runs in the background for somebody, a batch or an import, goes on: only while they may do it still. */
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { ApiKeyId, TenantId, UserId } from '../../actors/base/ids.ts';
import type { StartedBy } from '../../actors/imports/model.ts';

/** A batch is carried out for who created it, an import for who started it: of older records that is not known. */
interface BackgroundJob {
  readonly tenantId: TenantId;
  readonly createdBy: UserId;
  readonly impersonatorId?: UserId;
  readonly apiKeyId?: ApiKeyId;
  readonly startedBy?: StartedBy;
}

/**
 * Whether the user may still do it, and who looked in as that user; and whether the API key that was shown still works.
 * Rejects with `StoreUnavailable`.
 */
export function createMayGoOn({ users, apiKeys }: Pick<Accounts, 'users' | 'apiKeys'>) {
  return async (job: BackgroundJob): Promise<boolean> => {
    const { userId, impersonatorId, apiKeyId } = job.startedBy ?? { ...job, userId: job.createdBy };
    if (apiKeyId !== undefined && !(await apiKeys.works(apiKeyId))) return false;
    if (impersonatorId !== undefined && (await users.standing(impersonatorId)) === undefined) return false;
    const membership = (await users.standing(userId))?.user.membership;
    return membership?.authority === 'TENANT_ADMIN' && membership.tenantId === job.tenantId;
  };
}
