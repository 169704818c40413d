/** The tenant's administrator gives a device to a customer, or takes it away; claims follow the same rules (R3). */

import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { impersonation, TENANT } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { deviceView } from '../views/device.ts';
import { notFound } from '../wire/errors.ts';
import { inEpochs } from '../wire/if-match.ts';
import { customerId, deviceId } from '../wire/schemas.ts';
import { visibleCustomer } from './access.ts';
import { deviceReply } from './answers.ts';
import { assign } from './tenure.ts';

export interface AssignmentNeeds {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly profiles: Profiles;
}

export function assignmentRoutes({ accounts, devices, profiles }: AssignmentNeeds): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/customer/:customerId/device/:deviceId',
      summary: 'Assign a device to a customer; an open claim window is closed',
      roles: TENANT,
      conditional: true,
      params: z.object({ customerId, deviceId }),
      responses: {
        200: { description: 'The device', schema: deviceView },
        404: { description: 'No such device or customer' },
        412: { description: 'If-Match names another owner epoch' },
      },
      async handle({ principal, params, ifMatch }) {
        const customer = await visibleCustomer(accounts, principal, params.customerId);
        if (customer.type !== 'found') return customer;
        const { customerId: id } = params;
        const answer = await assign({ accounts, devices }, principal, params.deviceId, id, inEpochs(ifMatch));
        return answer === undefined ? notFound : deviceReply(profiles, params.deviceId, answer);
      },
    }),

    defineRoute({
      method: 'DELETE',
      path: '/api/customer/device/:deviceId',
      summary: 'Take a device from the customer who owns it',
      roles: TENANT,
      conditional: true,
      params: z.object({ deviceId }),
      responses: {
        200: { description: 'The device', schema: deviceView },
        400: { description: 'Nobody owns it' },
        404: { description: 'No such device' },
        412: { description: 'If-Match names another owner epoch' },
      },
      async handle({ principal, params, ifMatch }) {
        const { tenantId, userId } = principal;
        const command = {
          type: 'UnassignDevice',
          tenantId,
          userId,
          customerId: null,
          ...inEpochs(ifMatch),
          ...impersonation(principal),
        } as const;
        return deviceReply(profiles, params.deviceId, await devices.ask(params.deviceId, command));
      },
    }),
  ];
}
