/** Kits from the tenant's side (rules K1 to K6): made, read with their codes, split, revoked. Claiming is in `kit-claims.ts`. */
import { z } from 'zod';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Clock } from '../../actors/base/clock.ts';
import { mapInSlices } from '../../actors/base/slices.ts';
import { composed } from '../../actors/base/spelling.ts';
import { ownerEpochOf } from '../../actors/device/state.ts';
import type { Directory } from '../../actors/fleet/devices.ts';
import {
  KIT_DEVICES_MAX,
  type Kit,
  type KitAnswer,
  type Kits,
  type PackedDevice,
} from '../../actors/kits/model.ts';
import { TENANT, type TenantAdministrator } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { kitView, listedKitView, viewKit, viewListedKit } from '../views/kit.ts';
import { pageView, viewPage } from '../views/page.ts';
import { badRequest, notFound, refusedKit } from '../wire/errors.ts';
import { unlessVisible } from '../wire/names.ts';
import { empty, isProblem, json, type Problem, type Reply } from '../wire/reply.ts';
import { kitPaging, optionalText } from '../wire/schemas.ts';
import { deviceByName } from './access.ts';
import { noteChange } from './user-notes.ts';

export interface KitRouteNeeds {
  readonly kits: Kits;
  readonly directory: Directory;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

const YEAR_MS = 365 * 86_400_000;

const inPath = z.object({ kitId: z.string() });
const deviceNames = z
  .array(z.string(), { error: 'devices should be a list of names!' })
  .min(1, 'A kit needs at least one device!')
  .max(KIT_DEVICES_MAX, `A kit has at most ${KIT_DEVICES_MAX} devices!`);

export function kitRoutes(needs: KitRouteNeeds): Route[] {
  return [
    createKit(needs),
    listKits(needs),
    readKit(needs),
    splitKit(needs),
    revokeKit(needs),
    deleteKit(needs),
  ];
}

function createKit(needs: KitRouteNeeds): Route {
  const { kits, clock } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/kit',
    stores: true,
    summary: 'Make a kit: a code that claims all these devices, by name, once',
    roles: TENANT,
    body: z.object(
      {
        label: optionalText('The label'),
        expirationTime: z.int().nonnegative().optional(),
        devices: deviceNames,
      },
      { error: 'The body should be {"label": …, "devices": […]}!' },
    ),
    responses: {
      200: { description: 'The kit, with its code', schema: kitView },
      400: { description: 'An unknown device, too many devices, or too many kits; nothing was made' },
    },
    async handle({ principal, body: { label, devices, expirationTime = clock.now() + YEAR_MS } }) {
      const { tenantId, userId } = principal;
      if (expirationTime <= clock.now()) return badRequest('expirationTime is already past!');
      const hidden = unlessVisible([['The label', label]]);
      if (hidden !== undefined) return hidden;
      const packed = await namedDevices(needs, principal, devices);
      if (isProblem(packed)) return packed;
      const fields = { label: label ?? '', expiresAt: expirationTime };
      const answer = await kits.create(tenantId, userId, fields, packed);
      return replyTo(needs, principal, 'ADDED', answer);
    },
  });
}

/** The devices of these names, in their present owner epochs. A name twice is one device. */
async function namedDevices(
  { directory }: KitRouteNeeds,
  { tenantId }: TenantAdministrator,
  names: readonly string[],
): Promise<readonly PackedDevice[] | Problem> {
  const found = await mapInSlices([...new Set(names)], async (name) => {
    const device = await deviceByName(directory, tenantId, name);
    return device ?? name;
  });
  const missing = found.find((device) => typeof device === 'string');
  if (missing !== undefined) return badRequest(`There is no device called '${missing}'!`);
  return found.flatMap((device) =>
    typeof device === 'string' ? [] : [{ id: device.id, name: device.name, epoch: ownerEpochOf(device) }],
  );
}

function listKits({ kits, clock }: KitRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/kits',
    summary: 'The kits of the tenant, in the order of creation, without their devices',
    roles: TENANT,
    grants: ['everything', 'delegated'], // with the codes, which claim
    query: kitPaging,
    responses: { 200: { description: 'A page of kits', schema: pageView(listedKitView) } },
    async handle({ principal, query }) {
      const page = await kits.list(principal.tenantId, query);
      return json(viewPage(page, query, (kit) => viewListedKit(kit, kits.codeOf(kit), clock.now())));
    },
  });
}

function readKit({ kits, clock }: KitRouteNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/kit/:kitId',
    summary: 'A kit, with its code and what became of each device',
    roles: TENANT,
    grants: ['everything', 'delegated'],
    params: inPath,
    responses: {
      200: { description: 'The kit', schema: kitView },
      404: { description: 'No such kit' },
    },
    async handle({ principal, params }) {
      const kit = await kits.find(principal.tenantId, params.kitId);
      return kit === undefined ? notFound : json(viewKit(kit, kits.codeOf(kit), clock.now()));
    },
  });
}

function splitKit(needs: KitRouteNeeds): Route {
  const { kits } = needs;
  return defineRoute({
    method: 'POST',
    path: '/api/kit/:kitId/split',
    stores: true,
    summary: 'Take devices out of a kit into one of their own, with a code of its own',
    roles: TENANT,
    params: inPath,
    body: z.object(
      { label: optionalText('The label'), devices: deviceNames },
      { error: 'The body should be {"label": …, "devices": […]}!' },
    ),
    responses: {
      200: { description: 'The new kit, with its code', schema: kitView },
      400: {
        description:
          'One of them is not in the kit, or no other is; or it is claimed or revoked. Nothing was split',
      },
      404: { description: 'No such kit' },
    },
    async handle({ principal, params, body: { label, devices } }) {
      const { tenantId, userId } = principal;
      const kit = await kits.find(tenantId, params.kitId);
      if (kit === undefined) return notFound;
      const hidden = unlessVisible([['The label', label, kit.label]]);
      if (hidden !== undefined) return hidden;
      const inKit = new Set(kit.devices.map(({ name }) => composed(name)));
      const missing = devices.find((name) => !inKit.has(composed(name)));
      if (missing !== undefined) return badRequest(`The kit has no device called '${missing}'!`);
      const names = new Set(devices.map(composed));
      const taken = new Set(kit.devices.filter(({ name }) => names.has(composed(name))).map(({ id }) => id));
      const answer = await kits.split(tenantId, userId, kit.id, taken, label ?? kit.label);
      return replyTo(needs, principal, 'ADDED', answer);
    },
  });
}

function revokeKit(needs: KitRouteNeeds): Route {
  const { kits } = needs;
  return defineRoute({
    method: 'DELETE',
    path: '/api/kit/:kitId',
    summary: 'Revoke a kit: its code opens nothing more, and what it claimed stays claimed',
    roles: TENANT,
    params: inPath,
    responses: {
      200: { description: 'The kit as it is now', schema: kitView },
      400: { description: 'It is claimed or revoked already' },
      404: { description: 'No such kit' },
    },
    handle: async ({ principal, params }) =>
      replyTo(needs, principal, 'DELETED', await kits.revoke(principal.tenantId, params.kitId)),
  });
}

function deleteKit(needs: KitRouteNeeds): Route {
  const { kits, audit } = needs;
  return defineRoute({
    method: 'DELETE',
    path: '/api/kit/:kitId/record',
    summary:
      'Delete a kit that is over: claimed and carried out, revoked or expired; what it claimed stays claimed',
    description: 'Its code is then one that never was. Who claimed what stays in the audit trail.',
    roles: TENANT,
    params: inPath,
    responses: {
      200: { description: 'It is gone', isEmpty: true },
      400: { description: 'It is still open, or its devices are still being claimed' },
      404: { description: 'No such kit' },
    },
    async handle({ principal, params }) {
      const { tenantId } = principal;
      const answer = await kits.forget(tenantId, params.kitId);
      if (answer.type === 'refused') return refusedKit(answer.reason);
      await noteChange(audit, principal, { tenantId, action: 'DELETED', data: aboutKit(answer.kit) });
      return empty;
    },
  });
}

/** The kit, noted in the audit trail without its code; or why not. */
async function replyTo(
  { kits, audit, clock }: KitRouteNeeds,
  principal: TenantAdministrator,
  action: 'ADDED' | 'DELETED',
  answer: KitAnswer,
): Promise<Reply> {
  if (answer.type === 'refused') return refusedKit(answer.reason);
  const { kit } = answer;
  await noteChange(audit, principal, { tenantId: principal.tenantId, action, data: aboutKit(kit) });
  return json(viewKit(kit, kits.codeOf(kit), clock.now()));
}

/** What the audit trail says of a kit. */
function aboutKit({ id, label, devices }: Kit) {
  return { kit: id, label, devices: devices.length };
}
