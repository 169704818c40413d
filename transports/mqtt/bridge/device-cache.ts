/**
 * Devices that were looked up lately, by their tokens. A look-up costs two reads, which on a store in the network are two
 * round trips of four.
 *
 * Being in the cache proves nothing: the device itself checks the credentials with every claim and refuses those that it
 * no longer has; then it is taken out and looked up anew. What may be old is its profile, for `KEPT_MS`; a session of the
 * own endpoint keeps that for its whole life.
 */
import type { Clock, Instant } from '../../../actors/base/clock.ts';
import type { AuthenticatedDevice } from '../../../actors/claiming/device-authentication.ts';

const KEPT_MS = 60_000;
/** About 400 bytes each; beyond it the oldest is dropped. */
const ENTRIES_MAX = 100_000;

interface Entry {
  readonly device: AuthenticatedDevice;
  readonly until: Instant;
}

export class DeviceCache {
  readonly #clock: Clock;
  /** The oldest first. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(token: string): AuthenticatedDevice | undefined {
    const entry = this.#entries.get(token);
    if (entry === undefined || entry.until > this.#clock.elapsed()) return entry?.device;
    this.#entries.delete(token);
    return undefined;
  }

  put(token: string, device: AuthenticatedDevice): void {
    this.#entries.delete(token);
    this.#entries.set(token, { device, until: this.#clock.elapsed() + KEPT_MS });
    if (this.#entries.size <= ENTRIES_MAX) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  delete(token: string): void {
    this.#entries.delete(token);
  }
}
