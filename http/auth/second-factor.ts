/**
 * What a login takes beside the password: a code of the user's authenticator app, or one of the recovery codes. Wrong codes
 * are counted; a code is good once.
 */
import { randomBytes } from 'node:crypto';
import type { Accounts, User } from '../../actors/accounts/accounts.ts';
import type { FactorPolicy, SecondFactor } from '../../actors/accounts/second-factors.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { UserId } from '../../actors/base/ids.ts';
import { type Log, logBounded } from '../../actors/base/log.ts';
import { credentialOrNull, type Secrets } from '../../actors/base/secret.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import type { Origin } from '../route.ts';
import type { Limit } from '../settings.ts';
import { attempt, attemptAs, type Blocked, createLimiter, type Limiter, type Party } from './attempts.ts';
import type { Browsers } from './browsers.ts';
import type { Principal } from './principal.ts';
import { totpSecretOf, totpStep } from './totp.ts';

type FactorKind = 'TOTP' | 'BACKUP_CODE';

export interface SecondFactorAuth {
  /** `enrolling`: the user must have a second factor, and has none yet. */
  stepAfterPassword(user: User): Promise<'none' | 'verifying' | 'enrolling'>;
  /** Whether a code is good. It is used up by that. */
  check(
    user: UserId,
    kind: FactorKind,
    code: string,
    from: Pick<Origin, 'address' | 'browser'>,
  ): Promise<boolean | Blocked>;
  /** Takes an authenticator whose secret is in the URL, if the code is its own. The recovery codes stay. */
  enrol(by: Enroller, url: string, code: string, address: string): Promise<Taken | Blocked>;
  /** Replaces the recovery codes. `wrong`: there is no authenticator that they could stand in for. */
  keepCodes(by: Enroller, codes: readonly string[]): Promise<Taken>;
  /** Completes the login by which the factor was set up, once. */
  complete(by: Enroller): Promise<Taken>;
}

/** `set-up-before`: by somebody else, or by a login that is complete; the password alone does not change it. */
type Taken = 'kept' | 'wrong' | 'set-up-before';

/** Somebody who sets a second factor up: while logging in, by a token with this id, or else in a session. */
type Enroller = Pick<Principal, 'userId' | 'enrolment'>;

/**
 * Guessing six digits: of 60 an hour, each against three codes, one in five thousand hours' tries is right. Over all addresses
 * that the user has never logged in from, and for each kind of code by itself.
 */
const PER_USER = { max: 60, windowMs: 3_600_000 } as const;
/** Whoever has the password and types badly. */
const PER_USER_AND_ADDRESS = { max: 10, windowMs: 600_000 } as const;

const UNREADABLE =
  'a user cannot log in: the second factor is sealed under a server key that is no longer there; take it away by the command drop-second-factor';

const CODES = 10;
const CODE_BYTES = 8;

export function newRecoveryCodes(): string[] {
  return Array.from({ length: CODES }, () => randomBytes(CODE_BYTES).toString('hex'));
}

interface Needs {
  readonly accounts: Accounts;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters?: Counters;
  readonly browsers: Pick<Browsers, 'find'>;
}

export function createSecondFactorAuth(needs: Needs): SecondFactorAuth {
  const { accounts, secrets, clock, log, counters, browsers } = needs;
  const { secondFactors, users } = accounts;
  const perUser = forEachKind('second-factor', PER_USER, counters);
  const perBoth = forEachKind('second-factor-address', PER_USER_AND_ADDRESS, counters);
  const perBrowser = forEachKind('second-factor-browser', PER_USER_AND_ADDRESS, counters);
  const perBrowsers = forEachKind('second-factor-browsers', PER_USER, counters);

  /** For whom a code counts. Somebody elsewhere who has the password must not keep the user from logging in. */
  async function partiesOf(kind: FactorKind, id: UserId, address: string): Promise<Party[]> {
    const user = await users.find(id);
    const known = user !== undefined && (await users.hasSignedInFrom(user.email, address));
    const both = { limiter: perBoth[kind], key: `${id} ${address}` };
    return known ? [both] : [both, { limiter: perUser[kind], key: id }];
  }

  /** Whom a browser counts as that the user has signed in with before. */
  function knownBrowser(kind: FactorKind, id: UserId, marks: string | undefined): Party[] | undefined {
    const browser = browsers.find(marks, id);
    if (browser === undefined) return undefined;
    return [
      { limiter: perBrowser[kind], key: browser },
      { limiter: perBrowsers[kind], key: id },
    ];
  }

  /** Changes the factor, unless the change is one that only another could make. */
  async function change(
    { userId, enrolment }: Enroller,
    next: (factor: SecondFactor | undefined) => SecondFactor | undefined,
  ): Promise<Taken> {
    let taken: Taken = 'wrong';
    await secondFactors.update(userId, (factor) => {
      taken = 'set-up-before';
      if (enrolment !== undefined && factor !== undefined && factor.enrolment !== enrolment) return factor;
      const changed = next(factor);
      taken = changed === undefined ? 'wrong' : 'kept';
      return changed;
    });
    return taken;
  }

  async function useCode(user: UserId, code: string): Promise<boolean> {
    let good = false;
    await secondFactors.update(user, (factor) => {
      good = false;
      if (factor === undefined) return factor;
      const secret = credentialOrNull(secrets, user, factor.sealedSecret);
      if (secret === null) {
        logBounded(log, 'warn', performance.now(), { userId: user }, UNREADABLE);
        return factor;
      }
      const step = totpStep(secret, code, clock.now(), factor.lastStep);
      if (step === undefined) return factor;
      good = true;
      // Anew each time: what was sealed under an older server key is so no longer once its user has logged in.
      return { ...completed(factor), lastStep: step, sealedSecret: secrets.sealCredential(user, secret) };
    });
    return good;
  }

  async function useRecoveryCode(user: UserId, code: string): Promise<boolean> {
    // The store's key makes them now; a server key made those that are older.
    const typed = normalized(code);
    const shown: readonly string[] = [secrets.digestForUser(user, typed), ...secrets.digests(user, typed)];
    let good = false;
    await secondFactors.update(user, (factor) => {
      const codes = factor?.codes.filter((digest) => !shown.includes(digest)) ?? [];
      good = factor !== undefined && codes.length < factor.codes.length;
      return factor === undefined || !good ? factor : { ...completed(factor), codes };
    });
    return good;
  }

  return {
    async stepAfterPassword(user) {
      if ((await secondFactors.get(user.id)) !== undefined) return 'verifying';
      return mustHaveFactor(await secondFactors.policy(), user) ? 'enrolling' : 'none';
    },

    async check(user, kind, code, { address, browser }) {
      const using = async () => ({
        good: await (kind === 'TOTP' ? useCode(user, code) : useRecoveryCode(user, code)),
      });
      const inBrowser = knownBrowser(kind, user, browser);
      const here = await partiesOf(kind, user, address);
      const groups = inBrowser === undefined ? [here] : [inBrowser, here];
      const checked = await attemptAs(groups, using, ({ good }) => (good ? 0 : 1));
      return 'good' in checked ? checked.good : checked;
    },

    async enrol(by, url, code, address) {
      const { userId, enrolment } = by;
      const enrolling = async (): Promise<Taken> => {
        const now = clock.now();
        const secret = totpSecretOf(url);
        const step = secret === undefined ? undefined : totpStep(secret, code, now, 0);
        if (secret === undefined || step === undefined) return 'wrong';
        const sealedSecret = secrets.sealCredential(userId, secret);
        return change(by, (before) => ({
          sealedSecret,
          since: now,
          lastStep: step,
          codes: before?.codes ?? [],
          ...(enrolment === undefined ? {} : { enrolment }),
        }));
      };
      const parties = await partiesOf('TOTP', userId, address);
      return attempt(parties, enrolling, (taken) => (taken === 'wrong' ? 1 : 0));
    },

    keepCodes(by, codes) {
      const digests = codes.map((code) => secrets.digestForUser(by.userId, normalized(code)));
      return change(by, (factor) => factor && { ...factor, codes: digests });
    },

    complete: (by) => change(by, (factor) => (factor === undefined ? undefined : completed(factor))),
  };
}

/** Whoever has shown a code of it has logged in by it, also where the login that set it up was broken off. */
function completed({ enrolment: _completed, ...factor }: SecondFactor): SecondFactor {
  return factor;
}

/** Recovery codes are counted by themselves, so that they help where an authenticator's codes are used up. */
function forEachKind(
  name: string,
  limit: Limit,
  counters: Counters | undefined,
): Record<FactorKind, Limiter> {
  return {
    TOTP: createLimiter(name, limit, counters),
    BACKUP_CODE: createLimiter(`${name}-recovery`, limit, counters),
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
