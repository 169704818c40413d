/**
 * How devices are written down, found and woken: the device's side of `../runtime/event-sourced.ts`.
 *
 * Events and states are JSON with a format version in front, `{"v":1,…}`. A record once written is read for ever. When a
 * format changes, the version goes up, the golden samples in `test/pure/golden/` gain a file, and the decoder learns
 * to lift the old form; records are never rewritten in bulk.
 */
import type { Instant } from '../base/clock.ts';
import { isJsonObject } from '../base/json.ts';
import type { Journal } from '../journal/journal.ts';
import { createEngine } from '../runtime/engine.ts';
import type { Persistence } from '../runtime/event-sourced.ts';
import type { DeviceEvent } from './device.ts';
import { indexChanges, refusalOfTaken } from './indexes.ts';
import type { Refusal } from './messages.ts';
import { type DeviceState, dueAt } from './state.ts';

export const devicePersistence: Persistence<DeviceState, DeviceEvent, Refusal> = {
  encodeEvent,
  encodeState: (state) => (state.status === 'absent' ? undefined : encodeState(state)),
  indexChanges,
  alarmAt: (state) => (state.status === 'provisioned' ? dueAt(state) : null),
  taken: refusalOfTaken,
};

/** The persistence engine of an actor system in which devices live. */
export function deviceEngine(journal: Journal) {
  return createEngine(journal, decodeState);
}

const FORMAT = 1;

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
  return wrap(JSON.stringify(event));
}

export function encodeState(state: DeviceState): string {
  return wrap(JSON.stringify(state));
}

/** Throws `UnreadableRecord`. */
export function decodeEvent(text: string): DeviceEvent {
  return unwrap(text, 'type') as unknown as DeviceEvent;
}

/** Throws `UnreadableRecord`. */
export function decodeState(text: string): DeviceState {
  return unwrap(text, 'status') as unknown as DeviceState;
}

/** Puts the version in front of a JSON object without building another object. */
function wrap(json: string): string {
  return `{"v":${FORMAT},${json.slice(1)}`;
}

function unwrap(text: string, discriminant: string): object {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    throw new UnreadableRecord('it is not JSON'); // the cause would quote the record
  }
  if (!isJsonObject(record)) throw new UnreadableRecord('it is not an object');
  const { v, ...rest } = record;
  if (v !== FORMAT) {
    const isNewer = typeof v === 'number' && v > FORMAT;
    const what = `its format is ${JSON.stringify(v)}, known is ${FORMAT}`;
    throw new UnreadableRecord(what, isNewer ? rest.at : undefined);
  }
  if (typeof rest[discriminant] !== 'string') throw new UnreadableRecord(`it has no ${discriminant}`);
  return rest;
}
