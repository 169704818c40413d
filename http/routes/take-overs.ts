/**
 * A pending take-over of a device (rules N1 to N3). It is asked for by claiming the device; here it is seen and ended: the
 * owner objects, the tenant cancels, and who asked for it withdraws.
 */

import type { DeviceRecord } from '../../actors/device/state.ts';
import { mayEndTakeOver } from '../../actors/device/take-over.ts';
import type { Devices, Directory } from '../../actors/fleet/devices.ts';
import {
  type CustomerUser,
  impersonation,
  TENANT_AND_CUSTOMER,
  type TenantAdministrator,
} from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import type { ApiSettings } from '../settings.ts';
import { takeOverView, viewTakeOver } from '../views/take-over.ts';
import { notFound, permissionDenied } from '../wire/errors.ts';
import { inEpochs } from '../wire/if-match.ts';
import { isProblem, json, type Problem } from '../wire/reply.ts';
import { customerOf, deviceByName } from './access.ts';
import { doneReply } from './answers.ts';
import { CLAIMING, deviceNameInPath } from './claims.ts';

export interface TakeOverNeeds {
  readonly devices: Devices;
  readonly directory: Directory;
  readonly settings: Pick<ApiSettings, 'uniformRefusals'>;
}

export function takeOverRoutes(needs: TakeOverNeeds): Route[] {
  return [readTakeOver(needs), endTakeOver(needs)];
}

function readTakeOver(needs: TakeOverNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/customer/device/:deviceName/takeOver',
    summary: 'The pending take-over of a device, for its owner, its tenant and who asked for it',
    roles: TENANT_AND_CUSTOMER,
    params: deviceNameInPath,
    responses: {
      200: { description: 'Somebody has asked for it, and it can still be ended', schema: takeOverView },
      403: { description: 'Another customer owns it, or nobody, and somebody else asked for it or nobody' },
      404: { description: 'The tenant has no device of this name, or nobody has asked to take it over' },
    },
    async handle({ principal, params }) {
      const device = await concernedDevice(needs, principal, params.deviceName);
      if (isProblem(device)) return device;
      const { takeOver } = device;
      return takeOver === undefined ? notFound : json(viewTakeOver(takeOver, customerOf(principal)));
    },
  });
}

function endTakeOver(needs: TakeOverNeeds): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/api/customer/device/:deviceName/takeOver',
    summary:
      'End the pending take-over of a device: its owner objects, its tenant cancels, who asked for it withdraws',
    description:
      'Until it has happened, also after its instant. Where none is pending, a window is closed that the device has ' +
      'opened for one; and where there is none either, nothing has to be done.',
    roles: TENANT_AND_CUSTOMER,
    grants: CLAIMING,
    conditional: true,
    params: deviceNameInPath,
    responses: {
      200: { description: 'No take-over is pending now' },
      403: { description: 'Another customer owns it, or nobody, and somebody else asked for it or nobody' },
      404: { description: 'The tenant has no device of this name' },
      412: { description: 'If-Match names another owner epoch' },
    },
    async handle({ principal, params, ifMatch }) {
      const device = await concernedDevice(needs, principal, params.deviceName);
      if (isProblem(device)) return device;
      const { tenantId, userId } = principal;
      const customerId = customerOf(principal);
      const command = {
        type: 'EndTakeOver',
        tenantId,
        userId,
        customerId,
        ...inEpochs(ifMatch),
        ...impersonation(principal),
      } as const;
      return doneReply(await needs.devices.ask(device.id, command));
    },
  });
}

/** The device of this name, for whom a take-over concerns. Where refusals are uniform, another's does not exist. */
async function concernedDevice(
  { directory, settings }: TakeOverNeeds,
  principal: TenantAdministrator | CustomerUser,
  name: string,
): Promise<Problem | DeviceRecord> {
  const device = await deviceByName(directory, principal.tenantId, name);
  if (device === undefined) return notFound;
  if (mayEndTakeOver(device, customerOf(principal))) return device;
  return settings.uniformRefusals ? notFound : permissionDenied;
}
