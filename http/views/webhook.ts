/** What clients see of a webhook: never its secrets, which are shown once, when they are made. */
import { z } from 'zod';
import type { Attempt } from '../../actors/outbox/attempts.ts';
import { FORMATS, type Webhook, type WebhookState } from '../../actors/webhooks/model.ts';
import { instant, optional, uuid } from './parts.ts';

export const webhookView = z
  .object({
    id: uuid,
    createdTime: instant,
    label: z.string(),
    url: z.string(),
    format: z.enum(FORMATS),
    /** Empty: all types. */
    events: z.array(z.string()),
    deviceProfileIds: z.array(uuid),
    customerIds: z.array(uuid),
    enabled: z.boolean(),
    /** Why it is switched off: by somebody (`user`), it answered 410 (`gone`), nothing came through for five days (`failing`). */
    disabledBecause: z.enum(['user', 'gone', 'failing']).nullable(),
    /** How many secrets sign: more than one while a secret is replaced. */
    signingSecrets: z.int(),
    /** Of Ed25519, if that signs too: `whpk_…`. */
    publicKey: optional,
  })
  .meta({ id: 'Webhook' });

export const newWebhookView = webhookView
  .extend({
    /** `whsec_…`: shown now and never again. */
    secret: z.string(),
  })
  .meta({ id: 'NewWebhook' });

export const attemptView = z
  .object({
    /** The `webhook-id`: the same for each attempt at one event. */
    messageId: z.string(),
    type: z.string(),
    createdTime: instant,
    /** Which attempt at this event it was, from 1. */
    attempt: z.int(),
    delivered: z.boolean(),
    /** The status, or `blocked`, `unreachable`, `timeout`. */
    outcome: z.string(),
    tookMs: z.int(),
    /** The beginning of an answer that refused. */
    answer: z.string(),
  })
  .meta({ id: 'WebhookAttempt' });

export const webhookStateView = z
  .object({
    delivered: z.int(),
    /** Events that were given up after all attempts; `recover` tries them again, as far as they are kept. */
    givenUp: z.int(),
    kept: z.int(),
    /** Devices of which events wait, because one before them was not delivered. */
    devicesWaiting: z.int(),
    failingSince: instant.nullable(),
    /** Nothing is sent until then. */
    restsUntil: instant.nullable(),
    /** How many events a replay has sent so far; null: there is none. */
    replayed: z.int().nullable(),
    /** The newest first. */
    attempts: z.array(attemptView),
  })
  .meta({ id: 'WebhookState' });

export function viewWebhook(webhook: Webhook, now: number): z.infer<typeof webhookView> {
  const { id, createdAt, label, url, format, events, profileIds, customerIds, off, secrets, pair } = webhook;
  return {
    id,
    createdTime: createdAt,
    label,
    url,
    format,
    events: [...events],
    deviceProfileIds: [...profileIds],
    customerIds: [...customerIds],
    enabled: off === null,
    disabledBecause: off,
    signingSecrets: secrets.filter(({ until }) => until === null || now < until).length,
    publicKey: pair?.publicKey ?? null,
  };
}

export function viewAttempt(attempt: Attempt): z.infer<typeof attemptView> {
  const { id: messageId, type, at, number, isDelivered: delivered, outcome, tookMs, answer } = attempt;
  return { messageId, type, createdTime: at, attempt: number, delivered, outcome, tookMs, answer };
}

export function viewWebhookState(
  { place, attempts, givenUp, waiting }: WebhookState,
  onlyFailed: boolean,
): z.infer<typeof webhookStateView> {
  const shown = onlyFailed ? attempts.filter(({ isDelivered }) => !isDelivered) : attempts;
  return {
    delivered: place?.delivered ?? 0,
    givenUp: place?.givenUp ?? 0,
    kept: givenUp.length,
    devicesWaiting: waiting,
    failingSince: place?.failingSince ?? null,
    restsUntil: place?.restsUntil ?? null,
    replayed: place?.replay?.sent ?? null,
    attempts: shown.map(viewAttempt),
  };
}
