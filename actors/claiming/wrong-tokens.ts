/**
 * Wrong credentials are counted for the address that they come from; past the limit the address has to wait (settings
 * of ThingsBoard's names). Behind one address there may be thousands of devices (NAT, a proxy), so
 *
 * - what succeeds is never counted;
 * - a device that has shown good credentials from there before is let in whatever its neighbours do;
 * - others hear the same whether their credentials are good or not, so nothing is learned by guessing on.
 *
 * Each transport counts for itself: the source of a datagram can be forged, and who forges it must not shut out those
 * who come by TCP. Where counting fails, nobody is shut out: devices are worth more than the limit.
 */
import { ifUnavailable } from '../journal/unavailable.ts';
import { countedAs } from '../limits/address.ts';
import { type Counted, type Counters, memoryCounters } from '../limits/counters.ts';
import type { AuthenticatedDevice } from './authentication.ts';

export interface WrongTokensSettings {
  /** Wrong ones of one address within the window; 0: no limit. */
  readonly max: number;
  readonly windowMs: number;
}

export type Admission =
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

/** Devices that are remembered with their address, about 150 bytes each; those unseen for longest make room. */
const KNOWN_MAX = 100_000;

/** Lets everybody in who is known. */
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
): TokenGuard {
  if (max === 0) return openGuard;
  const wrong = counters(`wrong-tokens-${transport}`, { windowMs });
  // Two halves, of which the older is forgotten as a whole: taking out the oldest one by one would cost a walk.
  let known = new Set<string>();
  let knownBefore = new Set<string>();

  function remember(who: string): void {
    if (known.size >= KNOWN_MAX / 2) {
      knownBefore = known;
      known = new Set();
    }
    known.add(who);
  }

  return {
    async admit(from, find) {
      const device = await find();
      const address = countedAs(from);
      const who = device && `${address} ${device.id}`;
      if (who === undefined || !(known.has(who) || knownBefore.has(who))) {
        const { count, resetsInMs } = await wrong.get(address).catch(ifUnavailable(none));
        if (count >= max) return { type: 'blocked', retryAfterMs: resetsInMs };
      }
      if (device !== undefined && who !== undefined) {
        remember(who);
        return { type: 'admitted', device };
      }
      await wrong.add(address).catch(ifUnavailable(none));
      return UNKNOWN;
    },
  };
}

function none(): Counted {
  return { count: 0, resetsInMs: 0 };
}
