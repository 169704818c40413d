/** What ends by time alone: windows, offers, the grace of old credentials. The rules compare instants anyhow; this wipes what is over. */
import type { Instant } from '../base/clock.ts';
import type { Decision } from '../runtime/decider.ts';
import type { CredentialsRotated } from './credentials.ts';
import { accept, IGNORE, type Recorded } from './messages.ts';
import type { Device } from './state.ts';
import type { OfferExpired } from './transfer.ts';

/** Sent only by the alarms, at or after the instant at which something of the device is due (`dueAt`). */
export interface ExpireDue {
  readonly type: 'ExpireDue';
}

/** Makes prompt what C8 says anyhow: the window is closed, and now its secret's digest is wiped. */
export interface ClaimWindowExpired extends Recorded<'ClaimWindowExpired'> {
  /** The one that waited for approval. */
  readonly pending?: true;
}

/** Never early, whatever the timer thought; what was replaced meanwhile has a later instant of its own. */
export function expire(
  device: Device,
  at: Instant,
): Decision<ClaimWindowExpired | OfferExpired | CredentialsRotated, never> {
  const { offer, window, pendingWindow, nextCredentials } = device;
  if (offer !== undefined && offer.expiresAt <= at) {
    return accept({ type: 'OfferExpired', at, transferId: offer.transferId });
  }
  if (window !== null && window.closesAt <= at) return accept({ type: 'ClaimWindowExpired', at });
  if (pendingWindow !== undefined && pendingWindow.closesAt <= at) {
    return accept({ type: 'ClaimWindowExpired', at, pending: true });
  }
  if (nextCredentials !== undefined && nextCredentials.until <= at) {
    return accept({ type: 'CredentialsRotated', at, by: 'grace' });
  }
  return IGNORE;
}
