/** How devices are written down, found and woken: the device's side of `event-sourced.ts`. */

import type { DeviceId } from '../base/ids.ts';
import type { Journal } from '../journal/journal.ts';
import { createEngine } from '../runtime/engine.ts';
import type { Persistence } from '../runtime/event-sourced.ts';
import { decodeState, encodeEvent, encodeState } from './codec.ts';
import { indexChanges, isNameKey } from './indexes.ts';
import type { DeviceEvent, DeviceState, Refusal } from './protocol.ts';

export const devicePersistence: Persistence<DeviceState, DeviceEvent, Refusal> = {
  encodeEvent,
  encodeState: (state) => (state.status === 'absent' ? undefined : encodeState(state)),
  indexChanges: (id, before, event, after) => indexChanges(id as DeviceId, before, event, after),
  alarmAt: (state) =>
    state.status === 'provisioned' && state.window !== null ? state.window.closesAt : null,
  taken: (key) => ({ reason: isNameKey(key) ? 'name-taken' : 'credentials-taken' }),
};

/** The persistence engine of an actor system in which devices live. */
export function deviceEngine(journal: Journal) {
  return createEngine(journal, decodeState);
}
