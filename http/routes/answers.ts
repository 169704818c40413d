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

const { rowsMax, headsMax, totalMax, pageMs } = SEARCH_BOUNDS;

/** How lists of devices are described in the API's description; see `actors/fleet/search.ts`. */
export const DEVICE_PAGE =
  'A page of devices. textSearch finds what contains the text in its name or label; of more than ' +
  `${rowsMax} devices (a customer: ${headsMax}) those whose name begins with it, without any those whose label does, ` +
  `and only then what contains it among the first ${rowsMax} (${headsMax}). Searched and filtered, totalElements is ` +
  `exact up to ${totalMax}; by claimState or profile alone always. Where there may be more than was counted, the header ${TOTAL_IS} says ` +
  `at-least. A page of filters takes about ${pageMs} ms at most (one of many devices longer); where that did not look at all devices, ` +
  `${SEARCHED} says at how many it did, and ${NEXT_PART} how to go on: after=…, beside which pages are counted from there. With after, which may be empty, a page ` +
  'on which nothing was found yet is no error.';
export const SEARCH_GAVE_UP =
  'Malformed; or a search found nothing among as many devices as it looks at, and there are more';

/**
 * A page of devices. A search that gave up answers what it found, and how to go on. If it found nothing, it is a problem, but for who
 * asks for parts: it must not look like a search that saw everything.
 */
export function pageOfDevices<Item, View>(
  page: Page<Item>,
  query: { readonly page: number; readonly pageSize: number; readonly inParts?: boolean },
  view: (item: Item) => View,
): Reply {
  const { items, total, atLeast, cutAfter, next } = page;
  // Not in the body: that has ThingsBoard's four fields, and a strict client takes no others.
  const headers = {
    ...(atLeast ? { [TOTAL_IS]: 'at-least' } : {}),
    ...(cutAfter === undefined ? {} : { [SEARCHED]: String(cutAfter) }),
    ...(next === undefined ? {} : { [NEXT_PART]: partOf(next) }),
  };
  // Who counts pages would go on asking for the next one.
  const isNothing = items.length === 0 && (total === 0 || next !== undefined);
  if (isNothing && cutAfter !== undefined && !query.inParts) {
    const howOn = next === undefined ? 'Search by how the name begins.' : `Go on with ${partOf(next)}.`;
    return badRequest(`Nothing was found among the first ${cutAfter} devices, and there are more! ${howOn}`);
  }
  const viewed = viewPage(page, query, view);
  return { ...json({ ...viewed, hasNext: viewed.hasNext || next !== undefined }), headers };
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
