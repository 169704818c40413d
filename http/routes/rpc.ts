/**
 * Calls to devices (RPC). No device takes them here: claimd is about ownership. Who calls hears at once what ThingsBoard
 * says when the device is not connected, and only after the call's time there: 504, or 409 by the older paths, both empty.
 */
import { z } from 'zod';
import type { Devices } from '../../actors/fleet/devices.ts';
import { TENANT_AND_CUSTOMER } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { type EmptyReply, empty, isProblem } from '../wire/reply.ts';
import { deviceId } from '../wire/schemas.ts';
import { visibleDevice } from './access.ts';

const INVALID = { error: 'Invalid request body' };

/** What else ThingsBoard reads there (timeout, persistent, …) changes nothing. */
const rpcCall = z.object({ method: z.string(INVALID), params: z.unknown().optional() }, INVALID);

const WAYS = [
  { base: '/api/rpc', status: 504 },
  { base: '/api/plugins/rpc', status: 409 },
] as const;

export function rpcRoutes(needs: { readonly devices: Devices }): Route[] {
  return WAYS.flatMap(({ base, status }) =>
    (['oneway', 'twoway'] as const).map((kind) => calling(needs, `${base}/${kind}/:deviceId`, status)),
  );
}

function calling({ devices }: { readonly devices: Devices }, path: `/${string}`, status: 504 | 409): Route {
  const notConnected: EmptyReply = { ...empty, status };
  return defineRoute({
    method: 'POST',
    path,
    summary: 'Call a device; no device takes calls here',
    roles: TENANT_AND_CUSTOMER,
    params: z.object({ deviceId }),
    body: rpcCall,
    plainProblems: true,
    responses: {
      [status]: { description: 'The device is not connected', isEmpty: true },
      403: { description: 'Not the own device' },
      404: { description: 'No such device' },
    },
    async handle({ principal, params }) {
      const device = await visibleDevice(devices, principal, params.deviceId);
      return isProblem(device) ? device : notConnected;
    },
  });
}
