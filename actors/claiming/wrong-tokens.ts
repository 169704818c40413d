/**
 * Wrong credentials are counted for the address that they come from, and for its wider networks of IPv6; past the limit the
 * address has to wait. Behind one address there may be thousands of devices (NAT, a proxy), so
 *
 * - what succeeds is never counted;
 * - a device that has shown good credentials from there before is let in whatever its neighbours do;
 * - others get the same answer whether their credentials are good or not, so guessing on reveals nothing.
 *
 * Each transport counts for itself: the source of a datagram can be forged, and a forged one must not shut out devices that
 * come by TCP. Where counters are away, nobody is shut out: devices are worth more than the limit.
 */
import { ifUnavailable } from '../journal/unavailable.ts';
import { countedAs, networksOf } from '../limits/address.ts';
import { type Counted, type Counters, memoryCounter, memoryCounters } from '../limits/counters.ts';
import type { AuthenticatedDevice } from './device-authentication.ts';

export interface WrongTokensSettings {
  /** Wrong ones of one address within the window; 0: no limit. */
  readonly max: number;
  readonly windowMs: number;
}

type Admission =
  | { readonly type: 'admitted'; readonly device: AuthenticatedDevice }
  | { readonly type: 'unknown' }
  | { readonly type: 'blocked'; readonly retryAfterMs: number };

export interface TokenGuard {
  /**
   * Looks a device up on behalf of an address. Rejects as `find` does.
   * @param find the device with the credentials that were shown
   */
  admit(address: string, find: () => Promise<AuthenticatedDevice | undefined>): Promise<Admission>;
}

/** Devices that are remembered with their address, about 150 bytes each; the longest unseen are dropped. */
const SEEN_MAX = 100_000;

/** Addresses that were told of in a window of time; beyond it the oldest are told of again. */
const TOLD_MAX = 1_000;

/** Told once in a window of time for each address. */
export interface BlockedAddress {
  readonly transport: string;
  readonly address: string;
  readonly retryAfterMs: number;
}

/** Counts nothing: every device with good credentials is admitted. */
export const openGuard: TokenGuard = {
  async admit(_address, find) {
    const device = await find();
    return device === undefined ? UNKNOWN : { type: 'admitted', device };
  },
};

const UNKNOWN: Admission = { type: 'unknown' };

/** @param transport whose guard it is */
export function createTokenGuard(
  transport: string,
  { max, windowMs }: WrongTokensSettings,
  counters: Counters = memoryCounters,
  onBlocked: (blocked: BlockedAddress) => void = () => {},
): TokenGuard {
  if (max === 0) return openGuard;
  const wrong = counters(`wrong-tokens-${transport}`, { windowMs });
  const blockedNow = memoryCounter({ windowMs }, TOLD_MAX);
  // Two halves, of which the older is forgotten as a whole: taking out the oldest one by one would cost a walk.
  let seen = new Set<string>();
  let seenBefore = new Set<string>();

  function remember(who: string): void {
    if (seen.size >= SEEN_MAX / 2) {
      seenBefore = seen;
      seen = new Set();
    }
    seen.add(who);
  }

  /** How long the address has to wait; undefined: it need not. */
  async function waitOf(address: string): Promise<number | undefined> {
    const networks = networksOf(address);
    const counts = await Promise.all(networks.map(({ name }) => wrong.get(name).catch(ifUnavailable(none))));
    const full = counts.filter(({ count }, at) => count >= max * (networks[at]?.times ?? 1));
    return full.length === 0 ? undefined : Math.max(...full.map(({ resetsInMs }) => resetsInMs));
  }

  return {
    async admit(from, find) {
      const device = await find();
      const address = countedAs(from);
      const who = device && `${address} ${device.id}`;
      if (who === undefined || !(seen.has(who) || seenBefore.has(who))) {
        const retryAfterMs = await waitOf(address);
        if (retryAfterMs !== undefined) {
          if ((await blockedNow.add(address)).count === 1) onBlocked({ transport, address, retryAfterMs });
          return { type: 'blocked', retryAfterMs };
        }
      }
      if (device !== undefined && who !== undefined) {
        remember(who);
        return { type: 'admitted', device };
      }
      await Promise.all(networksOf(address).map(({ name }) => wrong.add(name).catch(ifUnavailable(none))));
      return UNKNOWN;
    },
  };
}

function none(): Counted {
  return { count: 0, resetsInMs: 0 };
}
