/**
 * How often and when a device changed hands, for its tenant and its owner: to read, and as a statement that anybody can
 * check (rule R6). To whom it went is not among it; the tenant's audit trail has that. And for a former owner, which devices it
 * lost without giving them back (N6).
 */
import { z } from 'zod';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import { ownershipHistory, type Statements } from '../../actors/claiming/statements.ts';
import type { Devices } from '../../actors/fleet/devices.ts';
import { CUSTOMER, TENANT_AND_CUSTOMER } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { lossView, ownershipView, statementView, viewLoss } from '../views/ownership.ts';
import { json } from '../wire/reply.ts';
import { deviceId } from '../wire/schemas.ts';
import { visibleDevice } from './access.ts';

export interface OwnershipNeeds {
  readonly devices: Devices;
  readonly statements: Statements;
  readonly audit: Pick<AuditTrail, 'lossesOf'>;
}

const jwksView = z.object({
  keys: z.array(
    z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), kid: z.string() }),
  ),
});

const inPath = z.object({ deviceId });
const REFUSED = {
  403: { description: 'Another customer owns the device, or nobody' },
  404: { description: 'No such device' },
};

export function ownershipRoutes({ devices, statements, audit }: OwnershipNeeds): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/device/:deviceId/ownership',
      summary: 'How often and when a device changed hands, and by what; not to whom',
      roles: TENANT_AND_CUSTOMER,
      params: inPath,
      responses: { 200: { description: 'The changes, the oldest first', schema: ownershipView }, ...REFUSED },
      async handle({ principal, params }) {
        const device = await visibleDevice(devices, principal, params.deviceId);
        return device.type === 'found' ? json(ownershipHistory(device.value)) : device;
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/device/:deviceId/ownership/statement',
      summary: 'The same as a signed statement, which anybody can check with the published key',
      roles: TENANT_AND_CUSTOMER,
      params: inPath,
      responses: { 200: { description: 'The statement', schema: statementView }, ...REFUSED },
      async handle({ principal, params }) {
        const device = await visibleDevice(devices, principal, params.deviceId);
        return device.type === 'found' ? json({ statement: await statements.sign(device.value) }) : device;
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/lostDevices',
      summary: 'Devices that you lost without giving them back: when, and by what',
      description:
        'By a factory reset of the device, or by a take-over; not to whom. The newest first, 100 at most, for 90 days. A second late, and empty where the audit trail is switched off.',
      roles: CUSTOMER,
      responses: { 200: { description: 'The losses, the newest first', schema: z.array(lossView) } },
      handle: async ({ principal }) => json((await audit.lossesOf(principal.customerId)).map(viewLoss)),
    }),
    defineRoute({
      method: 'GET',
      path: '/.well-known/jwks.json',
      summary: 'The public keys that check ownership statements, as a JWK Set',
      roles: ['PUBLIC'],
      responses: { 200: { description: 'The keys', schema: jwksView } },
      handle: async () => json(await statements.keys()),
    }),
  ];
}
