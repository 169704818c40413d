/**
 * The webhooks of tenants: made, changed, tried, sent to. Sending what happens is the outbox's (`../outbox/dispatcher.ts`); here is what
 * people ask for, in whichever process: it is written where the dispatcher reads it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock, Instant } from '../base/clock.ts';
import { type DeviceId, NULL_UUID, newId, type TenantId, type UserId, type WebhookId } from '../base/ids.ts';
import { unreachable } from '../base/unreachable.ts';
import type { AddressFilter } from '../outbound/addresses.ts';
import { newSigningPair, writeSigningSecret } from '../outbound/signature.ts';
import { type Attempt, attemptAt } from '../outbox/attempts.ts';
import type { OutboxParts } from '../outbox/dispatcher.ts';
import { partsOfId } from '../outbox/event-types.ts';
import type { Message, Target, Targets } from '../outbox/message.ts';
import { type Lane, merged } from '../outbox/parking.ts';
import { type Place, WELL } from '../outbox/places.ts';
import { emptyList } from '../records/collection.ts';
import { eachMember } from '../records/pages.ts';
import type { Store } from '../store/store.ts';
import {
  type NewWebhook,
  SECRETS_MAX,
  WEBHOOKS_MAX,
  type Webhook,
  type WebhookAnswer,
  type WebhookFields,
  type WebhookReason,
  type Webhooks,
} from './model.ts';
import { ALL_WEBHOOKS, openWebhooks, webhooksOf } from './records.ts';
import { deliver, type SendingNeeds, targetOf } from './sending.ts';

export interface WebhookNeeds extends Omit<SendingNeeds, 'secrets'> {
  readonly store: Store;
  readonly parts: OutboxParts;
  readonly secrets: SendingNeeds['secrets'] & {
    sealCredential(whose: WebhookId, secret: string): string;
  };
  readonly filter: Pick<AddressFilter, 'checkUrl'>;
  readonly clock: Clock;
  /** Of one tenant. */
  readonly webhooksMax?: number;
}

const SECRET_BYTES = 32;
const ID_MAX = 64;
const TARGETS_AT_ONCE = 100;
const TARGETS_KEPT = 10_000;

/** The webhooks, and what of them the dispatcher sends to. */
export function createWebhooks(needs: WebhookNeeds): {
  readonly webhooks: Webhooks;
  readonly targets: Targets;
} {
  const { store, parts, secrets, filter, clock, webhooksMax = WEBHOOKS_MAX } = needs;
  const rows = openWebhooks(store);

  async function find(tenantId: TenantId, id: string): Promise<Webhook | undefined> {
    const webhook = id.length > ID_MAX ? undefined : await rows.find(id);
    return webhook?.tenantId === tenantId ? webhook : undefined;
  }

  function newSecret(id: WebhookId): { readonly secret: string; readonly sealed: string } {
    const secret = writeSigningSecret(randomBytes(SECRET_BYTES));
    return { secret, sealed: secrets.sealCredential(id, secret) };
  }

  async function create(
    tenantId: TenantId,
    userId: UserId,
    fields: WebhookFields,
    withPair: boolean,
  ): Promise<WebhookAnswer<NewWebhook>> {
    const url = filter.checkUrl(fields.url);
    if (typeof url === 'string') return { type: 'bad-url', why: url };
    if ((await store.index.count(webhooksOf(tenantId))) >= webhooksMax) return refused('too-many-webhooks');
    const now = clock.now();
    const id = newId<WebhookId>(now);
    const { secret, sealed } = newSecret(id);
    const pair = withPair ? newSigningPair() : undefined;
    const webhook: Webhook = {
      ...fields,
      url: url.href,
      id,
      version: 1,
      tenantId,
      createdBy: userId,
      createdAt: now,
      off: null,
      secrets: [{ sealed, until: null }],
      pair: pair === undefined ? null : pairOf(id, pair),
    };
    if (!(await rows.create(webhook))) throw new Error('a new webhook id was taken');
    await parts.begin(id); // behind it, so that the logs are kept for it from here on
    return { type: 'done', value: { webhook, secret } };
  }

  function pairOf(id: WebhookId, { privateKey, publicKey }: ReturnType<typeof newSigningPair>) {
    return { sealed: secrets.sealCredential(id, privateKey), publicKey };
  }

  async function change(
    tenantId: TenantId,
    id: string,
    next: (webhook: Webhook) => Webhook,
  ): Promise<WebhookAnswer<Webhook>> {
    if ((await find(tenantId, id)) === undefined) return refused('webhook-unknown');
    const changed = await rows.change(id, next);
    switch (changed.type) {
      case 'done':
        return { type: 'done', value: changed.entity };
      case 'not-found':
        return refused('webhook-unknown');
      case 'conflict':
      case 'taken':
        throw new Error(`a webhook could not be changed: ${changed.type}`);
      default:
        return unreachable(changed);
    }
  }

  /** Says something to the dispatcher, which then begins afresh. */
  async function ask(id: WebhookId, more: Partial<Place>): Promise<void> {
    await parts.places.update(id, (there) => there && { ...there, ...WELL, ...more, asked: there.asked + 1 });
  }

  async function sendNow(webhook: Webhook, message: Message): Promise<WebhookAnswer<Attempt>> {
    const at = clock.now();
    const sending = parts.slots.ifFree(webhook.tenantId, () => deliver(webhook, message, needs));
    if (sending === undefined) return refused('webhooks-busy');
    const delivery = await sending;
    const attempt = attemptAt(message, delivery, { at, number: 1, readAt: null });
    await parts.attempts.add(webhook.id, [attempt]);
    return { type: 'done', value: attempt };
  }

  /** An event by its id: among what waits or was given up, or in the log, where an attempt says where it is. */
  async function messageOf({ id, tenantId }: Webhook, messageId: string): Promise<Message | undefined> {
    const about = partsOfId(messageId);
    if (about === undefined) return undefined;
    const given = await parts.parking.givenUp(id);
    const lane = await parts.parking.lane(id, about.deviceId as DeviceId); // only a name to look for
    const kept = [...given.map(({ message }) => message), ...(lane?.messages ?? [])];
    const there = kept.find((message) => message.id === messageId);
    if (there !== undefined) return there;
    const attempts = await parts.attempts.of(id);
    const readAt = attempts.find((one) => one.id === messageId && one.readAt !== null)?.readAt;
    if (readAt === undefined || readAt === null) return undefined;
    const found = await parts.reader.find(readAt, about.deviceId, about.number);
    return found?.tenantId === tenantId ? found : undefined;
  }

  /** Looked for every other second, and they rarely change. */
  const made = new Map<string, Target>();

  function targetFor(webhook: Webhook): Target {
    const last = made.get(webhook.id);
    if (last?.version === webhook.version) return last;
    if (made.size >= TARGETS_KEPT) made.clear();
    const target = targetOf(webhook, needs);
    made.set(webhook.id, target);
    return target;
  }

  async function removeOne(webhook: Webhook): Promise<void> {
    await parts.noteGone(webhook.id);
    await rows.remove(webhook.id);
    await parts.forget(webhook.id); // the dispatcher does so again, once nothing of it is under way
  }

  const webhooks: Webhooks = {
    create,
    find,
    list: (tenantId, query) => rows.page(webhooksOf(tenantId), query),

    async update(tenantId, id, fields) {
      const url = filter.checkUrl(fields.url);
      if (typeof url === 'string') return { type: 'bad-url', why: url };
      return change(tenantId, id, (webhook) => ({ ...webhook, ...fields, url: url.href }));
    },

    async enable(tenantId, id, isOn) {
      const answer = await change(tenantId, id, (webhook) =>
        (webhook.off === null) === isOn ? webhook : { ...webhook, off: isOn ? null : 'user' },
      );
      if (answer.type === 'done' && isOn) await ask(answer.value.id, {});
      return answer;
    },

    async remove(tenantId, id) {
      const webhook = await find(tenantId, id);
      if (webhook === undefined) return refused('webhook-unknown');
      await removeOne(webhook);
      return { type: 'done', value: webhook };
    },

    async rotate(tenantId, id, graceSeconds) {
      const webhook = await find(tenantId, id);
      if (webhook === undefined) return refused('webhook-unknown');
      const { secret, sealed } = newSecret(webhook.id);
      const now = clock.now();
      const until = now + graceSeconds * 1000;
      const answer = await change(tenantId, id, (there) => ({
        ...there,
        secrets: [
          { sealed, until: null },
          ...there.secrets
            .map((one) => ({ ...one, until: Math.min(one.until ?? until, until) }))
            .filter((one) => one.until > now)
            .slice(0, SECRETS_MAX - 1),
        ],
      }));
      return answer.type === 'done' ? { type: 'done', value: { webhook: answer.value, secret } } : answer;
    },

    async state(id) {
      return {
        place: (await parts.places.get(id)) ?? null,
        attempts: await parts.attempts.of(id),
        givenUp: await parts.parking.givenUp(id),
        waiting: await parts.parking.count(id),
      };
    },

    async test(tenantId, id) {
      const webhook = await find(tenantId, id);
      if (webhook === undefined) return refused('webhook-unknown');
      return sendNow(webhook, testMessage(tenantId, clock.now()));
    },

    async resend(tenantId, id, messageId) {
      const webhook = await find(tenantId, id);
      if (webhook === undefined) return refused('webhook-unknown');
      const message = await messageOf(webhook, messageId);
      return message === undefined ? refused('webhook-event-gone') : sendNow(webhook, message);
    },

    async recover(tenantId, id, since) {
      const webhook = await find(tenantId, id);
      if (webhook === undefined) return refused('webhook-unknown');
      const givenUp = (await parts.parking.givenUp(webhook.id)).map(({ message }) => message);
      const wanted = givenUp.filter(({ at }) => at >= since);
      // Put into their lanes first, then taken out of what was given up: a crash in between has them twice and loses none.
      const fellOut = new Set<string>();
      for (const message of wanted) {
        const now = clock.now();
        const next = (lane: Lane | undefined): Lane => ({
          messages: merged(lane?.messages ?? [], [message]),
          attempts: 0,
          nextAt: now,
        });
        const over = await parts.parking.change(webhook.id, message.deviceId, next, now);
        for (const { id: messageId } of over) fellOut.add(messageId);
      }
      // What fell out of a full lane stays given up.
      const taken = wanted.map((message) => message.id).filter((messageId) => !fellOut.has(messageId));
      await parts.parking.takeGivenUp(webhook.id, new Set(taken));
      await ask(webhook.id, {});
      return { type: 'done', value: wanted.length };
    },

    async replay(tenantId, id, { since, until, types }) {
      const webhook = await find(tenantId, id);
      if (webhook === undefined) return refused('webhook-unknown');
      const positions = await parts.reader.positionsAt(since);
      await ask(webhook.id, { replay: { since, until, types, positions, sent: 0 } });
      return { type: 'done', value: webhook };
    },

    forgetTenant: (tenantId) => emptyList(rows, webhooksOf(tenantId), removeOne),
  };

  return {
    webhooks,
    targets: {
      async *all() {
        for await (const id of eachMember(store.index, ALL_WEBHOOKS, TARGETS_AT_ONCE)) {
          const webhook = await rows.find(id);
          if (webhook !== undefined) yield targetFor(webhook);
        }
      },
      async disable(id, because) {
        await rows.change(id, (webhook) => (webhook.off === null ? { ...webhook, off: because } : webhook));
      },
    },
  };
}

function testMessage(tenantId: TenantId, at: Instant): Message {
  return {
    id: `test_${randomUUID()}`,
    tenantId,
    deviceId: NULL_UUID as DeviceId, // of no device
    number: 0,
    type: 'webhook.test',
    at,
    data: { message: 'This is a test. Nothing has happened.' },
    customerIds: [],
    profileId: undefined,
  };
}

function refused(reason: WebhookReason): { readonly type: 'refused'; readonly reason: WebhookReason } {
  return { type: 'refused', reason };
}
