/** From a device's answer to a reply. Success differs by route; refusals are the same for all. */

import type { DeviceId } from '../../actors/base/ids.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { Device, DeviceRecord, DeviceState } from '../../actors/device/state.ts';
import type { DeviceAnswer, Page } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { SEARCH_BOUNDS } from '../../actors/fleet/search.ts';
import { viewDevice } from '../views/device.ts';
import { viewPage } from '../views/page.ts';
import { badRequest, notFound, refusedByDevice, unavailable } from '../wire/errors.ts';
import { empty, json, type Reply } from '../wire/reply.ts';
import { listPlace } from '../wire/schemas.ts';
import { NEXT_PART, SEARCHED, TOTAL_IS } from '../wire/totals.ts';

/** The device after a command, or the problem. */
export async function deviceReply(profiles: Profiles, id: DeviceId, answer: DeviceAnswer): Promise<Reply> {
  const there = answer.type === 'accepted' && isThere(answer.state) ? answer.state : undefined;
  if (there === undefined) return replyTo(answer, () => notFound);
  return json(viewDevice(id, there, await profiles.defaultIdOf(there.tenantId)));
}

/** A device as clients see it; one that names no profile has the default of its tenant. */
export async function viewOfDevice(profiles: Profiles, device: DeviceRecord) {
  return viewDevice(device.id, device, await profiles.defaultIdOf(device.tenantId));
}

/** An empty reply, or the problem. */
export function doneReply(answer: DeviceAnswer): Reply {
  return replyTo(answer, () => empty);
}

const { rowsMax, headsMax, totalMax, pageMs, fullPageMs, infoMax } = SEARCH_BOUNDS;

/** How lists of devices are described in the API's description; see `actors/fleet/search.ts`. */
export const DEVICE_PAGE =
  'A page of devices. textSearch finds what contains the text in its name or label; of more than ' +
  `${rowsMax} devices (a customer: ${headsMax}) those whose name begins with it, without any those whose label does, ` +
  `and only then what contains it among the first ${rowsMax} (${headsMax}). Searched and filtered, totalElements is ` +
  `exact up to ${totalMax}; by claimState or profile alone always. Where there may be more than was counted, the header ${TOTAL_IS} says ` +
  `at-least. A page of filters takes about ${pageMs} ms at most (one of many devices longer); where that did not look at all devices, ` +
  `${SEARCHED} says at how many it did, and ${NEXT_PART} how to go on: after=…, beside which pages are counted from there. Without after, ` +
  `which may be empty, a page is looked for until it is full, for about ${fullPageMs} ms at most; one that is not full by then ` +
  'is an error, as the next page by its number would leave devices out.';
export const SEARCH_GAVE_UP =
  'Malformed; or a search found nothing, or no full page, among as many devices as it looks at, and there are more; or ' +
  `additionalInfo of the page has more than ${infoMax} letters in all`;

/**
 * A page of devices. A search that gave up answers what it found, and how to go on. But who counts pages does not go on there: for them
 * it is a problem if it found nothing, which must not look like a search that saw everything, and if the page is not full. The next one
 * by its number would begin behind a full page, and what is between would be on none.
 */
export function pageOfDevices<Item, View>(
  page: Page<Item>,
  query: { readonly page: number; readonly pageSize: number; readonly untilFull: boolean },
  view: (item: Item) => View,
): Reply {
  const { items, total, atLeast, cutAfter, next, isCutShort } = page;
  // Not in the body: that has ThingsBoard's four fields, and a strict client takes no others.
  const headers = {
    ...(atLeast ? { [TOTAL_IS]: 'at-least' } : {}),
    ...(cutAfter === undefined ? {} : { [SEARCHED]: String(cutAfter) }),
    ...(next === undefined ? {} : { [NEXT_PART]: partOf(next) }),
  };
  const isNothing = items.length === 0 && total === 0;
  const isShort = next !== undefined && items.length < query.pageSize;
  if ((isNothing || isShort) && cutAfter !== undefined && query.untilFull) {
    const what = items.length === 0 ? 'Nothing was found' : 'The page is not full';
    const howOn =
      next === undefined
        ? 'Search by how the name begins.'
        : `Begin with after=, which gives parts; behind these devices it goes on with ${partOf(next)}.`;
    return badRequest(`${what} among the first ${cutAfter} devices, and there are more! ${howOn}`);
  }
  if (isCutShort) return tooMuch;
  const viewed = viewPage(page, query, view);
  return { ...json({ ...viewed, hasNext: viewed.hasNext || next !== undefined }), headers };
}

const tooMuch = badRequest('What this page holds is too much for one answer! Ask for fewer by pageSize.');

/** A page of entities. One that would be a text of hundreds of megabytes would stop everybody else. */
export function pageReply<Item, View>(
  page: Page<Item>,
  query: { readonly page: number; readonly pageSize: number },
  view: (item: Item) => View,
): Reply {
  return page.isCutShort ? tooMuch : json(viewPage(page, query, view));
}

const partOf = (place: string) => `after=${listPlace(place)}`;

/** What is made of the device after a command, or the problem. */
export function answerReply(answer: DeviceAnswer, accepted: (device: Device) => Reply): Reply {
  const there = answer.type === 'accepted' && isThere(answer.state) ? answer.state : undefined;
  return replyTo(answer, () => (there === undefined ? notFound : accepted(there)));
}

function replyTo(answer: DeviceAnswer, accepted: () => Reply): Reply {
  switch (answer.type) {
    case 'accepted':
      return accepted();
    case 'refused':
      return refusedByDevice(answer.refusal);
    case 'unavailable':
      return unavailable(answer.reason);
    default:
      return unreachable(answer);
  }
}

function isThere(state: DeviceState): state is Device {
  return state.status === 'provisioned';
}
