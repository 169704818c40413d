/**
 * Figures from a tenant's audit trail: which claim windows are open, and how much happened in each hour.
 *
 * Both read a bounded number of entries, the newest first, and say whether that was everything.
 */
import type { Clock, Instant } from '../base/clock.ts';
import type { DeviceId, TenantId } from '../base/ids.ts';
import { mapInSlices } from '../base/slices.ts';
import { type ClaimWindow, type DeviceRecord, openWindow } from '../device/state.ts';
import type { Devices } from '../fleet/devices.ts';
import type { AuditTrail } from './audit.ts';
import type { Action, AuditEntry } from './entry.ts';
import { figuresOf, isClaim, OPENING_ACTIONS, opensWindow, timesOf } from './figures.ts';
import type { AuditPage } from './query.ts';

/** Entries that one answer is made from. */
const ENTRIES_MAX = 10_000;
/** Devices that are read to see whether their windows are open, those opened last first. */
const DEVICES_READ_MAX = 2_000;
const HOUR_MS = 3_600_000;
/** A window opened longer ago than this before the first hour is not counted as open. */
const LOOK_BACK_MS = 24 * HOUR_MS;

const COUNTED_ACTIONS: readonly Action[] = [
  ...OPENING_ACTIONS,
  'CLAIM_WINDOW_CLOSED',
  'CLAIM_WINDOW_EXPIRED',
  'ASSIGNED_TO_CUSTOMER',
  'CLAIM_REFUSED',
  'TAKE_OVER_ASKED',
];

interface OpenWindow extends Pick<ClaimWindow, 'openedAt' | 'closesAt' | 'openedBy'> {
  readonly deviceId: DeviceId;
  readonly deviceName: string;
}

interface OpenWindows {
  /** The one that closes first comes first. */
  readonly windows: readonly OpenWindow[];
  /** False when more windows were opened than were looked at. */
  readonly complete: boolean;
}

interface HourlyFigures {
  readonly startTime: Instant;
  readonly windowsOpened: number;
  /** At the end of the hour, or now in the hour that is still running. */
  readonly windowsOpen: number;
  readonly claimed: number;
  readonly givenBack: number;
  /** However few entries stand for them. */
  readonly refused: number;
}

interface ClaimStatistics {
  /** Why claims were refused in these hours, what happened most often first. */
  readonly refusals: readonly { readonly reason: string; readonly count: number }[];
  /** From the opening of a window to the claim in it; of as many claims as were made in windows that are known. */
  readonly timeToClaim: { readonly count: number; readonly medianMs: number | null };
  /** The oldest first; the last one is the hour that is still running. */
  readonly hours: readonly HourlyFigures[];
  /** False when more happened than is counted: then the oldest hours show too little. */
  readonly complete: boolean;
}

export interface Statistics {
  /** Found by the trail, so a window shows about a second after it was opened. Rejects with `StoreUnavailable`. */
  openWindows(tenantId: TenantId): Promise<OpenWindows>;
  /** @param hours how many hours, the running one included; at least 1. Rejects with `StoreUnavailable`. */
  claims(tenantId: TenantId, hours: number): Promise<ClaimStatistics>;
}

export function createStatistics(
  audit: Pick<AuditTrail, 'find'>,
  devices: Pick<Devices, 'read'>,
  clock: Clock,
): Statistics {
  return {
    async openWindows(tenantId) {
      const now = clock.now();
      const query = { page: 0, pageSize: ENTRIES_MAX, actions: OPENING_ACTIONS } as const;
      const page = await audit.find(tenantId, query);
      const ids = [...new Set(page.items.flatMap(({ deviceId }) => deviceId ?? []))];
      const read = await mapInSlices(ids.slice(0, DEVICES_READ_MAX), (id) => devices.read(id));
      const windows = read
        .flatMap((device) => (device?.tenantId === tenantId ? openWindowOf(device, now) : []))
        .sort((a, b) => a.closesAt - b.closesAt);
      return { windows, complete: isWhole(page) && ids.length <= DEVICES_READ_MAX };
    },

    async claims(tenantId, hours) {
      const now = clock.now();
      const firstHour = now - (now % HOUR_MS) - (hours - 1) * HOUR_MS;
      const startTime = firstHour - LOOK_BACK_MS;
      const query = { page: 0, pageSize: ENTRIES_MAX, startTime, actions: COUNTED_ACTIONS };
      const page = await audit.find(tenantId, query);
      const entries = [...page.items].reverse();
      return {
        hours: countByHour(entries, firstHour, hours, now),
        refusals: refusalsByReason(entries, firstHour),
        timeToClaim: timeToClaim(entries, firstHour),
        complete: isWhole(page),
      };
    },
  };
}

function openWindowOf(device: DeviceRecord, now: Instant): OpenWindow[] {
  const window = openWindow(device, now);
  if (window === null) return [];
  const { openedAt, closesAt, openedBy } = window;
  return [{ deviceId: device.id, deviceName: device.name, openedAt, closesAt, openedBy }];
}

/** @param entries the oldest first, from a day before the first hour on, so that windows open since then are known */
function countByHour(
  entries: readonly AuditEntry[],
  firstHour: Instant,
  count: number,
  now: Instant,
): HourlyFigures[] {
  const hours = Array.from({ length: count }, (_, at) => ({
    startTime: firstHour + at * HOUR_MS,
    windowsOpened: 0,
    windowsOpen: 0,
    claimed: 0,
    givenBack: 0,
    refused: 0,
  }));
  /** When each open window closes, by its device. */
  const open = new Map<string, Instant>();
  let ended = 0;
  const endHours = (upTo: number): void => {
    for (; ended < upTo; ended += 1) {
      const hour = hours[ended];
      if (hour === undefined) return;
      const endsAt = Math.min(hour.startTime + HOUR_MS, now);
      for (const [device, closesAt] of open) if (closesAt <= endsAt) open.delete(device);
      hour.windowsOpen = open.size;
    }
  };

  for (const entry of entries) {
    const { at, action, data, deviceId = '' } = entry;
    const which = Math.floor((at - firstHour) / HOUR_MS);
    endHours(Math.min(which, count - 1)); // the running hour has not ended
    const opens = opensWindow(entry);
    if (opens) open.set(deviceId, Number(data.closesAt));
    else if (action !== 'CLAIM_REFUSED' && data.pending !== true) open.delete(deviceId);

    const hour = hours[which];
    if (hour === undefined) continue;
    for (const figure of figuresOf(entry)) hour[figure] += figure === 'refused' ? timesOf(data) : 1;
  }
  endHours(count);
  return hours;
}

function refusalsByReason(entries: readonly AuditEntry[], from: Instant): ClaimStatistics['refusals'] {
  const counts = new Map<string, number>();
  for (const { at, action, failure = 'unknown', data } of entries) {
    if (action !== 'CLAIM_REFUSED' || at < from) continue;
    counts.set(failure, (counts.get(failure) ?? 0) + timesOf(data));
  }
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count);
}

/** @param entries the oldest first, from before the first hour on */
function timeToClaim(entries: readonly AuditEntry[], from: Instant): ClaimStatistics['timeToClaim'] {
  const openedAt = new Map<string, Instant>();
  const times: number[] = [];
  for (const entry of entries) {
    const { at, action, deviceId = '' } = entry;
    if (opensWindow(entry)) openedAt.set(deviceId, at);
    if (action !== 'ASSIGNED_TO_CUSTOMER') continue;
    const opened = openedAt.get(deviceId);
    openedAt.delete(deviceId);
    if (opened !== undefined && at >= from && isClaim(entry)) times.push(at - opened);
  }
  times.sort((a, b) => a - b);
  return { count: times.length, medianMs: times[Math.floor(times.length / 2)] ?? null };
}

/** Whether the page holds every entry there is. */
function isWhole({ total, searchedTo }: AuditPage): boolean {
  return total <= ENTRIES_MAX && searchedTo === undefined;
}
