/**
 * Devices as they were read to see whose credentials these are. What such a device says next goes to its actor, which may have to
 * come up for it: then it begins with what was read, and does not read and decode the same head again.
 *
 * What another process has written meanwhile is met as by an actor that has been there for longer: by a look before a refusal,
 * and by the append.
 */
import { Recent } from '../base/recent.ts';
import type { DeviceState } from '../device/state.ts';
import type { Known, Versioned } from '../runtime/engine.ts';

/** Most are taken within a few turns of the event loop. One takes two kilobytes. */
const STATES_MAX = 512;

export class JustRead implements Known<DeviceState> {
  readonly #states = new Recent<string, Versioned<DeviceState>>(STATES_MAX);

  keep(stream: string, state: Versioned<DeviceState>): void {
    this.#states.set(stream, state);
  }

  take(stream: string): Versioned<DeviceState> | undefined {
    const state = this.#states.get(stream);
    if (state !== undefined) this.#states.delete(stream);
    return state;
  }

  /** To be called with each event of this process: what was read before it is no more the newest. */
  drop(stream: string): void {
    this.#states.delete(stream);
  }
}
