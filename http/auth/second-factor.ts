/**
 * What a login takes beside the password: a code of the user's authenticator app, or one of the recovery codes. Wrong codes
 * are counted; a code is good once.
 */
import { randomBytes } from 'node:crypto';
import type { Accounts, User } from '../../actors/accounts/accounts.ts';
import type { FactorPolicy } from '../../actors/accounts/second-factors.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { UserId } from '../../actors/base/ids.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import { attempt, type Blocked, createLimiter } from './attempts.ts';
import { totpSecretOf, totpStep } from './totp.ts';

type FactorKind = 'TOTP' | 'BACKUP_CODE';

export interface SecondFactorAuth {
  /** `enrolling`: the user must have a second factor, and has none yet. */
  stepAfterPassword(user: User): Promise<'none' | 'verifying' | 'enrolling'>;
  /** Whether a code is good. It is used up by that. */
  check(user: UserId, kind: FactorKind, code: string, address: string): Promise<boolean | Blocked>;
  /** Takes an authenticator whose secret is in the URL, if the code is its own. The recovery codes stay. */
  enrol(user: UserId, url: string, code: string, address: string): Promise<boolean | Blocked>;
  /** Replaces the recovery codes. False: there is no authenticator that they could stand in for. */
  keepCodes(user: UserId, codes: readonly string[]): Promise<boolean>;
}

/** Guessing six digits: of 60 an hour, each against three codes, one in five thousand hours' tries is right. */
const PER_USER = { max: 60, windowMs: 3_600_000 } as const;
/** Whoever has the password and types badly. */
const PER_USER_AND_ADDRESS = { max: 10, windowMs: 600_000 } as const;

const CODES = 10;
const CODE_BYTES = 8;

export function newRecoveryCodes(): string[] {
  return Array.from({ length: CODES }, () => randomBytes(CODE_BYTES).toString('hex'));
}

interface Needs {
  readonly accounts: Accounts;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly counters?: Counters;
}

export function createSecondFactorAuth({ accounts, secrets, clock, counters }: Needs): SecondFactorAuth {
  const { secondFactors } = accounts;
  const perUser = createLimiter('second-factor', PER_USER, counters);
  const perBoth = createLimiter('second-factor-address', PER_USER_AND_ADDRESS, counters);
  const counted = (user: UserId, address: string, check: () => Promise<boolean>) =>
    attempt(
      [
        { limiter: perBoth, key: `${user} ${address}` },
        { limiter: perUser, key: user },
      ],
      check,
      (good) => (good ? 0 : 1),
    );

  async function useCode(user: UserId, code: string): Promise<boolean> {
    let good = false;
    await secondFactors.update(user, (factor) => {
      good = false;
      if (factor === undefined) return factor;
      const step = totpStep(secrets.unseal(user, factor.sealedSecret), code, clock.now(), factor.lastStep);
      if (step === undefined) return factor;
      good = true;
      return { ...factor, lastStep: step };
    });
    return good;
  }

  async function useRecoveryCode(user: UserId, code: string): Promise<boolean> {
    const shown: readonly string[] = secrets.digests(user, normalized(code));
    let good = false;
    await secondFactors.update(user, (factor) => {
      const codes = factor?.codes.filter((digest) => !shown.includes(digest)) ?? [];
      good = factor !== undefined && codes.length < factor.codes.length;
      return factor === undefined || !good ? factor : { ...factor, codes };
    });
    return good;
  }

  return {
    async stepAfterPassword(user) {
      if ((await secondFactors.get(user.id)) !== undefined) return 'verifying';
      return mustHaveFactor(await secondFactors.policy(), user) ? 'enrolling' : 'none';
    },

    check: (user, kind, code, address) =>
      counted(user, address, () => (kind === 'TOTP' ? useCode(user, code) : useRecoveryCode(user, code))),

    enrol: (user, url, code, address) =>
      counted(user, address, async () => {
        const now = clock.now();
        const secret = totpSecretOf(url);
        const step = secret === undefined ? undefined : totpStep(secret, code, now, 0);
        if (secret === undefined || step === undefined) return false;
        const sealedSecret = secrets.seal(user, secret);
        await secondFactors.update(user, (before) => ({
          sealedSecret,
          since: now,
          lastStep: step,
          codes: before?.codes ?? [],
        }));
        return true;
      }),

    async keepCodes(user, codes) {
      const digests = codes.map((code) => secrets.digest(user, normalized(code)));
      const kept = await secondFactors.update(user, (factor) => factor && { ...factor, codes: digests });
      return kept !== undefined;
    },
  };
}

/** As people type them. */
function normalized(code: string): string {
  return `recovery code ${code.toLowerCase().replace(/[\s-]/g, '')}`;
}

export function mustHaveFactor(policy: FactorPolicy, { membership }: Pick<User, 'membership'>): boolean {
  if (policy.everybody) return true;
  if (membership.authority === 'SYS_ADMIN') return policy.systemAdministrators;
  if (policy.usersOf.includes(membership.tenantId)) return true;
  const { administratorsOf } = policy;
  if (membership.authority !== 'TENANT_ADMIN') return false;
  return administratorsOf === 'all' || administratorsOf.includes(membership.tenantId);
}
