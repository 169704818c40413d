/**
 * Public devices: the tenant gives a device to its customer `Public`, and whoever knows that customer's id can log in
 * with it and read. An anonymous user can only read: it cannot claim, give back or change anything, nor see credentials
 * (in ThingsBoard it can do all of that).
 */

import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { TENANT } from '../auth/principal.ts';
import type { Tokens } from '../auth/tokens.ts';
import { defineRoute, type Route } from '../route.ts';
import { deviceView } from '../views/device.ts';
import { tokenPairView } from '../views/user.ts';
import { accountProblem, badCredentials, notFound } from '../wire/errors.ts';
import { inEpochs } from '../wire/if-match.ts';
import { json } from '../wire/reply.ts';
import { customerId, deviceId } from '../wire/schemas.ts';
import { deviceReply } from './answers.ts';
import { assign } from './tenure.ts';

export interface PublicNeeds {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly profiles: Profiles;
  readonly tokens: Tokens;
}

export function publicRoutes({ accounts, devices, profiles, tokens }: PublicNeeds): Route[] {
  const { customers } = accounts;

  return [
    defineRoute({
      method: 'POST',
      path: '/api/customer/public/device/:deviceId',
      summary: 'Make a device public: assign it to the customer Public, which is made when it is not there',
      roles: TENANT,
      conditional: true,
      params: z.object({ deviceId }),
      responses: {
        200: { description: 'The device', schema: deviceView },
        400: { description: 'The tenant has a customer of the title Public that is not public' },
        404: { description: 'No such device' },
        412: { description: 'If-Match names another owner epoch' },
      },
      async handle({ principal, params, ifMatch }) {
        const everybody = await customers.publicOf(principal.tenantId);
        if (everybody.type !== 'done') return accountProblem(everybody, 'Customer');
        const { id } = everybody.value;
        const answer = await assign({ accounts, devices }, principal, params.deviceId, id, inEpochs(ifMatch));
        return answer === undefined ? notFound : deviceReply(profiles, params.deviceId, answer);
      },
    }),

    defineRoute({
      method: 'POST',
      path: '/api/auth/login/public',
      summary: 'Log in as the anonymous user of a public customer, to read what it owns',
      roles: ['PUBLIC'],
      // A missing or malformed id is answered like an unknown one.
      body: z.object({ publicId: customerId }).or(z.unknown().transform(() => undefined)),
      responses: {
        200: { description: 'A token for requests and one to renew it', schema: tokenPairView },
        401: { description: 'No public customer has this id' },
      },
      async handle({ body }) {
        const customer = body === undefined ? undefined : await customers.findPublic(body.publicId);
        return customer === undefined ? badCredentials : json(tokens.issuePublic(customer));
      },
    }),
  ];
}
