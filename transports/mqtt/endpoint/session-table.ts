/**
 * Which session each device has. One at a time: a newer connection takes over, as in ThingsBoard
 * (`ACTORS_MAX_CONCURRENT_SESSION_PER_DEVICE` = 1) and as [MQTT-3.1.4-2] has it for client identifiers. Who a client
 * is, here, is its device: client identifiers are free text, and two devices may well choose the same one.
 */
import type { DeviceId } from '../../../actors/ids.ts';
import { Reason, type ReasonCode } from './reasons.ts';

/** What the table needs of a session. */
interface Endable {
  /** Ends the session in its own time, from outside of it. */
  requestEnd(reasonCode: ReasonCode): void;
}

export class SessionTable {
  readonly #sessions = new Map<DeviceId, Endable>();

  /** Enters an authenticated session; the one that its device had is ended. */
  enter(id: DeviceId, session: Endable): void {
    this.end(id, Reason.sessionTakenOver);
    this.#sessions.set(id, session);
  }

  has(id: DeviceId): boolean {
    return this.#sessions.has(id);
  }

  /** Ends the session of a device, if it has one. */
  end(id: DeviceId, reasonCode: ReasonCode): void {
    this.#sessions.get(id)?.requestEnd(reasonCode);
  }

  /** Takes a session out, unless another has taken its place. */
  leave(id: DeviceId, session: Endable): void {
    if (this.#sessions.get(id) === session) this.#sessions.delete(id);
  }
}
