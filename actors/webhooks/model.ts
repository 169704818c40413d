/**
 * Webhooks: URLs of a tenant's that hear what happens to its devices, signed as Standard Webhooks 1.0.0 says. What one is, and what
 * can be asked of it.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, ProfileId, TenantId, UserId, WebhookId } from '../base/ids.ts';
import type { Attempt } from '../outbox/attempts.ts';
import type { GivenUp } from '../outbox/parking.ts';
import type { Place } from '../outbox/places.ts';
import type { Page } from '../records/pages.ts';

/** `plain`: Standard Webhooks' own body. The others: CloudEvents 1.0, whole in the body, or with its attributes as headers. */
export const FORMATS = ['plain', 'structured', 'binary'] as const;
export type Format = (typeof FORMATS)[number];

/** Secrets that sign at once: the newest, and those that it replaces one after the other. */
export const SECRETS_MAX = 3;
export const WEBHOOKS_MAX = 20;
/** How long an old secret goes on signing beside its successor. */
export const GRACE_SECONDS = 86_400;
export const GRACE_SECONDS_MAX = 7 * 86_400;

/** What the tenant says of it. */
export interface WebhookFields {
  /** For the tenant. */
  readonly label: string;
  readonly url: string;
  readonly format: Format;
  /** Types of events; empty: all. One that ends in `.*` stands for all that begin so. */
  readonly events: readonly string[];
  /** Only of devices of these profiles, and about these customers; empty: of all. */
  readonly profileIds: readonly ProfileId[];
  readonly customerIds: readonly CustomerId[];
}

interface SealedSecret {
  readonly sealed: string;
  /** It signs until just before this instant; null: until it is replaced. */
  readonly until: Instant | null;
}

export interface Webhook extends WebhookFields {
  readonly id: WebhookId;
  /** Counts the changes, from 1. */
  readonly version: number;
  readonly tenantId: TenantId;
  readonly createdBy: UserId;
  readonly createdAt: Instant;
  /** `user`: somebody switched it off. `gone`: it answered 410. `failing`: nothing came through for five days. */
  readonly off: 'user' | 'gone' | 'failing' | null;
  /** The newest first. */
  readonly secrets: readonly SealedSecret[];
  /** Signs by Ed25519 too; null: it does not. */
  readonly pair: { readonly sealed: string; readonly publicKey: string } | null;
}

export type WebhookReason = 'webhook-unknown' | 'too-many-webhooks' | 'webhook-event-gone' | 'webhooks-busy';

export type WebhookAnswer<Value> =
  | { readonly type: 'done'; readonly value: Value }
  | { readonly type: 'refused'; readonly reason: WebhookReason }
  /** Why the URL may not be called: a sentence. */
  | { readonly type: 'bad-url'; readonly why: string };

export interface NewWebhook {
  readonly webhook: Webhook;
  /** Shown now and never again. */
  readonly secret: string;
}

export interface WebhookState {
  /** Null before the first events. */
  readonly place: Place | null;
  readonly attempts: readonly Attempt[];
  readonly givenUp: readonly GivenUp[];
  /** Devices of which something waits. */
  readonly waiting: number;
}

/** All of it rejects with `StoreUnavailable`. Another tenant's webhook is `webhook-unknown`. */
export interface Webhooks {
  create(
    tenantId: TenantId,
    userId: UserId,
    fields: WebhookFields,
    withPair: boolean,
  ): Promise<WebhookAnswer<NewWebhook>>;
  find(tenantId: TenantId, id: string): Promise<Webhook | undefined>;
  list(
    tenantId: TenantId,
    query: { readonly page: number; readonly pageSize: number },
  ): Promise<Page<Webhook>>;
  update(tenantId: TenantId, id: string, fields: WebhookFields): Promise<WebhookAnswer<Webhook>>;
  /** Switched on again it goes on where it was. */
  enable(tenantId: TenantId, id: string, isOn: boolean): Promise<WebhookAnswer<Webhook>>;
  remove(tenantId: TenantId, id: string): Promise<WebhookAnswer<Webhook>>;
  /** A new secret; the one before signs too for a while. */
  rotate(tenantId: TenantId, id: string, graceSeconds: number): Promise<WebhookAnswer<NewWebhook>>;
  state(id: WebhookId): Promise<WebhookState>;
  /** Sends an event that says nothing, at once; `webhooks-busy`: as many of the tenant's are under way as may be. */
  test(tenantId: TenantId, id: string): Promise<WebhookAnswer<Attempt>>;
  /** Sends one event once more, at once and whatever waits before it. */
  resend(tenantId: TenantId, id: string, messageId: string): Promise<WebhookAnswer<Attempt>>;
  /** Tries again what was given up and happened since an instant. Resolves to how many. */
  recover(tenantId: TenantId, id: string, since: Instant): Promise<WebhookAnswer<number>>;
  /** Sends once more what happened in a time, also what came through. */
  replay(
    tenantId: TenantId,
    id: string,
    range: { readonly since: Instant; readonly until: Instant; readonly types: readonly string[] },
  ): Promise<WebhookAnswer<Webhook>>;
  /** Removes all of a tenant that is being deleted. If it fails, calling it again continues. */
  forgetTenant(tenantId: TenantId): Promise<void>;
}
