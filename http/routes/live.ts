/** What is going on in a tenant: events as they happen, and how much happened in the last hours. */
import { z } from 'zod';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { AuditPage } from '../../actors/audit/blocks.ts';
import type { Action } from '../../actors/audit/entry.ts';
import type { Clock, Instant } from '../../actors/base/clock.ts';
import { mapInSlices } from '../../actors/base/slices.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import type { Feed } from '../feed.ts';
import { defineRoute, type Route } from '../route.ts';
import { tooManyRequests } from '../wire/errors.ts';
import { json } from '../wire/reply.ts';

export interface LiveNeeds {
  readonly audit: AuditTrail;
  readonly devices: Devices;
  readonly clock: Clock;
  readonly feed: Feed;
}

const TENANT = ['TENANT_ADMIN'] as const;
const HOUR_MS = 3_600_000;
/** A stream ends after it, and the client comes back: with a token that is worth something still. */
const STREAM_SECONDS_MAX = 3600;
const HOURS_MAX = 168;
/** Entries of the audit trail that figures are made of, the newest first. */
const COUNTED_MAX = 10_000;
const RETRY_FEED_MS = 10_000;

/** Windows that were opened longer before the first hour are not counted as open. */
const LOOK_BACK_MS = 24 * HOUR_MS;

const COUNTED: readonly Action[] = [
  'CLAIM_WINDOW_OPENED',
  'CLAIM_WINDOW_CLOSED',
  'CLAIM_WINDOW_EXPIRED',
  'ASSIGNED_TO_CUSTOMER',
  'UNASSIGNED_FROM_CUSTOMER',
  'CLAIM_REFUSED',
];

/** Devices looked at to see which windows are open, those first whose window was opened last. */
const LOOKED_AT_MAX = 2_000;

export const windowsView = z.object({
  /** Those first that close first. */
  data: z.array(
    z.object({
      deviceId: z.uuid(),
      deviceName: z.string(),
      openedAt: z.int(),
      closesAt: z.int(),
      openedBy: z.enum(['device', 'gateway']),
    }),
  ),
  /** False when so many were opened that not all of them were looked at. */
  complete: z.boolean(),
});

export const statisticsView = z.object({
  /** The oldest first; the last one is the hour that is going on. */
  hours: z.array(
    z.object({
      startTime: z.int(),
      windowsOpened: z.int(),
      /** At the end of the hour, or now; of windows that were opened less than a day before the first hour. */
      windowsOpen: z.int(),
      claimed: z.int(),
      givenBack: z.int(),
      refused: z.int(),
    }),
  ),
  /** False when more happened than is counted: then the oldest hours show too little. */
  complete: z.boolean(),
});

const whole = (name: string, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, `${name} should be a whole number!`)
    .transform(Number)
    .refine((value) => value <= max, `${name} should be at most ${max}!`)
    .default(fallback);

export function liveRoutes({ audit, devices, clock, feed }: LiveNeeds): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/events',
      summary:
        "What happens to the tenant's devices from now on, as server-sent events: windows opened, closed and elapsed, " +
        'devices claimed, assigned, given back and unassigned, claims refused, as far as this process hears of it',
      roles: TENANT,
      grants: ['everything'],
      query: z.object({ seconds: whole('seconds', STREAM_SECONDS_MAX, STREAM_SECONDS_MAX) }),
      responses: {
        200: { description: 'text/event-stream; each event "device" has JSON as its data' },
        429: { description: 'Too many watch already' },
      },
      handle({ principal, query, stillMay }) {
        const { tenantId, userId } = principal;
        const body = feed.watch({ tenantId, userId, lastsMs: query.seconds * 1000, stillMay });
        if (body === undefined) return tooManyRequests('Too many watch already', RETRY_FEED_MS);
        return { type: 'stream', contentType: 'text/event-stream', body };
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/tenant/claimWindows',
      summary:
        'Which claim windows are open: found by the audit trail, so a window shows a second after it was opened',
      roles: TENANT,
      responses: { 200: { description: 'The windows', schema: windowsView } },
      async handle({ principal: { tenantId } }) {
        const now = clock.now();
        const wanted = { page: 0, pageSize: COUNTED_MAX, actions: ['CLAIM_WINDOW_OPENED'] } as const;
        const page = await audit.find(tenantId, wanted);
        const ids = [...new Set(page.items.flatMap(({ deviceId }) => deviceId ?? []))];
        const looked = await mapInSlices(ids.slice(0, LOOKED_AT_MAX), (id) => devices.read(id));
        const open = looked.flatMap((device) => {
          if (device === undefined || device.tenantId !== tenantId || device.window === null) return [];
          const { openedAt, closesAt, openedBy } = device.window;
          const { id: deviceId, name: deviceName } = device;
          return closesAt <= now ? [] : [{ deviceId, deviceName, openedAt, closesAt, openedBy }];
        });
        const complete = sawAll(page) && ids.length <= LOOKED_AT_MAX;
        return json({ data: open.sort((a, b) => a.closesAt - b.closesAt), complete });
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/tenant/claimStatistics',
      summary:
        'How many windows were opened, devices claimed and given back, and claims refused, hour by hour',
      roles: TENANT,
      query: z.object({ hours: whole('hours', HOURS_MAX, 24) }),
      responses: { 200: { description: 'The figures', schema: statisticsView } },
      async handle({ principal, query }) {
        const now = clock.now();
        const last = now - (now % HOUR_MS);
        const first = last - Math.max(0, query.hours - 1) * HOUR_MS;
        const hours = Array.from({ length: Math.max(1, query.hours) }, (_, at) => ({
          startTime: first + at * HOUR_MS,
          windowsOpened: 0,
          windowsOpen: 0,
          claimed: 0,
          givenBack: 0,
          refused: 0,
        }));
        const wanted = { page: 0, pageSize: COUNTED_MAX, startTime: first - LOOK_BACK_MS, actions: COUNTED };
        const page = await audit.find(principal.tenantId, wanted);
        const open = new Map<string, number>();
        let counted = 0;
        /** The hours that are over by then; at the end also the one that is going on. */
        const countUntil = (instant: Instant, atLast = false) => {
          for (; counted < hours.length; counted += 1) {
            const hour = hours[counted];
            const end = Math.min(first + (counted + 1) * HOUR_MS, now);
            const goesOn = counted === hours.length - 1;
            if (hour === undefined || end > instant || (goesOn && !atLast)) return;
            for (const [id, closesAt] of open) if (closesAt <= end) open.delete(id);
            hour.windowsOpen = open.size;
          }
        };
        for (const { at, action, data, deviceId: id = '' } of [...page.items].reverse()) {
          countUntil(at);
          if (action === 'CLAIM_WINDOW_OPENED') open.set(id, Number(data.closesAt));
          else if (action !== 'CLAIM_REFUSED') open.delete(id);
          const hour = hours[Math.floor((at - first) / HOUR_MS)];
          if (hour === undefined) continue;
          if (action === 'CLAIM_WINDOW_OPENED') hour.windowsOpened += 1;
          else if (action === 'CLAIM_REFUSED') hour.refused += 1;
          else if (action === 'ASSIGNED_TO_CUSTOMER' && data.by === 'claim') hour.claimed += 1;
          else if (action === 'UNASSIGNED_FROM_CUSTOMER' && data.by === 'reclaim') hour.givenBack += 1;
        }
        countUntil(now, true);
        return json({ hours, complete: sawAll(page) });
      },
    }),
  ];
}

/** Whether the entries are all that there are. */
function sawAll({ total, searchedTo }: AuditPage): boolean {
  return total <= COUNTED_MAX && searchedTo === undefined;
}
