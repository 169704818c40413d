/** Webhooks of a tenant: made, changed, tried, and what became of what was sent. Sending is the outbox's. */
import { z } from 'zod';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Action } from '../../actors/audit/entry.ts';
import type { Clock } from '../../actors/base/clock.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { typesNamed } from '../../actors/outbox/event-types.ts';
import {
  FORMATS,
  GRACE_SECONDS,
  GRACE_SECONDS_MAX,
  type Webhook,
  type WebhookAnswer,
  type Webhooks,
} from '../../actors/webhooks/model.ts';
import { TENANT, type TenantAdministrator } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { pageView, viewPage } from '../views/page.ts';
import {
  attemptView,
  newWebhookView,
  viewAttempt,
  viewWebhook,
  viewWebhookState,
  webhookStateView,
  webhookView,
} from '../views/webhook.ts';
import { badRequest, notFound, tooManyRequests } from '../wire/errors.ts';
import { empty, json, type Problem, type Reply } from '../wire/reply.ts';
import { customerId, kitPaging, optionalText, profileId, requiredText } from '../wire/schemas.ts';
import { noteChange } from './user-notes.ts';

type WebhookAction = Extract<Action, 'ADDED' | 'UPDATED' | 'DELETED'>;

export interface WebhookRouteNeeds {
  readonly webhooks: Webhooks;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

const URL_MAX = 2_000;
const LISTED_MAX = 50;
const RETRY_BUSY_MS = 15_000;

const listed = <Item extends z.ZodType>(item: Item, what: string) =>
  z
    .array(item, { error: `${what} should be a list!` })
    .max(LISTED_MAX, `${what} may name at most ${LISTED_MAX}!`)
    .default([]);

const types = listed(
  z
    .string()
    .refine(
      (text) => typesNamed(text).length > 0,
      'events should be types of events, like device.claimed or device.window.*!',
    ),
  'events',
);

const fields = {
  label: optionalText('The label'),
  url: requiredText('url', URL_MAX),
  format: z.enum(FORMATS, { error: `format should be one of ${FORMATS.join(', ')}!` }).default('plain'),
  /** Empty: all but `claim.refused`, which has to be named. */
  events: types,
  deviceProfileIds: listed(profileId, 'deviceProfileIds'),
  customerIds: listed(customerId, 'customerIds'),
};
const BODY_SHOULD = { error: 'The body should be {"url": …}!' };
const changeBody = z.object(fields, BODY_SHOULD);
const createBody = z.object({ ...fields, ed25519: z.boolean().default(false) }, BODY_SHOULD);

const inPath = z.object({ webhookId: z.string() });
const epochMs = z.int().nonnegative();
const NO_SUCH = { description: 'No such webhook' };
const BUSY = { description: 'As many requests to webhooks of the tenant are under way as may be' };

export function webhookRoutes(needs: WebhookRouteNeeds): Route[] {
  return [
    createWebhook(needs),
    listWebhooks(needs),
    readWebhook(needs),
    changeWebhook(needs),
    deleteWebhook(needs),
    switchWebhook(needs, 'enable'),
    switchWebhook(needs, 'disable'),
    rotateSecret(needs),
    tryWebhook(needs),
    listAttempts(needs),
    resend(needs),
    recover(needs),
    replay(needs),
  ];
}

function createWebhook(needs: WebhookRouteNeeds): Route {
  const { webhooks, clock } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/webhook',
    stores: true,
    summary: "Make a webhook: a URL that hears, by signed requests, what happens to the tenant's devices",
    description: 'Signed as Standard Webhooks 1.0.0 says. The secret is shown in this answer alone.',
    roles: TENANT,
    body: createBody,
    responses: {
      200: { description: 'The webhook, with its secret', schema: newWebhookView },
      400: { description: 'A URL that may not be called, an unknown type of event, or too many webhooks' },
    },
    async handle({ principal, body: { ed25519, ...body } }) {
      const { tenantId, userId } = principal;
      const answer = await webhooks.create(tenantId, userId, fieldsOf(body), ed25519);
      if (answer.type !== 'done') return problemOf(answer);
      const { webhook, secret } = answer.value;
      await note(needs, principal, 'ADDED', webhook);
      return json({ ...viewWebhook(webhook, clock.now()), secret });
    },
  });
}

function fieldsOf({ label, deviceProfileIds: profileIds, ...rest }: z.output<typeof changeBody>) {
  return { ...rest, label: label ?? '', profileIds };
}

function listWebhooks({ webhooks, clock }: WebhookRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/webhooks',
    summary: 'The webhooks of the tenant, in the order of creation',
    roles: TENANT,
    query: kitPaging,
    responses: { 200: { description: 'A page of webhooks', schema: pageView(webhookView) } },
    async handle({ principal, query }) {
      const page = await webhooks.list(principal.tenantId, query);
      return json(viewPage(page, query, (webhook) => viewWebhook(webhook, clock.now())));
    },
  });
}

function readWebhook({ webhooks, clock }: WebhookRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/webhook/:webhookId',
    summary: 'A webhook, without its secrets',
    roles: TENANT,
    params: inPath,
    responses: { 200: { description: 'The webhook', schema: webhookView }, 404: NO_SUCH },
    async handle({ principal, params }) {
      const webhook = await webhooks.find(principal.tenantId, params.webhookId);
      return webhook === undefined ? notFound : json(viewWebhook(webhook, clock.now()));
    },
  });
}

function changeWebhook(needs: WebhookRouteNeeds): Route {
  const { webhooks } = needs;
  return defineRoute({
    method: 'PUT',
    path: '/api/webhook/:webhookId',
    stores: true,
    summary: 'Change a webhook: what is not named becomes its default',
    roles: TENANT,
    params: inPath,
    body: changeBody,
    responses: {
      200: { description: 'The webhook as it is now', schema: webhookView },
      400: { description: 'A URL that may not be called, or an unknown type of event' },
      404: NO_SUCH,
    },
    async handle({ principal, params, body }) {
      const answer = await webhooks.update(principal.tenantId, params.webhookId, fieldsOf(body));
      return changed(needs, principal, 'UPDATED', answer);
    },
  });
}

function deleteWebhook(needs: WebhookRouteNeeds): Route {
  const { webhooks } = needs;
  return defineRoute({
    method: 'DELETE',
    path: '/api/webhook/:webhookId',
    summary: 'Delete a webhook, with what waits for it',
    roles: TENANT,
    params: inPath,
    responses: { 200: { description: 'It is gone', isEmpty: true }, 404: NO_SUCH },
    async handle({ principal, params }) {
      const answer = await webhooks.remove(principal.tenantId, params.webhookId);
      if (answer.type !== 'done') return problemOf(answer);
      await note(needs, principal, 'DELETED', answer.value);
      return empty;
    },
  });
}

function switchWebhook(needs: WebhookRouteNeeds, to: 'enable' | 'disable'): Route {
  const { webhooks } = needs;
  return defineRoute({
    method: 'POST',
    path: `/api/webhook/:webhookId/${to}`,
    summary:
      to === 'enable'
        ? 'Switch a webhook on: it goes on where it was, and what waits is tried at once'
        : 'Switch a webhook off: it goes on there when it is switched on again',
    roles: TENANT,
    params: inPath,
    responses: { 200: { description: 'The webhook as it is now', schema: webhookView }, 404: NO_SUCH },
    async handle({ principal, params }) {
      const answer = await webhooks.enable(principal.tenantId, params.webhookId, to === 'enable');
      return changed(needs, principal, 'UPDATED', answer);
    },
  });
}

function rotateSecret(needs: WebhookRouteNeeds): Route {
  const { webhooks, clock } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/webhook/:webhookId/secret/rotate',
    stores: true,
    summary:
      'A new secret; the one before it signs too for a while, so that receivers change theirs without a gap',
    roles: TENANT,
    params: inPath,
    body: z
      .object({
        graceSeconds: z
          .int()
          .nonnegative()
          .max(GRACE_SECONDS_MAX, `graceSeconds should be at most ${GRACE_SECONDS_MAX}!`)
          .default(GRACE_SECONDS),
      })
      .default({ graceSeconds: GRACE_SECONDS }),
    responses: {
      200: { description: 'The webhook, with its new secret', schema: newWebhookView },
      404: NO_SUCH,
    },
    async handle({ principal, params, body }) {
      const answer = await webhooks.rotate(principal.tenantId, params.webhookId, body.graceSeconds);
      if (answer.type !== 'done') return problemOf(answer);
      const { webhook, secret } = answer.value;
      await note(needs, principal, 'UPDATED', webhook, { secret: 'new', graceSeconds: body.graceSeconds });
      return json({ ...viewWebhook(webhook, clock.now()), secret });
    },
  });
}

function tryWebhook({ webhooks }: WebhookRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/webhook/:webhookId/test',
    summary: 'Send the event webhook.test at once, and say what came of it',
    roles: TENANT,
    params: inPath,
    responses: { 200: { description: 'The attempt', schema: attemptView }, 404: NO_SUCH, 429: BUSY },
    async handle({ principal, params }) {
      const answer = await webhooks.test(principal.tenantId, params.webhookId);
      return answer.type === 'done' ? json(viewAttempt(answer.value)) : problemOf(answer);
    },
  });
}

function listAttempts({ webhooks }: WebhookRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/webhook/:webhookId/attempts',
    summary: 'How a webhook does: the newest attempts, what waits and what was given up',
    roles: TENANT,
    params: inPath,
    query: z.object({
      status: z.enum(['all', 'failed'], { error: 'status should be all or failed!' }).default('all'),
    }),
    responses: { 200: { description: 'The state', schema: webhookStateView }, 404: NO_SUCH },
    async handle({ principal, params, query }) {
      const webhook = await webhooks.find(principal.tenantId, params.webhookId);
      if (webhook === undefined) return notFound;
      return json(viewWebhookState(await webhooks.state(webhook.id), query.status === 'failed'));
    },
  });
}

function resend({ webhooks }: WebhookRouteNeeds): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/webhook/:webhookId/attempts/:messageId/resend',
    summary: 'Send one event once more, at once, under its id, whatever waits before it',
    roles: TENANT,
    params: z.object({ webhookId: z.string(), messageId: z.string() }),
    responses: {
      200: { description: 'The attempt', schema: attemptView },
      400: { description: 'The event is not kept any more, or this webhook never had it' },
      404: NO_SUCH,
      429: BUSY,
    },
    async handle({ principal, params }) {
      const answer = await webhooks.resend(principal.tenantId, params.webhookId, params.messageId);
      return answer.type === 'done' ? json(viewAttempt(answer.value)) : problemOf(answer);
    },
  });
}

function recover(needs: WebhookRouteNeeds): Route {
  const { webhooks } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/webhook/:webhookId/recover',
    summary: 'Try again all events that were given up and happened since an instant',
    roles: TENANT,
    params: inPath,
    body: z.object({ since: epochMs.default(0) }).default({ since: 0 }),
    responses: {
      200: { description: 'How many', schema: z.object({ recovered: z.int() }) },
      404: NO_SUCH,
    },
    async handle({ principal, params, body }) {
      const answer = await webhooks.recover(principal.tenantId, params.webhookId, body.since);
      return answer.type === 'done' ? json({ recovered: answer.value }) : problemOf(answer);
    },
  });
}

function replay(needs: WebhookRouteNeeds): Route {
  const { webhooks, clock } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/webhook/:webhookId/replay',
    summary:
      'Send once more, under their ids, all events that happened in a time, also those that were delivered, as far as the log keeps them',
    roles: TENANT,
    params: inPath,
    body: z.object(
      { since: epochMs, until: epochMs.optional(), types },
      { error: 'The body should be {"since": …}!' },
    ),
    responses: {
      200: { description: 'It is under way; the attempts show how far', schema: webhookView },
      400: { description: 'until is not after since' },
      404: NO_SUCH,
    },
    async handle({ principal, params, body: { since, until = clock.now(), types: wanted } }) {
      if (until <= since) return badRequest('until should be after since!');
      const range = { since, until, types: wanted.flatMap(typesNamed) };
      const answer = await webhooks.replay(principal.tenantId, params.webhookId, range);
      return changed(needs, principal, 'UPDATED', answer, { replay: { since, until } });
    },
  });
}

async function changed(
  needs: WebhookRouteNeeds,
  principal: TenantAdministrator,
  action: WebhookAction,
  answer: WebhookAnswer<Webhook>,
  more: object = {},
): Promise<Reply> {
  if (answer.type !== 'done') return problemOf(answer);
  await note(needs, principal, action, answer.value, more);
  return json(viewWebhook(answer.value, needs.clock.now()));
}

/** What the audit trail says of it. The query of a URL may be a secret of the receiver's. */
async function note(
  { audit }: WebhookRouteNeeds,
  principal: TenantAdministrator,
  action: WebhookAction,
  { id, label, url, off }: Webhook,
  more: object = {},
): Promise<void> {
  const { origin, pathname } = new URL(url);
  const data = { webhook: id, label, url: `${origin}${pathname}`, enabled: off === null, ...more };
  await noteChange(audit, principal, { tenantId: principal.tenantId, action, data });
}

function problemOf(answer: Exclude<WebhookAnswer<unknown>, { readonly type: 'done' }>): Problem {
  if (answer.type === 'bad-url') return badRequest(`url cannot be used: ${answer.why}!`);
  switch (answer.reason) {
    case 'webhook-unknown':
      return notFound;
    case 'too-many-webhooks':
      return badRequest('There are as many webhooks as there may be!');
    case 'webhooks-busy':
      return tooManyRequests('As many requests to webhooks are under way as may be', RETRY_BUSY_MS);
    case 'webhook-event-gone':
      return badRequest('This event is not kept any more, or was never for this webhook!');
    default:
      return unreachable(answer.reason);
  }
}
