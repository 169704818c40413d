/**
 * What was observed of one simulated run: what callers asked and heard, and what became durable, with the order of all
 * of it. This is everything the checkers get to see. It is written in words of its own, with secrets in the clear, so
 * that a checker needs nothing of the code it checks; only the shape of journal records is shared, as types.
 */
import type { DeviceEvent } from '../../actors/device/device.ts';
import type { RefusalReason } from '../../actors/device/messages.ts';
import type { OwnershipRules } from '../../actors/device/ownership-rules.ts';

/** A place in the order of all that happened, and the instant that the clock of the node concerned showed then. */
export interface Moment {
  readonly step: number;
  /** Milliseconds since the epoch, by the node's own clock. */
  readonly at: number;
}

/** A gateway that has or had an owner, in one of its epochs (O8, O9). */
export interface Gate {
  readonly gateway: string;
  readonly epoch: number;
}

/** What a caller wants of one device. `tenant` is who asks; a `customer` of null means the tenant's administrator. */
export type Request =
  | {
      readonly type: 'provision';
      readonly tenant: string;
      readonly name: string;
      readonly token: string;
      readonly customer: string | null;
      /** The gateway that brings it up. */
      readonly via: string | null;
    }
  | {
      readonly type: 'rename';
      readonly tenant: string;
      readonly customer: string | null;
      readonly name: string;
    }
  | { readonly type: 'change-credentials'; readonly tenant: string; readonly token: string }
  /** The device shows the credentials that it was given for its next ones. */
  | { readonly type: 'adopt'; readonly token: string }
  /** A customer reads the credentials. */
  | {
      readonly type: 'read-credentials';
      readonly tenant: string;
      readonly customer: string;
      readonly user: string;
    }
  /** The tenant lets a window be claimed that waits for it. */
  | { readonly type: 'approve'; readonly tenant: string; readonly user: string; readonly openedAt: number }
  | { readonly type: 'delete'; readonly tenant: string }
  | {
      readonly type: 'initiate';
      readonly by:
        | { readonly type: 'device'; readonly token: string }
        /** `owned` absent: the tenant's own. */
        | {
            readonly type: 'gateway';
            readonly tenant: string;
            readonly owned?: Gate & { readonly customer: string };
          };
      readonly secret: string;
      readonly durationMs: number;
      /** When it came to the broker it waited behind, by the clock of the node that it was for; absent: by none (O5). */
      readonly arrivedAt?: number;
    }
  | {
      readonly type: 'reset';
      readonly by: Extract<Request, { readonly type: 'initiate' }>['by'];
      readonly secret: string;
      readonly durationMs: number;
      readonly isRedelivery: boolean;
    }
  /** Of the alarms, not of a caller: a take-over is due. `stands`: who asked for it still exists. */
  | {
      readonly type: 'complete';
      readonly customer: string;
      readonly inEpoch: number;
      readonly stands: boolean;
    }
  | {
      readonly type: 'end-take-over';
      readonly tenant: string;
      readonly customer: string | null;
      readonly user: string;
      readonly inEpochs?: readonly number[];
    }
  | {
      readonly type: 'confirm';
      readonly tenant: string;
      readonly customer: string;
      readonly user: string;
      readonly secret: string;
      /** What was found out about the gateway that opened the window; null: nothing. */
      readonly gate: Gate | null;
      /** Shown in place of the secret: what a device with this token signed. */
      readonly proof?: { readonly nonce: string; readonly token: string };
      /** The epoch for which the operator's policy has allowed it. */
      readonly consentIn?: number;
      /** What it gave with that: the attribute `plan`. */
      readonly gives?: number;
    }
  | {
      readonly type: 'challenge';
      readonly tenant: string;
      readonly customer: string;
      readonly user: string;
      readonly nonce: string;
      readonly validMs: number;
    }
  | {
      readonly type: 'kit';
      readonly tenant: string;
      readonly customer: string;
      readonly user: string;
      /** The owner epoch in which the device was put into the kit. */
      readonly grantedIn: number;
      readonly consentIn?: number;
      readonly gives?: number;
    }
  | {
      readonly type: 'reclaim';
      readonly tenant: string;
      readonly customer: string | null;
      readonly user: string;
      readonly inEpochs?: readonly number[];
    }
  | {
      readonly type: 'assign';
      readonly tenant: string;
      readonly customer: string;
      readonly user: string;
      readonly inEpochs?: readonly number[];
    }
  | {
      readonly type: 'unassign';
      readonly tenant: string;
      readonly customer: string | null;
      readonly user: string;
      readonly inEpochs?: readonly number[];
    }
  | {
      readonly type: 'offer';
      readonly tenant: string;
      readonly customer: string;
      readonly user: string;
      readonly transfer: string;
      readonly to: Party;
      readonly durationMs: number;
      readonly inEpochs?: readonly number[];
    }
  | {
      readonly type: 'accept';
      readonly tenant: string;
      readonly customer: string;
      readonly user: string;
      readonly transfer: string;
      /** The code that is shown. */
      readonly code: string | null;
    }
  | {
      readonly type: 'decline';
      readonly tenant: string;
      readonly customer: string;
      readonly user: string;
      readonly transfer: string;
    }
  | {
      readonly type: 'withdraw';
      readonly tenant: string;
      readonly customer: string | null;
      readonly user: string;
    }
  | {
      readonly type: 'save';
      readonly tenant: string;
      readonly customer: string | null;
      /** A number of its own in every save, so that its event can be told from others. */
      readonly mark: number;
      readonly allowed: Allowed;
      readonly key: { readonly secret: string; readonly expiresAt: number } | null;
      /** Bytes of ballast among the attributes. */
      readonly padding: number;
    }
  | {
      readonly type: 'forget';
      readonly tenant: string;
      readonly customer: string | null;
      readonly keys: readonly string[];
    }
  | { readonly type: 'read' };

/** For whom an offer is: a customer, the e-mail address of a customer's user, or whoever knows a code. */
export type Party =
  | { readonly type: 'customer' | 'address'; readonly customer: string }
  | { readonly type: 'code'; readonly code: string };

/** How the id of credentials begins that are a certificate; all others are access tokens. */
export const CERTIFICATE = 'certificate';

/** The attribute `claimingAllowed`; null: there is none (or, in a save: it is not touched). */
export type Allowed = boolean | string | null;

/** A device as an answer or a read showed it; null: there is no such device. */
export interface Seen {
  readonly tenant: string;
  readonly name: string;
  readonly token: string;
  /** What the token will be, and until when the old one can fetch it. */
  readonly next: { readonly token: string; readonly until: number } | null;
  readonly quarantined: boolean;
  /** Whether a customer has read the newest credentials. */
  readonly known: boolean;
  readonly owner: {
    readonly customer: string;
    readonly since: number;
    readonly by: string;
    /** By which transfer; null: by none. */
    readonly transfer: string | null;
  } | null;
  readonly epoch: number;
  readonly window: { readonly secret: string; readonly closesAt: number } | null;
  /** Waits for the tenant's approval. */
  readonly pending: { readonly secret: string; readonly openedAt: number; readonly closesAt: number } | null;
  readonly offer: { readonly transfer: string; readonly to: Party; readonly expiresAt: number } | null;
  readonly key: { readonly secret: string; readonly expiresAt: number } | null;
  readonly allowed: Allowed;
  /** What the operator's policy gave to the owner. */
  readonly given: number | null;
  readonly challenges: readonly SeenChallenge[];
  readonly takeOver: {
    readonly customer: string;
    readonly dueAt: number;
    readonly inEpoch: number;
    readonly gives: number | null;
  } | null;
  readonly lastResetAt: number | null;
}

interface SeenChallenge {
  readonly customer: string;
  readonly nonce: string;
  readonly expiresAt: number;
}

export type Outcome =
  | { readonly type: 'accepted'; readonly at: number; readonly seen: Seen | null }
  | { readonly type: 'refused'; readonly reason: RefusalReason }
  | { readonly type: 'read'; readonly seen: Seen | null }
  /** Certainly nothing was done (overloaded). */
  | { readonly type: 'nothing-done' }
  /** Nobody knows: no answer in time, the store failed, or the node died with the answer. */
  | { readonly type: 'unknown'; readonly why: 'store' | 'timeout' | 'stopping' | 'node-died' };

/** One delivery of one request to one node. A duplicate or a retry is an operation of its own. */
export interface Operation {
  readonly id: number;
  readonly device: string;
  readonly node: string;
  /** How far the node's clock is ahead of true time, in ms. */
  readonly skewMs: number;
  readonly request: Request;
  readonly called: Moment;
  /** Undefined while it is under way; in a finished history that is a violation in itself. */
  readonly ended:
    | {
        readonly moment: Moment;
        readonly outcome: Outcome;
        /** How long the caller waited, in ms, leaps of time not counted. */
        readonly waitedMs: number;
      }
    | undefined;
}

/** An event that the store made durable, seen at the store itself. */
export interface Durable {
  readonly step: number;
  /** True time, in ms since the epoch. */
  readonly at: number;
  readonly device: string;
  /** Which node appended it. */
  readonly node: string;
  readonly sequence: number;
  readonly event: DeviceEvent;
  /** The head that was stored with it. */
  readonly head: Seen | null;
}

/** What the operator chose, as far as it matters to what may happen. */
export interface Rules {
  readonly allowClaimingByDefault: boolean;
  readonly onOwnerChange: 'keep' | 'rotate' | 'quarantine';
  readonly rotationGraceMs: number;
  readonly defaultDurationMs: number;
  /** 0: no limit. */
  readonly maxDurationMs: number;
  readonly maxAttributeBytes: number;
  readonly ownership: OwnershipRules;
  /** C12 */
  readonly asksConsent: boolean;
  /** How long a command may take before its caller hears that it did, in ms. */
  readonly askTimeoutMs: number;
  /** The most by which two nodes' clocks differ, in ms. */
  readonly clockSlackMs: number;
}

/** How things stood after faults had stopped and every window had had time to elapse. */
export interface Ending {
  /** True time, in ms since the epoch. */
  readonly at: number;
  /** When the last leap of time ended; from then on nothing kept the nodes from closing what had elapsed. */
  readonly calmSince: number;
  /** Commands that the nodes still thought under way. */
  readonly inFlight: number;
  /** The head that the store kept of each device. */
  readonly heads: ReadonlyMap<string, Seen | null>;
  /** What the directory found under the names, tokens and owners that the heads show, in words. */
  readonly strayIndexes: readonly string[];
  /** Errors that no injected fault explains, in words. */
  readonly surprises: readonly string[];
}

export interface History {
  readonly rules: Rules;
  readonly operations: readonly Operation[];
  /** In the order in which they became durable. */
  readonly log: readonly Durable[];
  /** The secret behind a digest. Throws for a digest that no request can have made. */
  secretOf(digest: string): string;
  readonly ending: Ending;
}

/** Something that must never happen, and did. */
export interface Violation {
  /** Which law: the checker's name. */
  readonly law: string;
  readonly device: string;
  readonly text: string;
}

/** Looks at a finished history and says what is wrong with it. */
export type Checker = (history: History) => Violation[];
