/** What happens in a tenant: events as they happen, and figures of the last hours. */

import { z } from 'zod';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import { createStatistics } from '../../actors/audit/statistics.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import { TENANT } from '../auth/principal.ts';
import type { EventLog } from '../event-log.ts';
import type { Feed } from '../feed.ts';
import { defineRoute, type Route } from '../route.ts';
import { badRequest, tooManyRequests } from '../wire/errors.ts';
import { switched } from '../wire/query.ts';
import { json } from '../wire/reply.ts';

export interface LiveNeeds {
  readonly audit: AuditTrail;
  readonly devices: Devices;
  readonly clock: Clock;
  readonly feed: Feed;
  readonly eventLog: EventLog;
}

/** After this time a stream ends, so that the client connects again with a valid token. */
const STREAM_SECONDS_MAX = 3600;
const HOURS_MAX = 168;
const RETRY_FEED_MS = 10_000;

export const windowsView = z.object({
  /** In the order in which they close. */
  data: z.array(
    z.object({
      deviceId: z.uuid(),
      deviceName: z.string(),
      openedAt: z.int(),
      closesAt: z.int(),
      openedBy: z.enum(['device', 'gateway']),
    }),
  ),
  /** False if too many were opened to look at all of them. */
  complete: z.boolean(),
});

export const statisticsView = z.object({
  /** The oldest first; the last one is the current hour. */
  hours: z.array(
    z.object({
      startTime: z.int(),
      windowsOpened: z.int(),
      /** Open at the end of the hour, or now. Windows opened more than a day before the first hour are not counted. */
      windowsOpen: z.int(),
      claimed: z.int(),
      givenBack: z.int(),
      refused: z.int(),
    }),
  ),
  /** Of all these hours, what happened most often first. */
  refusals: z.array(z.object({ reason: z.string(), count: z.int() })),
  /** From the opening of a window to the claim in it; null where nothing was claimed so. */
  timeToClaim: z.object({ count: z.int(), medianMs: z.int().nullable() }),
  /** False if more happened than is counted; then the oldest hours show too little. */
  complete: z.boolean(),
});

/** From the opening of a window to the claim in it, of as many claims as are counted here. Of classes of times, so about. */
const timeToClaimView = z.object({
  count: z.int(),
  medianMs: z.int().nullable(),
  /** Nine of ten took no longer. */
  p90Ms: z.int().nullable(),
});

export const daysView = z.object({
  /** The oldest first; the last one is today. Days are those of UTC. */
  days: z.array(
    z.object({
      startTime: z.int(),
      windowsOpened: z.int(),
      claimed: z.int(),
      givenBack: z.int(),
      refused: z.int(),
      /** Of this day, by reason. */
      reasons: z.record(z.string(), z.int()),
      timeToClaim: timeToClaimView,
    }),
  ),
  /** Of all these days. */
  timeToClaim: timeToClaimView,
  /** False while the trail is still counted: then the newest days show too little. */
  complete: z.boolean(),
});

const whole = (name: string, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, `${name} should be a whole number!`)
    .transform(Number)
    .refine((value) => value <= max, `${name} should be at most ${max}!`)
    .default(fallback)
    .meta({ documentedAs: { type: 'integer', minimum: 0, maximum: max, default: fallback } });

export function liveRoutes({ audit, devices, clock, feed, eventLog }: LiveNeeds): Route[] {
  const statistics = createStatistics(audit, devices, clock);
  return [
    defineRoute({
      method: 'GET',
      path: '/api/events',
      summary:
        "What happens to the tenant's devices from now on, as server-sent events: windows opened, closed and elapsed, " +
        'devices claimed, assigned, given back and unassigned, claims refused, as far as this process hears of it',
      roles: TENANT,
      grants: ['everything', 'delegated'],
      description:
        'With resumable=true the events of all nodes, read from the log: those that webhooks get, as events "event" with ids. ' +
        'Who comes back with Last-Event-ID goes on behind it, as event sources do; where something in between is not kept any more, ' +
        'an event "resync" says so.',
      resumable: true,
      query: z.object({
        seconds: whole('seconds', STREAM_SECONDS_MAX, STREAM_SECONDS_MAX),
        resumable: switched('resumable'),
        /** For clients that cannot send the header. */
        lastEventId: z.string().optional(),
      }),
      responses: {
        200: { description: 'text/event-stream; each event "device" has JSON as its data' },
        400: { description: 'Last-Event-ID is none of these ids' },
        429: { description: 'Too many watch already' },
      },
      async handle({ principal, query, stillMay, lastEventId = query.lastEventId }) {
        const { tenantId, userId } = principal;
        const after = lastEventId === '' ? undefined : lastEventId;
        if (after !== undefined && !eventLog.isId(after))
          return badRequest('Last-Event-ID is none of these ids!');
        const isResumable = query.resumable === true || after !== undefined;
        const watch = { tenantId, userId, lastsMs: query.seconds * 1000, stillMay };
        // Before the answer: whoever has it misses nothing that happens from then on.
        const start = isResumable ? await eventLog.start(after) : undefined;
        const source = start && ((isEnded: () => boolean) => eventLog.read(tenantId, start, isEnded));
        const body = feed.watch(watch, source);
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
        const { windows: data, complete } = await statistics.openWindows(tenantId);
        return json({ data, complete });
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
        return json(await statistics.claims(principal.tenantId, Math.max(1, query.hours)));
      },
    }),

    defineRoute({
      method: 'GET',
      path: '/api/tenant/claimDays',
      summary: 'The same day by day for a month back, counted from the audit trail',
      roles: TENANT,
      responses: { 200: { description: 'The figures', schema: daysView } },
      handle: async ({ principal }) => json(await audit.days(principal.tenantId)),
    }),
  ];
}
