/**
 * Second factors of users, as they are stored: an authenticator's secret (TOTP, RFC 6238) and recovery codes, and who must
 * have one. Secrets are sealed and codes digested by whoever stores them.
 */
import type { Clock, Instant } from '../base/clock.ts';
import type { TenantId, UserId } from '../base/ids.ts';
import type { SecretDigest } from '../base/secret.ts';
import type { Bus } from '../cluster/bus.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';

export interface SecondFactor {
  readonly sealedSecret: string;
  readonly since: Instant;
  /** The step of time of the newest code that was used: each is good once. */
  readonly lastStep: number;
  /** The recovery codes that are left. */
  readonly codes: readonly SecretDigest[];
  /** Set up while logging in, by somebody who holds this, and the login is not complete yet: nobody else completes it. */
  readonly enrolment?: string;
}

/** Whose login takes a second factor; the others may have one. */
export interface FactorPolicy {
  readonly everybody: boolean;
  readonly systemAdministrators: boolean;
  /** Tenants whose administrators must; `all`: those of every tenant. */
  readonly administratorsOf: readonly TenantId[] | 'all';
  /** Tenants all of whose users must. */
  readonly usersOf: readonly TenantId[];
}

export interface SecondFactors {
  get(id: UserId): Promise<SecondFactor | undefined>;
  /** Makes another one of the newest; undefined removes it, the same one changes nothing. `next` may be called again. */
  update(
    id: UserId,
    next: (factor: SecondFactor | undefined) => SecondFactor | undefined,
  ): Promise<SecondFactor | undefined>;
  forget(id: UserId): Promise<void>;
  policy(): Promise<FactorPolicy>;
  /** As it was seconds ago at most; costs next to nothing. */
  policyOfLate(): Promise<FactorPolicy>;
  setPolicy(policy: FactorPolicy): Promise<void>;
}

const NOBODY: FactorPolicy = {
  everybody: false,
  systemAdministrators: false,
  administratorsOf: [],
  usersOf: [],
};
/** There is one policy for the whole server. */
const POLICY = 'policy';

const POLICY_CHANGED = 'second-factor-policy-changed';
/** A message between processes may be lost. */
const BELIEVED_MS = 10_000;

export function createSecondFactors(store: Store, clock: Pick<Clock, 'elapsed'>, bus: Bus): SecondFactors {
  const factors = openRecords<SecondFactor>(store, 'second-factor');
  const policies = openRecords<FactorPolicy>(store, 'second-factor-policy');
  const policy = async () => (await policies.get(POLICY)) ?? NOBODY;
  let known: { readonly policy: FactorPolicy; readonly at: number } | undefined;
  bus.subscribe(POLICY_CHANGED, () => {
    known = undefined;
  });

  return {
    get: (id) => factors.get(id),
    update: (id, next) => factors.update(id, next),
    forget: (id) => factors.remove(id),
    policy,

    async policyOfLate() {
      const now = clock.elapsed();
      if (known === undefined || now - known.at >= BELIEVED_MS) known = { policy: await policy(), at: now };
      return known.policy;
    },

    async setPolicy(next) {
      await policies.put(POLICY, next);
      known = undefined;
      bus.publish(POLICY_CHANGED, {});
    },
  };
}
