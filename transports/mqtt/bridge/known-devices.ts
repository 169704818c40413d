/**
 * Devices that were found lately, by what names them in topics. Looking a device up costs two reads, which on a store
 * in the network are two round trips of four; who publishes again need not be looked up again.
 *
 * Being remembered proves nothing: the device itself checks the credentials with every claim, and refuses those that it
 * no longer has. Then it is forgotten here and looked up anew. What may be old is how its profile has it speak, for
 * `KEPT_MS`; a session of the own endpoint keeps that for its whole life.
 */
import type { Clock, Instant } from '../../../actors/base/clock.ts';
import type { AuthenticatedDevice } from '../../../actors/claiming/authentication.ts';

const KEPT_MS = 60_000;
/** About 400 bytes each; beyond it the longest remembered goes. */
const KNOWN_MAX = 100_000;

interface Known {
  readonly device: AuthenticatedDevice;
  readonly until: Instant;
}

export class KnownDevices {
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(token: string): AuthenticatedDevice | undefined {
    const known = this.#known.get(token);
    if (known === undefined || known.until > this.#clock.now()) return known?.device;
    this.#known.delete(token);
    return undefined;
  }

  remember(token: string, device: AuthenticatedDevice): void {
    this.#known.delete(token);
    this.#known.set(token, { device, until: this.#clock.now() + KEPT_MS });
    if (this.#known.size <= KNOWN_MAX) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  forget(token: string): void {
    this.#known.delete(token);
  }
}
