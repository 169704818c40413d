/** Composes webhooks: what people ask for, the dispatcher that sends, and how long the logs wait for it. */
import type { Clock } from '../../actors/base/clock.ts';
import type { Log } from '../../actors/base/log.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import type { Tracing } from '../../actors/base/tracing.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { createDispatcher, type Dispatcher, openOutbox } from '../../actors/outbox/dispatcher.ts';
import type { ProfileOf } from '../../actors/outbox/known-devices.ts';
import type { Target, Targets } from '../../actors/outbox/message.ts';
import { openNeededLogs } from '../../actors/outbox/places.ts';
import type { MessageReader } from '../../actors/outbox/reader.ts';
import type { Store } from '../../actors/store/store.ts';
import type { Webhooks } from '../../actors/webhooks/model.ts';
import { createWebhooks } from '../../actors/webhooks/webhooks.ts';
import type { Config } from '../options/schema.ts';
import type { Outbound } from './outbound.ts';

export interface WebhookParts {
  readonly webhooks: Webhooks;
  readonly dispatcher: Dispatcher;
  /** Reads the log as messages. */
  readonly reader: MessageReader;
  /** One that is no webhook, from the next look on. Before the dispatcher starts. */
  addTarget(target: Target): Promise<void>;
}

export interface WebhookComposition extends Pick<Outbound, 'filter' | 'send'> {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly profiles: Pick<Profiles, 'defaultIdOf'>;
  readonly clock: Clock;
  readonly log: Log;
  /** What this server is called. */
  readonly server: string;
  readonly tracing?: Tracing | undefined;
}

export function composeWebhooks(settings: Config['webhooks'], needs: WebhookComposition): WebhookParts {
  const { profiles } = needs;
  const profileOf: ProfileOf = ({ tenantId, profileId }) => profileId ?? profiles.defaultIdOf(tenantId);
  const outbox = {
    ...needs,
    chance: Math.random,
    profileOf,
  };
  const parts = openOutbox(outbox);
  const { webhooks, targets } = createWebhooks({
    ...needs,
    parts,
    timeoutMs: settings.timeoutMs,
    webhooksMax: settings.perTenant,
  });
  const others: Target[] = [];
  const both: Targets = {
    async *all() {
      yield* others;
      yield* targets.all();
    },
    async disable(id, because) {
      if (!others.some((target) => target.id === id)) await targets.disable(id, because);
    },
  };
  return {
    webhooks,
    dispatcher: createDispatcher(outbox, parts, both),
    reader: parts.reader,
    async addTarget(target) {
      // From the first time on that it was asked for; after that it goes on where it was.
      await parts.begin(target.id);
      others.push(target);
    },
  };
}

/** The log says so at most this often. */
const COMPLAIN_EVERY_MS = 600_000;

/**
 * Events of each log that stay although the trail and all webhooks have read them: streams of events (`GET /api/events`) read
 * the same logs by the half second, and who comes back goes on with them. Some 0.3 MB.
 */
const KEPT_FOR_STREAMS = 1_000;

/**
 * Up to where a log may be trimmed: it waits for the webhooks, up to so many events. What lies behind that is gone for those that
 * are not through yet, and the log tells it.
 */
export function trimmedUpTo(
  store: Store,
  eventsMax: number,
  clock: Clock,
  log: Log,
): (which: number, upTo: number) => Promise<number> {
  const needed = openNeededLogs(store);
  let complainedAt = Number.NEGATIVE_INFINITY;
  return async (which, upTo) => {
    const from = (await needed.from(which)) ?? upTo;
    if (from < upTo - eventsMax && clock.elapsed() - complainedAt > COMPLAIN_EVERY_MS) {
      complainedAt = clock.elapsed();
      log.warn(
        { option: 'webhooks.logEventsMax', log: which, behind: upTo - from },
        'a webhook, mail or the external broker is too far behind: the oldest events that it has not had are let go of',
      );
    }
    return Math.max(0, Math.min(from, upTo - KEPT_FOR_STREAMS), upTo - eventsMax);
  };
}
