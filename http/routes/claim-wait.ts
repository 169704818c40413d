/**
 * Claiming a device that does not wait for it yet: the request stays until somebody presses the device's button, and claims
 * then. A page asks so again and again while a customer looks for the button, and that must cost neither the customer's
 * budget of wrong secrets nor a line of the audit trail each time; so a wait in vain is no attempt. It tries no secret.
 *
 * What keeps that from being a way to be first at everything: a wait without a secret is an ordinary claim, because a window
 * without a secret goes to whoever comes first; so is every further wait of a user who has two. Where refusals are uniform
 * nobody waits, because how long it takes would tell what the answer hides.
 */
import { type Clock, sleep } from '../../actors/base/clock.ts';
import type { DeviceId, UserId } from '../../actors/base/ids.ts';
import { mayBeClaimed, openWindow } from '../../actors/device/state.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import { createHeld } from '../../actors/limits/held.ts';
import { CUSTOMER, type CustomerUser } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { CLAIM_REFUSAL_HEADER } from '../wire/claim-refusal.ts';
import { tokenExpired } from '../wire/errors.ts';
import { type JsonReply, json } from '../wire/reply.ts';
import { deviceIdByTypedName } from './access.ts';
import { CLAIMING, type ClaimCall, claimBody, claimResponses, deviceNameInPath } from './claims.ts';

interface WaitNeeds {
  readonly devices: Devices;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly settings: Pick<ApiSettings, 'uniformRefusals' | 'claimingByDefault'>;
}

/** Short, so that a server that stops is not kept, and a client that has left does not claim much later. */
const WAIT_MS = 5_000;
/** How often the device is looked at: one read of its head. */
const LOOK_EVERY_MS = 250;
const WAITS_PER_USER = 2;
const WAITS_MAX = 400;

export function claimWaitRoute(needs: WaitNeeds, claim: ClaimCall): Route {
  const { directory, settings } = needs;
  /** How many each user has under way. */
  const waits = createHeld<UserId>();

  /** @returns false: the time was up, and it still does not wait for a claim */
  async function untilOpen({ tenantId, userId }: CustomerUser, name: string): Promise<boolean> {
    const id = await deviceIdByTypedName(directory, tenantId, name);
    const isFull = waits.all >= WAITS_MAX || waits.by(userId) >= WAITS_PER_USER;
    if (id === undefined || isFull) return true;
    waits.add(userId, 1);
    try {
      return await watch(needs, id);
    } finally {
      waits.add(userId, -1);
    }
  }

  return defineRoute({
    method: 'POST',
    path: '/api/customer/device/:deviceName/claim/wait',
    summary: 'Claim a device as soon as it opens its claim window, if it does so within five seconds',
    description:
      'Like the claim itself, for a page that asks again and again until somebody presses the button of the device. A wait in ' +
      'vain is answered FAILURE with Claim-Refusal: no-window, and does not count as an attempt.',
    roles: CUSTOMER,
    grants: CLAIMING,
    params: deviceNameInPath,
    body: claimBody,
    idempotent: true,
    deferring: true,
    responses: claimResponses,
    async handle(call) {
      const mayWait = call.body !== '' && !settings.uniformRefusals;
      if (mayWait && !(await untilOpen(call.principal, call.params.deviceName))) return notOpen;
      return mayWait && !(await call.stillMay()) ? tokenExpired : claim(call);
    },
  });
}

const notOpen: JsonReply = { ...json('FAILURE', 400), headers: { [CLAIM_REFUSAL_HEADER]: 'no-window' } };

/** Whether the device opened its window in time. True as well where there is nothing to wait for: the claim says why. */
async function watch({ devices, clock, settings }: WaitNeeds, id: DeviceId): Promise<boolean> {
  const since = clock.elapsed();
  for (;;) {
    const device = await devices.read(id);
    const closed =
      device !== undefined &&
      device.owner === null &&
      mayBeClaimed(device, settings.claimingByDefault) &&
      openWindow(device, clock.now()) === null &&
      device.pendingWindow === undefined &&
      (device.serverKey?.expiresAt ?? 0) <= clock.now();
    if (!closed) return true;
    if (clock.elapsed() - since >= WAIT_MS) return false;
    await sleep(clock, LOOK_EVERY_MS);
  }
}
