/**
 * What happened with claims in a tenant, day by day, for a month back: counted from its audit trail, which has what happened on
 * all nodes. Days are those of UTC.
 *
 * A tenant has one record: the days, and up to which place of the trail they are counted. Both are replaced at once, so no entry
 * is counted twice or left out, whoever counts and wherever a process ends. A round in the background counts on from time to time;
 * who asks counts what is still left. Entries that the trail let go of before they were counted are missing.
 *
 * What has been counted does not depend on the clock, which may be wrong for a moment on any node: entries of days to come are
 * counted as others are, and the record has some days more than are shown. Which are shown is decided when somebody asks.
 */
import type { Clock, Instant } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { slices } from '../base/slices.ts';
import { openRecords } from '../records/records.ts';
import { createRounds, type Rounds } from '../records/rounds.ts';
import type { Store } from '../store/store.ts';
import type { Blocks } from './blocks.ts';
import { addClaim, type ClaimTimes, type TimeToClaim, timeToClaim, together } from './claim-times.ts';
import { figuresOf, timesOf } from './figures.ts';
import type { Line } from './line.ts';

const DAY_MS = 86_400_000;
/** Days that are shown, today among them. */
export const DAYS = 31;
/** Days of a record, the newest on which something happened: so many may come from wrong clocks and cost none that is shown. */
const DAYS_KEPT = DAYS + 14;
const FIRST_MS = 30_000;
const EVERY_MS = 60_000;
/** Blocks of the trail that one answer counts; the round in the background counts all. */
const BLOCKS_AT_ONCE = 100;
/** Lines that are counted in one turn of the event loop. */
const LINES_PER_TURN = 1_000;
/** Reasons of one day. They are codes of ours, of which there are fewer. */
const REASONS_MAX = 200;

export interface Day extends Figures {
  readonly timeToClaim: TimeToClaim;
}

interface Figures {
  readonly startTime: Instant;
  readonly windowsOpened: number;
  readonly claimed: number;
  readonly givenBack: number;
  readonly refused: number;
  /** How often each reason was given; together as many as were refused. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** A day as it is kept. Earlier versions kept no times. */
interface DayKept extends Figures {
  readonly times?: ClaimTimes;
}

interface Counted {
  /** Entries of the trail that are in the days, from its beginning. */
  readonly place: number;
  /** Those on which something happened, in their order. */
  readonly days: readonly DayKept[];
}

export interface ClaimDays {
  /** The oldest first; the last one is today. */
  readonly days: readonly Day[];
  /** Of all these days. */
  readonly timeToClaim: TimeToClaim;
  /** False: the trail has more than was counted yet. */
  readonly complete: boolean;
}

export interface Days {
  /** Rejects with `StoreUnavailable`. */
  of(tenantId: TenantId): Promise<ClaimDays>;
  /**
   * Counts on, up to the end of the trail.
   * @param mayGoOn asked before each step
   */
  count(tenantId: TenantId, mayGoOn: () => Promise<boolean>): Promise<void>;
}

/** The tenant is gone. */
export async function forgetDays(store: Store, tenantId: TenantId): Promise<void> {
  await recordsIn(store).remove(tenantId);
}

function recordsIn(store: Store) {
  return openRecords<Counted>(store, 'claim-days');
}

export function createDays(store: Store, blocks: Pick<Blocks, 'since'>, clock: Clock): Days {
  const records = recordsIn(store);

  /** One step. Resolves to what is counted then, and whether that is all. */
  async function step(tenantId: TenantId): Promise<{ readonly counted: Counted; readonly isAll: boolean }> {
    const snapshot = await records.read(tenantId);
    const { place, days } = snapshot?.value ?? { place: 0, days: [] };
    // A trail of which something is counted is read on from there, whatever the clock says.
    const from = place === 0 ? firstShown(clock.now()) : 0;
    const read = await blocks.since(tenantId, place, from, BLOCKS_AT_ONCE);
    if (read.place === place) return { counted: { place, days }, isAll: true };
    const counted = { place: read.place, days: await withLines(days, read.lines) };
    const isOurs = await records.swap(tenantId, snapshot, counted);
    // Somebody else counted meanwhile: what is there by now is looked at in the next step.
    return isOurs ? { counted, isAll: read.isAll } : { counted: { place, days }, isAll: false };
  }

  return {
    async of(tenantId) {
      const { counted, isAll } = await step(tenantId);
      const first = firstShown(clock.now());
      const known = new Map(counted.days.map((day) => [day.startTime, day]));
      const kept = Array.from({ length: DAYS }, (_, at) => first + at * DAY_MS).map(
        (startTime) => known.get(startTime) ?? emptyDay(startTime),
      );
      const days = kept.map(({ times = [], ...figures }) => ({
        ...figures,
        timeToClaim: timeToClaim(times),
      }));
      const all = together(kept.map(({ times = [] }) => times));
      return { days, timeToClaim: timeToClaim(all), complete: isAll };
    },

    async count(tenantId, mayGoOn) {
      while (await mayGoOn()) if ((await step(tenantId)).isAll) return;
    },
  };
}

/** Whether there is such a tenant, and nobody is deleting it. */
type TenantStands = (id: TenantId) => Promise<boolean>;

/** The same as `of`, which may write while somebody deletes the tenant: then nothing of that is left. */
export function daysOfStanding(of: Days['of'], store: Store, tenantStands: TenantStands): Days['of'] {
  return async (tenantId) => {
    const days = await of(tenantId);
    await forgetUnless(tenantStands, store, tenantId);
    return days;
  };
}

/** To be called after a write: who deletes the tenant marks it first, and forgets its days last. */
async function forgetUnless(tenantStands: TenantStands, store: Store, tenantId: TenantId): Promise<void> {
  if (!(await tenantStands(tenantId))) await forgetDays(store, tenantId);
}

/** @param tenants all there are */
export function createDayRounds(
  store: Store,
  days: Pick<Days, 'count'>,
  tenants: () => AsyncIterable<TenantId>,
  clock: Clock,
  log: Log,
  tenantStands: TenantStands,
): Rounds {
  return createRounds(
    store,
    {
      name: 'claim-days',
      what: 'audit',
      firstMs: FIRST_MS,
      everyMs: EVERY_MS,
      away: 'what happened with claims could not be counted by day; trying again',
      async round(mayGoOn) {
        for await (const tenantId of tenants()) {
          if (!(await mayGoOn())) return;
          await days.count(tenantId, mayGoOn);
          await forgetUnless(tenantStands, store, tenantId);
        }
      },
    },
    clock,
    log,
  );
}

/** The day with which a month back begins. */
function firstShown(now: Instant): Instant {
  return startOf(now) - (DAYS - 1) * DAY_MS;
}

function startOf(at: Instant): Instant {
  return at - (at % DAY_MS);
}

function emptyDay(startTime: Instant): DayKept {
  return { startTime, windowsOpened: 0, claimed: 0, givenBack: 0, refused: 0, reasons: {} };
}

/** A day that is being counted: lines are many, so nothing is copied for each. */
interface Counting extends Omit<{ -readonly [Name in keyof Figures]: Figures[Name] }, 'reasons'> {
  readonly reasons: Map<string, number>;
  times: number[] | undefined;
}

/** The days with what these lines of the trail say; the newest of them. */
async function withLines(before: readonly DayKept[], lines: readonly Line[]): Promise<readonly DayKept[]> {
  const days = new Map(before.map((day) => [day.startTime, counting(day)]));
  for await (const some of slices(lines, LINES_PER_TURN)) for (const line of some) countLine(days, line);
  return [...days.values()]
    .sort((one, other) => one.startTime - other.startTime)
    .slice(-DAYS_KEPT)
    .map(counted);
}

function counting({ reasons, times, ...figures }: DayKept): Counting {
  return { ...figures, reasons: new Map(Object.entries(reasons)), times: times && [...times] };
}

function counted({ reasons, times, ...figures }: Counting): DayKept {
  const kept = { ...figures, reasons: Object.fromEntries(reasons) };
  return times === undefined ? kept : { ...kept, times };
}

function countLine(days: Map<Instant, Counting>, [at, action, , , , , , data, failure]: Line): void {
  const startTime = startOf(at);
  for (const figure of figuresOf({ action, data })) {
    const day = days.get(startTime) ?? counting(emptyDay(startTime));
    days.set(startTime, day);
    const times = figure === 'refused' ? timesOf(data) : 1;
    day[figure] += times;
    if (figure === 'refused') countReason(day.reasons, failure === 0 ? 'unknown' : failure, times);
    if (figure !== 'claimed' || data.windowOpenedAt === undefined) continue;
    day.times ??= [];
    addClaim(day.times, data.windowOpenedAt, at);
  }
}

function countReason(reasons: Map<string, number>, reason: string, times: number): void {
  const name = reasons.has(reason) || reasons.size < REASONS_MAX ? reason : 'unknown';
  reasons.set(name, (reasons.get(name) ?? 0) + times);
}
