/**
 * Wrong secrets for one device over all customers (rule C6): for whom an attempt counts, and who is told when the device
 * waits. The counting is in `actors/cluster/window-guesses.ts`.
 */
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { CustomerId, DeviceId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import { silentBus } from '../../actors/cluster/bus.ts';
import {
  createWindowGuesses,
  NEWCOMERS_WINDOW_MS,
  type WindowGuesses,
} from '../../actors/cluster/window-guesses.ts';
import type { RefusalReason } from '../../actors/device/messages.ts';
import { createLimiter, type Party } from '../auth/attempts.ts';
import type { CustomerUser } from '../auth/principal.ts';
import type { ApiSettings } from '../settings.ts';
import { NAME_MAX } from '../wire/schemas.ts';

interface Needs {
  readonly audit: AuditTrail;
  readonly log: Log;
  readonly windowGuesses?: WindowGuesses | undefined;
  readonly settings: Pick<ApiSettings, 'limits' | 'uniformRefusals'>;
}

interface Claim {
  readonly principal: CustomerUser;
  readonly deviceName: string;
}

/** One attempt. */
interface Entered {
  /** The crowd of those who have failed too often at the device, or the newcomers; nobody for who has not failed there. */
  readonly party: Party;
  /** The attempt was refused: whoever guesses wrong too often is no newcomer any more. Before it counts. */
  refused(reason: RefusalReason): void;
  /** Once it has counted: tells the tenant, if the device waits for it. */
  tell(): void;
  /** The attempt is over. */
  leave(): void;
}

export function createWindowParties({ audit, log, windowGuesses, settings }: Needs) {
  const guesses = windowGuesses ?? createWindowGuesses(settings.limits.wrongSecretsPerWindow, silentBus);
  const { max } = guesses.settings;
  // The length of a window is the counters' own.
  const limit = { max, windowMs: NEWCOMERS_WINDOW_MS };
  const crowd = createLimiter('window', limit, () => guesses.crowd);
  const newcomers = createLimiter('window-newcomers', limit, () => guesses.newcomers);
  /** Others can use up none of the attempts of who has not failed (C6). Each customer has one such. */
  const alone = createLimiter('window-first', { ...limit, max: 0 });
  /** Newcomers whose attempt is under way: what they send beside it is the crowd's. */
  const trying = new Set<string>();
  const began = new Map<string, number>();
  guesses.onWait(({ key, waitMs, isOurs }) => {
    if (isOurs) began.set(key, waitMs);
  });

  const limiterOf = (key: string, newcomer: CustomerId) =>
    guesses.hasFailed(key, newcomer) ? newcomers : alone;

  function tellTenant(
    { principal: { tenantId }, deviceName }: Claim,
    id: DeviceId | undefined,
    waitMs: number,
  ): void {
    const retryAfterSeconds = Math.ceil(waitMs / 1000);
    log.warn({ deviceId: id, retryAfterSeconds }, 'too many wrong secrets for a device: it waits');
    const failure = 'too-many-wrong-secrets';
    const nobody = { customerId: undefined, userId: undefined };
    const data = { retryAfterSeconds };
    audit.note({ tenantId, action: 'CLAIM_REFUSED', deviceId: id, deviceName, ...nobody, data, failure });
  }

  return {
    enter(claim: Claim, id: DeviceId | undefined): Entered {
      const { tenantId, customerId } = claim.principal;
      const key = id ?? `${tenantId}/${claim.deviceName.slice(0, NAME_MAX)}`;
      const who = `${key} ${customerId}`;
      const isNewcomer = max > 0 && !trying.has(who) && !guesses.isOfCrowd(key, customerId);
      if (isNewcomer) trying.add(who);
      return {
        party: { limiter: isNewcomer ? limiterOf(key, customerId) : crowd, key },
        refused(reason) {
          if (max === 0 || (reason !== 'wrong-secret' && !settings.uniformRefusals)) return;
          if (isNewcomer) guesses.noteFailure(key, customerId);
        },
        tell() {
          const waitMs = began.get(key);
          began.delete(key);
          if (waitMs !== undefined) tellTenant(claim, id, waitMs);
        },
        leave() {
          if (isNewcomer) trying.delete(who);
        },
      };
    },
  };
}
