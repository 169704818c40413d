/**
 * How devices are written down, found and woken: the device's side of `../runtime/event-sourced.ts`.
 *
 * Events are JSON with a format version in front, `{"v":1,…}`; a state is written in the two parts of `head.ts`, and was
 * `{"v":1,…}` in one piece before. A record once written is read for ever. When a format changes, the version goes up,
 * the golden samples in `test/pure/golden/` gain a file, and the decoder learns to lift the old form; records are never
 * rewritten in bulk.
 */
import type { Instant } from '../base/clock.ts';
import { isJsonObject } from '../base/json.ts';
import type { Journal } from '../journal/journal.ts';
import { createEngine, type Known } from '../runtime/engine.ts';
import type { Persistence } from '../runtime/event-sourced.ts';
import type { DeviceEvent } from './device.ts';
import {
  type Details,
  detailsOf,
  haveSameDetails,
  isLine,
  PLAIN,
  parseStandingLine,
  type Standing,
  standingLine,
} from './head.ts';
import { indexChanges, refusalOfTaken } from './indexes.ts';
import type { Refusal } from './messages.ts';
import { type Attributes, type DeviceState, dueAt } from './state.ts';

export const devicePersistence: Persistence<DeviceState, DeviceEvent, Refusal> = {
  encodeEvent,
  encodeState: (state) => (state.status === 'absent' ? undefined : encodeStanding(state)),
  encodeDetails,
  indexChanges,
  alarmAt: (state) => (state.status === 'provisioned' ? dueAt(state) : null),
  taken: refusalOfTaken,
};

/** The persistence engine of an actor system in which devices live. */
export function deviceEngine(journal: Journal, known?: Known<DeviceState>) {
  return createEngine(journal, decodeHead, known);
}

const FORMAT = 1;
/** Of the parts of a head that are JSON. */
const PART_FORMAT = 2;
/** Of a standing in JSON that has recent handovers. */
const HANDOVERS_FORMAT = 3;

/** A record that this version of claimd cannot read: written by a newer one, or damaged. */
export class UnreadableRecord extends Error {
  /** When a newer version wrote it; undefined: it is damaged, or nobody can tell. */
  readonly newerAt: Instant | undefined;

  constructor(what: string, newerAt?: unknown) {
    super(`a journal record cannot be read: ${what}`);
    this.name = 'UnreadableRecord';
    this.newerAt = typeof newerAt === 'number' ? newerAt : undefined;
  }
}

export function encodeEvent(event: DeviceEvent): string {
  return (
    (event.type === 'ClaimWindowOpened' ? plainOpening(event) : undefined) ??
    wrap(FORMAT, JSON.stringify(event))
  );
}

/** Members of an opening that most have, and nothing else. */
const OPENING_MEMBERS = 5;

/**
 * The event that is written most, by hand: `JSON.stringify` takes five times as long. Undefined where it has more members than most,
 * or other values.
 */
function plainOpening(
  event: Extract<DeviceEvent, { readonly type: 'ClaimWindowOpened' }>,
): string | undefined {
  const { type, at, secretDigest, closesAt, openedBy } = event;
  let members = 0;
  for (const _ in event) members += 1;
  const isPlain = Number.isSafeInteger(at) && Number.isSafeInteger(closesAt) && PLAIN.test(secretDigest);
  if (members !== OPENING_MEMBERS || !isPlain) return undefined;
  return `{"v":${FORMAT},"type":"${type}","at":${at},"secretDigest":"${secretDigest}","closesAt":${closesAt},"openedBy":"${openedBy}"}`;
}

/** A state in one piece, as formats 1 to 3 of the stores have it. */
export function encodeState(state: DeviceState): string {
  return wrap(FORMAT, JSON.stringify(state));
}

/** The part of a head that every event writes. */
export function encodeStanding(device: Standing): string {
  const { owner, ownerEpoch, window, serverKey, recentHandovers } = device;
  const format = recentHandovers === undefined ? PART_FORMAT : HANDOVERS_FORMAT;
  return (
    standingLine(device) ??
    wrap(format, JSON.stringify({ owner, ownerEpoch, window, serverKey, recentHandovers }))
  );
}

/**
 * The other part, or undefined where it stays as it is stored.
 * @param stored the state whose details are in the store; undefined: none are
 */
export function encodeDetails(state: DeviceState, stored: DeviceState | undefined): string | undefined {
  if (state.status === 'absent') return undefined;
  if (stored?.status === 'provisioned' && haveSameDetails(stored, state)) return undefined;
  return wrap(PART_FORMAT, JSON.stringify(detailsOf(state)));
}

/** Throws `UnreadableRecord`. */
export function decodeEvent(text: string): DeviceEvent {
  return unwrap(text, FORMAT, 'type') as unknown as DeviceEvent;
}

/** A state in one piece. Throws `UnreadableRecord`. */
export function decodeState(text: string): DeviceState {
  return unwrap(text, FORMAT, 'status') as unknown as DeviceState;
}

/**
 * A state from its head. Throws `UnreadableRecord`.
 * @param state what every event writes, or the state in one piece
 * @param details the other part; undefined: there is none
 */
export function decodeHead(state: string, details: string | undefined): DeviceState {
  if (details === undefined && isLine(state)) throw new UnreadableRecord('its details are missing');
  if (details === undefined) return decodeState(state);
  const rest = unwrap(details, PART_FORMAT, 'tenantId') as unknown as Details;
  // It is ours: no copy.
  return Object.assign(rest, { status: 'provisioned' } as const, decodeStanding(state), sharedIn(rest));
}

/** Texts that many devices have, and so many of them are kept. */
const SHARED_MAX = 1_000;
const sharedTexts = new Map<string, string>();
const noAttributes: Attributes = { SERVER_SCOPE: {}, SHARED_SCOPE: {} };

/**
 * What many devices have alike, once for all of them: each device in memory takes 240 bytes less. Nobody changes a state, so nobody
 * sees that it is shared.
 */
function sharedIn({
  tenantId,
  type,
  profileId,
  credentials,
  attributes,
}: Partial<Details>): Partial<Details> {
  if (credentials !== undefined) Object.assign(credentials, { type: shared(credentials.type) });
  return {
    ...(tenantId === undefined ? {} : { tenantId: shared(tenantId) }),
    ...(type === undefined ? {} : { type: shared(type) }),
    ...(typeof profileId === 'string' ? { profileId: shared(profileId) } : {}),
    ...(attributes !== undefined && isLikeNone(attributes) ? { attributes: noAttributes } : {}),
  };
}

function shared<Text extends string>(text: Text): Text;
function shared(text: string): string {
  const known = sharedTexts.get(text);
  if (known !== undefined) return known;
  if (sharedTexts.size >= SHARED_MAX) sharedTexts.clear();
  sharedTexts.set(text, text);
  return text;
}

/** Whether it has the same scopes as `noAttributes`, and nothing in them. */
function isLikeNone(attributes: Attributes): boolean {
  let scopes = 0;
  for (const scope in attributes) {
    if (scope !== 'SERVER_SCOPE' && scope !== 'SHARED_SCOPE') return false;
    for (const _ in attributes[scope]) return false;
    scopes += 1;
  }
  return scopes === Object.keys(noAttributes).length;
}

/** The part of a head that every event writes, where its details are there, too. Throws `UnreadableRecord`. */
export function decodeStanding(text: string): Standing {
  if (text.startsWith(HANDOVERS_START)) {
    const standing = unwrap(text, HANDOVERS_FORMAT) as unknown as Standing;
    if (!Array.isArray(standing.recentHandovers)) throw new UnreadableRecord('it has no recentHandovers');
    return standing;
  }
  if (!isLine(text)) return unwrap(text, PART_FORMAT) as unknown as Standing;
  const standing = parseStandingLine(text);
  if (standing === undefined) throw new UnreadableRecord('a part of it is damaged');
  return standing;
}

/** Whether a text is the details of a head as this version writes them, as far as its beginning says. */
export const isDetailsText = (text: string): boolean => text.startsWith(PART_START);
/** Whether a text is the part of a head that every event writes, as far as its beginning says. */
export const isStandingText = (text: string): boolean =>
  isLine(text) || text.startsWith(PART_START) || text.startsWith(HANDOVERS_START);
const PART_START = `{"v":${PART_FORMAT},`;
const HANDOVERS_START = `{"v":${HANDOVERS_FORMAT},`;

/** Puts the version in front of a JSON object without building another object. */
function wrap(format: number, json: string): string {
  return `{"v":${format},${json.slice(1)}`;
}

/** @param discriminant a member that has to be a text */
function unwrap(text: string, format: number, discriminant?: string): object {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    throw new UnreadableRecord('it is not JSON'); // the cause would quote the record
  }
  if (!isJsonObject(record)) throw new UnreadableRecord('it is not an object');
  const { v } = record;
  if (v !== format) {
    const isNewer = typeof v === 'number' && v > format;
    const what = `its format is ${JSON.stringify(v)}, known is ${format}`;
    throw new UnreadableRecord(what, isNewer ? record.at : undefined);
  }
  if (discriminant !== undefined && typeof record[discriminant] !== 'string') {
    throw new UnreadableRecord(`it has no ${discriminant}`);
  }
  const { v: _format, ...rest } = record;
  return rest;
}
