/**
 * The live sessions of users. A token is good only while its session is among them, so what has ended stays ended,
 * however long its tokens would still be valid and however many sessions came after it.
 *
 * They lie in one plain record per user, which is bounded and which every check of a token's user reads anyway. A
 * session counts the user's `credentialsVersion` at its login: a new password and disabling the user end all of them in
 * the same commit.
 */
import { randomUUID } from 'node:crypto';
import type { Instant } from '../base/clock.ts';
import type { UserId } from '../base/ids.ts';
import type { Records } from '../records/records.ts';
import type { StoredUser } from './kinds.ts';
import type { AccountSettings, Session, User, Users } from './model.ts';
import type { UserBase } from './user-base.ts';

export const ACTIVITY_KIND = 'user-activity';

/** What users do by themselves; kept apart from `User`, so that a login cannot undo an administrator's change. */
export interface Activity {
  readonly lastLoginAt: Instant | null;
  /** Absent in records of versions that kept the ended sessions instead; of those no session is live. */
  readonly sessions?: readonly StoredSession[];
  /** The network addresses that the user logged in from, the newest last. Absent in older records. */
  readonly signedInFrom?: readonly string[];
}

interface StoredSession extends Omit<Session, 'endsAt' | 'rotation' | 'impersonator'> {
  readonly credentialsVersion: number;
  /** Absent: the session is the user's own. */
  readonly impersonator?: NonNullable<Session['impersonator']>;
  /** Absent: 0. */
  readonly rotation?: number;
  /** When that became the newest refresh token; absent: at the start. */
  readonly rotatedAt?: Instant;
}

export interface Sessions
  extends Pick<
    Users,
    | 'lastLoginAt'
    | 'startSession'
    | 'sessions'
    | 'used'
    | 'rotate'
    | 'endSession'
    | 'endSessions'
    | 'endSessionsVia'
  > {
  /** Whether the user has logged in from this address before, be the session live or not. */
  signedInFrom(id: UserId, address: string): Promise<boolean>;
  liveOf(user: Pick<StoredUser, 'id' | 'credentialsVersion'>): Promise<readonly Session[]>;
  /** The user's credentials changed: ends all sessions but `keep`, which goes on under the new ones. */
  carryOver(user: Pick<StoredUser, 'id' | 'credentialsVersion'>, keep: string | undefined): Promise<void>;
}

const NO_ACTIVITY: Activity = { lastLoginAt: null };
/** Of one user; the one that was not used for longest is forgotten. */
const ADDRESSES_MAX = 10;
/** Later than any clock. */
const NEVER: Instant = 8_640_000_000_000_000;
/** Of one user at a time; beyond it the oldest ends. */
const IMPERSONATIONS_MAX = 10;
const USE_WRITTEN_EVERY_MS = 5 * 60 * 1000;
/** Uses that go unwritten are a tenth of the idle time at most. */
const IDLE_PARTS = 10;

export function sessionsOf(
  { clock, settings, users, changed }: UserBase,
  activities: Records<Activity>,
): Sessions {
  const useWrittenEveryMs = Math.min(USE_WRITTEN_EVERY_MS, settings.sessionIdleMs / IDLE_PARTS);
  /** Sessions whose use is being written. */
  const writing = new Set<string>();

  const isLive = (session: StoredSession) => isWithin(session, clock.now(), settings);

  async function changeSessions(
    id: UserId,
    next: (live: readonly StoredSession[], before: Activity) => Activity,
  ): Promise<void> {
    await activities.update(id, (stored) => {
      const before = stored ?? NO_ACTIVITY;
      const { signedInFrom } = before;
      const after = next((before.sessions ?? []).filter(isLive), before);
      return signedInFrom === undefined ? after : { signedInFrom, ...after };
    });
    changed(id);
    if ((await users.find(id)) === undefined) await activities.remove(id); // the user was removed meanwhile
  }

  async function liveOf({ id, credentialsVersion }: Pick<StoredUser, 'id' | 'credentialsVersion'>) {
    const { sessions = [] } = (await activities.get(id)) ?? NO_ACTIVITY;
    return sessions
      .filter((session) => isLive(session) && session.credentialsVersion === credentialsVersion)
      .map((session) => publicSession(session, settings));
  }

  async function sessions(id: UserId): Promise<readonly Session[]> {
    const user = await users.find(id);
    return user === undefined ? [] : liveOf(user);
  }

  async function endSessions(id: UserId, ends: (session: Session) => boolean): Promise<number> {
    const ending = new Set((await sessions(id)).filter(ends).map((session) => session.id));
    if (ending.size === 0) return 0;
    await changeSessions(id, (live, before) => ({
      lastLoginAt: before.lastLoginAt,
      sessions: live.filter((session) => !ending.has(session.id)),
    }));
    return ending.size;
  }

  return {
    async signedInFrom(id, address) {
      return (await activities.get(id))?.signedInFrom?.includes(address) ?? false;
    },

    liveOf,
    sessions,

    async lastLoginAt(id) {
      return (await activities.get(id))?.lastLoginAt ?? null;
    },

    async startSession({ id, credentialsVersion }: User, { address, device, via }, impersonator) {
      const now = clock.now();
      const session: StoredSession = {
        id: randomUUID(),
        startedAt: now,
        lastUsedAt: now,
        address,
        device,
        credentialsVersion,
        ...(impersonator === undefined ? {} : { impersonator }),
        ...(via === undefined ? {} : { via }),
      };
      await changeSessions(id, (live, { lastLoginAt, signedInFrom = [] }) => {
        const others = live.filter((other) => other.credentialsVersion >= credentialsVersion);
        const own = impersonator === undefined;
        const alike = others.filter((other) => (other.impersonator === undefined) === own);
        const max = own ? settings.sessionsMax : IMPERSONATIONS_MAX;
        const dropped = alike.slice(0, Math.max(0, alike.length + 1 - max));
        return {
          lastLoginAt: own ? now : lastLoginAt,
          sessions: [...others.filter((other) => !dropped.includes(other)), session],
          ...(own ? { signedInFrom: withNewest(signedInFrom, address) } : {}),
        };
      });
      return publicSession(session, settings);
    },

    used(id, { id: sessionId, lastUsedAt }) {
      if (clock.now() - lastUsedAt < useWrittenEveryMs || writing.has(sessionId)) return undefined;
      writing.add(sessionId);
      return changeSessions(id, (live, before) => {
        const session = live.find((one) => one.id === sessionId);
        if (session === undefined) return before;
        const others = live.filter((one) => one !== session);
        // At the end: the first is always the one that was not used for longest.
        const sessions = [...others, { ...session, lastUsedAt: clock.now() }];
        return { lastLoginAt: before.lastLoginAt, sessions };
      }).finally(() => writing.delete(sessionId));
    },

    async rotate(id, sessionId, presented) {
      const now = clock.now();
      let outcome: Session | 'reused' | undefined;
      await changeSessions(id, (live, before) => {
        outcome = undefined;
        const session = live.find((one) => one.id === sessionId);
        const newest = session?.rotation ?? 0;
        // A later one than the newest there is: the store was restored from a backup.
        if (session === undefined || session.impersonator !== undefined || presented > newest) return before;
        const { lastLoginAt } = before;
        const others = live.filter((one) => one !== session);
        if (presented === newest) {
          const next = { ...session, lastUsedAt: now, rotation: newest + 1, rotatedAt: now };
          outcome = publicSession(next, settings);
          return { lastLoginAt, sessions: [...others, next] };
        }
        const { rotatedAt = session.startedAt } = session;
        if (presented === newest - 1 && now - rotatedAt < settings.refreshGraceMs) {
          outcome = publicSession(session, settings);
          return before;
        }
        outcome = 'reused';
        return { lastLoginAt, sessions: others };
      });
      return outcome;
    },

    async endSession(id, sessionId) {
      return (await endSessions(id, (session) => session.id === sessionId)) > 0;
    },

    endSessions: (id, keep) => endSessions(id, (session) => session.id !== keep),

    endSessionsVia: (id, { providerId, sid }) =>
      endSessions(id, ({ via }) => via?.providerId === providerId && (sid === undefined || via.sid === sid)),

    carryOver: ({ id, credentialsVersion }, keep) =>
      changeSessions(id, (live, before) => ({
        lastLoginAt: before.lastLoginAt,
        sessions: live
          .filter((session) => session.id === keep || session.credentialsVersion >= credentialsVersion)
          .map((session) => (session.id === keep ? { ...session, credentialsVersion } : session)),
      })),
  };
}

function withNewest(addresses: readonly string[], newest: string): readonly string[] {
  return [...addresses.filter((address) => address !== newest), newest].slice(-ADDRESSES_MAX);
}

function endOf({ startedAt, impersonator }: StoredSession, settings: AccountSettings): Instant {
  const { sessionMaxMs, impersonationMs } = settings;
  if (impersonator !== undefined) return startedAt + impersonationMs;
  return sessionMaxMs === 0 ? NEVER : startedAt + sessionMaxMs;
}

function isWithin(session: StoredSession, now: Instant, settings: AccountSettings): boolean {
  return now < endOf(session, settings) && now - session.lastUsedAt < settings.sessionIdleMs;
}

function publicSession(stored: StoredSession, settings: AccountSettings): Session {
  const { credentialsVersion: _, rotatedAt: __, rotation = 0, impersonator, ...session } = stored;
  return { ...session, rotation, impersonator, endsAt: endOf(stored, settings) };
}
