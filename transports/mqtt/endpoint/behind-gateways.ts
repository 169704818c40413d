/**
 * Which devices the gateways that are connected here have brought up by `v1/gateway/connect`: they hear of their shared
 * attributes, as a gateway of ThingsBoard does for whom a session behind it is open (facts 1.7). It ends with
 * `v1/gateway/disconnect` and with the gateway's session.
 *
 * Being listed is no right: the gateway's session asks anew with every change whether it speaks for the device (O8).
 */
import type { DeviceId } from '../../../actors/base/ids.ts';

/** As many as one gateway may create by default; beyond it the one that was connected longest ago is let go of. */
const BEHIND_MAX = 10_000;

export class BehindGateways<Session> {
  /** By the name by which each was connected, the one connected longest ago first. */
  readonly #devices = new Map<Session, Map<string, DeviceId>>();
  /** The same, by device. */
  readonly #names = new Map<DeviceId, Map<Session, string>>();

  get empty(): boolean {
    return this.#devices.size === 0;
  }

  /** The sessions that have connected a device. */
  sessionsOf(id: DeviceId): Iterable<Session> {
    return this.#names.get(id)?.keys() ?? [];
  }

  connect(session: Session, name: string, id: DeviceId): void {
    // It may have had another name, or the name another device.
    const before = this.#names.get(id)?.get(session);
    if (before !== undefined) this.disconnect(session, before);
    this.disconnect(session, name);
    const devices = this.#devices.get(session) ?? new Map<string, DeviceId>();
    this.#devices.set(session, devices.set(name, id));
    const names = this.#names.get(id) ?? new Map<Session, string>();
    this.#names.set(id, names.set(session, name));
    if (devices.size <= BEHIND_MAX) return;
    const [oldest] = devices.keys();
    if (oldest !== undefined) this.disconnect(session, oldest);
  }

  disconnect(session: Session, name: string): void {
    const devices = this.#devices.get(session);
    const id = devices?.get(name);
    if (devices === undefined || id === undefined) return;
    devices.delete(name);
    if (devices.size === 0) this.#devices.delete(session);
    this.#forget(session, id);
  }

  /** The session is over. */
  end(session: Session): void {
    const devices = this.#devices.get(session);
    if (devices === undefined) return;
    this.#devices.delete(session);
    for (const id of devices.values()) this.#forget(session, id);
  }

  #forget(session: Session, id: DeviceId): void {
    const names = this.#names.get(id);
    names?.delete(session);
    if (names?.size === 0) this.#names.delete(id);
  }
}
