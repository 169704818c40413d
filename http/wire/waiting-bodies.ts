/**
 * Bytes of requests that are being received. A body lies in memory until all of it has come, or its time is up: so few senders of large
 * ones that never come to an end would fill it. Small ones are bounded by the number of connections and cost nothing here.
 */
import { createHeld } from '../../actors/limits/held.ts';
import { tooManyRequests, unavailable } from './errors.ts';
import type { Problem } from './reply.ts';

/** Of all that are under way; one file of the largest that there are takes an eighth. */
const BYTES_MAX = 256 * 1024 * 1024;
/** The part that one address may have. */
const SHARE = 4;
const RETRY_AFTER_MS = 1_000;

/** What one body takes while it is being received. */
export interface Room {
  /** So many bytes in all. Why there is no room for them; undefined: there is. */
  grow(bytes: number): Problem | undefined;
  /** It has come, or will not come. */
  leave(): void;
}

/** For bodies of which nobody keeps count. */
export const ANY_ROOM: Room = { grow: () => undefined, leave() {} };

export interface WaitingBodies {
  /** @param address who sends, as it is counted */
  roomOf(address: string): Room;
}

/** @param small bodies up to so many bytes are not counted */
export function createWaitingBodies(small: number): WaitingBodies {
  const held = createHeld<string>();
  return {
    roomOf(address) {
      let taken = 0;
      return {
        grow(bytes) {
          if (bytes <= small) return undefined;
          const more = bytes - taken;
          if (held.by(address) + more > BYTES_MAX / SHARE)
            return tooManyRequests(
              'Too much is being sent from this address at a time, try again later',
              RETRY_AFTER_MS,
            );
          if (held.all + more > BYTES_MAX) return unavailable('overloaded');
          held.add(address, more);
          taken = bytes;
          return undefined;
        },
        leave() {
          if (taken > 0) held.add(address, -taken);
          taken = 0;
        },
      };
    },
  };
}
