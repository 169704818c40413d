/**
 * What lists by claim state ask of a head: whether a claim window is open, and of which group the device is. They ask it of thousands
 * at once, so it is told without decoding all of the head where that can be.
 */
import type { Instant } from '../base/clock.ts';
import { type ClaimGroup, claimGroupOf, claimStateOf } from './claim-state.ts';
import { closesAtIn } from './head.ts';
import { decodeHead, decodeStanding, isDetailsText } from './persistence.ts';
import { CLAIMING_ALLOWED, type Device } from './state.ts';

/** `claimingAllowed` is not set. */
const NOT_SET: Device['attributes'] = { SERVER_SCOPE: {}, SHARED_SCOPE: {} };

/**
 * The group of a device whose claim state is WINDOW_OPEN at an instant; undefined: it has another one. Throws `UnreadableRecord`, though
 * not for details that are damaged behind what is looked at.
 * @param state @param details as of a `Head`
 */
export function openGroupIn(state: string, details: string | undefined, at: Instant): ClaimGroup | undefined {
  // Where the text of its details does not name the attribute, the device has none.
  if (details === undefined || !isDetailsText(details) || details.includes(CLAIMING_ALLOWED)) {
    const device = decodeHead(state, details);
    return device.status === 'absent' ? undefined : openGroupOf(device, at);
  }
  const closesAt = closesAtIn(state);
  if (closesAt !== undefined) return at < closesAt ? 'free' : undefined;
  return openGroupOf({ ...decodeStanding(state), attributes: NOT_SET }, at);
}

/** As `openGroupIn`, of a device that is decoded. */
function openGroupOf(device: Parameters<typeof claimStateOf>[0], at: Instant): ClaimGroup | undefined {
  return claimStateOf(device, at) === 'WINDOW_OPEN' ? claimGroupOf(device) : undefined;
}
