/** What is sent out, and what is known of whom it goes to. Nothing here knows how it is sent. */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, DeviceId, ProfileId, TenantId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import type { TraceText } from '../base/tracing.ts';

/** An event of a device, as it is told outside. It has no secret in it. */
export interface Message {
  /** Always the same for the same event, so that who hears it twice can tell. */
  readonly id: string;
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** The number of the event in its device's life: messages of one device go out in this order. */
  readonly number: number;
  /** `device.claimed` and the like. */
  readonly type: string;
  readonly at: Instant;
  readonly data: JsonObject;
  /** For filters: the customers whom it is about, and the device's profile. Undefined where that cannot be known any more. */
  readonly customerIds: readonly CustomerId[];
  readonly profileId: ProfileId | undefined;
  /** What the event is a part of, where that was recorded. */
  readonly trace?: TraceText;
}

/** Where a message was read: behind this position of this log. */
export interface ReadAt {
  readonly which: number;
  readonly from: number;
}

/** What became of one attempt. */
export type Delivery =
  | { readonly type: 'delivered'; readonly told: Told }
  | {
      readonly type: 'failed';
      readonly told: Told;
      /** For how long the counterpart asks to be left alone, in ms; 0: it does not say. */
      readonly askedMs: number;
      /** `busy`: all of the counterpart, not only this message. `gone`: it wants nothing any more. */
      readonly all?: 'busy' | 'gone';
    };

/** What the log keeps of an attempt: a status and the beginning of an answer, or why there was none. */
export interface Told {
  readonly outcome: string;
  readonly answer: string;
  readonly tookMs: number;
}

/** Somebody to whom messages go. */
export interface Target {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly isActive: boolean;
  /** Another one with every change of what it wants, and where. */
  readonly version: number;
  /** The longest rest where nothing comes through, in ms; absent: an hour. */
  readonly restMaxMs?: number;
  wants(message: Message): boolean;
  /** Never rejects for what the counterpart does. */
  deliver(message: Message): Promise<Delivery>;
}

/** Whoever has targets tells the dispatcher which they are, and hears of those that end. */
export interface Targets {
  /** All there are, switched off or not. */
  all(): AsyncIterable<Target>;
  /** Nothing has come through for too long, or the counterpart wants nothing any more: it is switched off. */
  disable(id: string, because: 'gone' | 'failing'): Promise<void>;
}
