/**
 * The language of the tables of facts: what is sent, what ThingsBoard answers, and what claimd answers where that is
 * another thing. A row names the fact it stands for by its section and its place in that section's table; places that
 * are letters are facts told beside the table.
 */
import type { DeviationId } from './deviations.ts';

export const DOORS = ['MQTT 3.1.1', 'MQTT 5', 'HTTP', 'CoAP'] as const;
export type Door = (typeof DOORS)[number];
export type MqttDoor = 'MQTT 3.1.1' | 'MQTT 5';

/**
 * What comes back, in the words of its door, one after the other: `PUBACK 0x99`, `DISCONNECT 0x99, closed`, `nothing`;
 * `200 empty`, `404 error 32`, `400 "FAILURE"`; `2.01`, `4.09 already-claimed`.
 */
export type Seen = string;

/** ThingsBoard's answer and ours; or both and the deviation that says why they are not the same. */
export type Answer =
  | Seen
  | { readonly thingsBoard: Seen; readonly claimd: Seen; readonly by: DeviationId }
  /** What is seen is the same, what it means is not. */
  | { readonly same: Seen; readonly by: DeviationId };

/** A door without an answer is one where the row means nothing. */
export type Answers = { readonly [name in Door]?: Answer };

/** What there was before. */
export type Given =
  | 'nobody owns it'
  | 'a customer owns it'
  | 'another customer owns it'
  | 'its window is open'
  | 'its window has elapsed'
  | 'it may not be claimed'
  | 'its quota of windows is used up'
  | 'the store is gone';

/** How devices of a profile speak; or how they may be lost without being given back, which only claimd knows. */
export type Profile =
  | 'DEFAULT'
  | 'MQTT JSON'
  | 'MQTT JSON ACK'
  | 'MQTT OWN TOPICS'
  | 'MQTT PROTOBUF'
  | 'MQTT PROTOBUF OR JSON'
  | 'COAP JSON'
  | 'COAP PROTOBUF'
  | 'RESET RELEASES'
  | 'TAKE-OVER AT ONCE';

/** The window afterwards; `undefined` where there is none. */
export interface Opens {
  readonly secretKey: string;
  readonly durationMs: number;
}

interface Fact {
  /** `1.4 #5` */
  readonly fact: string;
  readonly what: string;
}

/** A device asks for its window. */
export interface ClaimRow extends Fact {
  readonly type: 'claim';
  readonly given?: Given;
  /** Where the door itself has a say in it: without one, `DEFAULT`. */
  readonly profile?: { readonly [name in Door]?: Profile };
  readonly qos?: 0 | 1 | 2;
  readonly cases: readonly { readonly payload: string | Buffer; readonly opens?: Opens }[];
  readonly answers: Answers;
}

/** A device asks for something else than its window, or in another way. */
export interface OddRow extends Fact {
  readonly type: 'odd';
  readonly ask:
    | 'unknown token'
    | 'unknown feature'
    | 'telemetry'
    | 'wrong method'
    | 'observe'
    | 'short topic'
    | 'gateway topic';
  readonly answers: Answers;
}

/** A client opens an MQTT connection. */
export interface ConnectRow extends Fact {
  readonly type: 'connect';
  readonly given?: Given;
  readonly profile?: Profile;
  readonly says: {
    readonly clientId: string;
    /** `TOKEN` is the one of a device that is there. */
    readonly userName?: string;
    readonly password?: string;
    readonly clean?: boolean;
    /** Over TLS, with a certificate that no device has. */
    readonly certificate?: 'unknown';
  };
  readonly answers: { readonly [name in MqttDoor]: Answer };
}

/** What becomes of the devices behind a gateway. */
export type Behind = 'window open' | 'no window' | 'not there' | 'owned';

/** A gateway publishes. */
export interface GatewayRow extends Fact {
  readonly type: 'gateway';
  readonly given?:
    | Given
    | 'a customer owns the gateway'
    | 'B is owned'
    | 'B has a window'
    | 'the quota of B is used up'
    | 'no devices are created';
  readonly profile?: Profile;
  readonly topic?: string;
  readonly qos?: 0 | 1;
  readonly payloads: readonly (string | Buffer)[];
  readonly answers: { readonly [name in MqttDoor]: Answer };
  /** Devices by name. Of those that a row speaks of `B` is there before. */
  readonly behind: { readonly [name: string]: Behind };
}

type Who = 'customer' | 'other customer' | 'tenant administrator' | 'system administrator';

/** Somebody confirms a claim, or gives a device back. */
export interface RestRow extends Fact {
  readonly type: 'rest';
  readonly given?: Given | 'malformed claimingData was sent' | 'too many wrong secrets';
  /** `both POST`: two customers at the same instant. */
  readonly ask: 'POST' | 'DELETE' | 'PUT' | 'GET' | 'both POST';
  /** What the device is called; without it, as tests call theirs. */
  readonly deviceName?: string;
  /** The name that is asked for, where it is not the device's. */
  readonly name?: string;
  readonly as:
    | Who
    | {
        readonly header:
          | 'none'
          | 'the other one is blank'
          | 'Basic'
          | 'not a token'
          | 'expired'
          | 'bad signature'
          | 'outdated';
      };
  readonly bodies: readonly (string | undefined)[];
  readonly contentType?: string;
  readonly answer: Answer;
  readonly after: 'a customer owns it' | 'nobody owns it' | 'its window is open' | 'the store is gone';
}

/** What ThingsBoard answers in a state that claimd does not have. Not played. */
export interface AbsentRow extends Fact {
  readonly type: 'absent';
  readonly thingsBoard: { readonly [name in Door]?: Seen };
  readonly by: DeviationId;
}

export type Row = ClaimRow | OddRow | ConnectRow | GatewayRow | RestRow | AbsentRow;

export const thingsBoardSays = (answer: Answer): Seen =>
  typeof answer === 'string' ? answer : 'same' in answer ? answer.same : answer.thingsBoard;

export const claimdSays = (answer: Answer): Seen =>
  typeof answer === 'string' ? answer : 'same' in answer ? answer.same : answer.claimd;

export const deviationOf = (answer: Answer): DeviationId | undefined =>
  typeof answer === 'string' ? undefined : answer.by;
