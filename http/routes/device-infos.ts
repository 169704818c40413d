/**
 * Devices as lists show them: with the owner's title, how long it has been the owner, and whether the device is
 * connected. None of it is stored: it is collected for each request.
 */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { DeviceId, ProfileId, TenantId } from '../../actors/base/ids.ts';
import { mapInSlices, slices } from '../../actors/base/slices.ts';
import type { ClaimState } from '../../actors/device/claim-state.ts';
import { type DeviceRecord, openOffer } from '../../actors/device/state.ts';
import type { Devices, Directory, ListQuery, Presence } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { type CustomerUser, TENANT_AND_CUSTOMER, type TenantAdministrator } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import {
  claimabilityForOwner,
  claimabilityOf,
  deviceInfoView,
  shownOwner,
  viewDeviceInfo,
} from '../views/device.ts';
import { json, type Reply } from '../wire/reply.ts';
import { deviceId, deviceInfoPaging } from '../wire/schemas.ts';
import { TOTAL_IS } from '../wire/totals.ts';
import { visibleDevice } from './access.ts';
import { pageOfDevices } from './answers.ts';
import { pagesOfCustomer, pagesOfTenant, type ReadDevices } from './device-pages.ts';

export interface DeviceInfoNeeds {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly presence: Presence;
  readonly profiles: Profiles;
  readonly clock: Clock;
}

type Caller = TenantAdministrator | CustomerUser;

const subtypeView = z.object({
  tenantId: z.object({ entityType: z.literal('TENANT'), id: z.uuid() }),
  entityType: z.literal('DEVICE'),
  type: z.string(),
});

/** A gateway may give each of ten thousand devices a type of its own. */
const TYPES_MAX = 5_000;

export function deviceInfoRoutes(needs: DeviceInfoNeeds): Route[] {
  const infos = {
    query: deviceInfoPaging,
    view: deviceInfoView,
    reply: (principal: Caller, query: InfoQuery, read: ReadDevices) =>
      pageReply(needs, principal, query, read),
  };
  return [
    deviceTypes(needs),
    readDeviceInfo(needs),
    pagesOfTenant(needs, {
      ...infos,
      path: '/api/tenant/deviceInfos',
      summary: "The tenant's devices, with their owners and whether they are connected; also by claimState",
    }),
    pagesOfCustomer(needs, {
      ...infos,
      path: '/api/customer/:customerId/deviceInfos',
      summary: 'The devices that a customer owns, and whether they are connected',
    }),
  ];
}

function deviceTypes({ directory }: DeviceInfoNeeds): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/device/types',
    summary: "The types that the tenant's devices have",
    roles: TENANT_AND_CUSTOMER,
    description: `At most ${TYPES_MAX}; where there are more, the header ${TOTAL_IS} says at-least.`,
    responses: { 200: { description: 'The types', schema: z.array(subtypeView) } },
    async handle({ principal: { tenantId } }) {
      const types = await directory.typesOf(tenantId, TYPES_MAX + 1);
      const tenant = { entityType: 'TENANT', id: tenantId };
      const shown = types.slice(0, TYPES_MAX);
      return {
        ...json(shown.map((type) => ({ tenantId: tenant, entityType: 'DEVICE', type }))),
        ...(types.length > TYPES_MAX ? { headers: { [TOTAL_IS]: 'at-least' } } : {}),
      };
    },
  });
}

function readDeviceInfo(needs: DeviceInfoNeeds): Route {
  const { devices } = needs;
  return defineRoute({
    method: 'GET',
    path: '/api/device/info/:deviceId',
    summary: 'A device, with its owner and whether it is connected',
    roles: TENANT_AND_CUSTOMER,
    params: z.object({ deviceId }),
    responses: {
      200: { description: 'The device', schema: deviceInfoView },
      403: { description: 'Another customer owns it, or nobody' },
      404: { description: 'No such device' },
    },
    async handle({ principal, params }) {
      const device = await visibleDevice(devices, principal, params.deviceId);
      if (device.type !== 'found') return device;
      const [info] = await infosOf(needs, principal, [device.value]);
      return json(info);
    },
  });
}

/** Looks up each owner and profile once, however many devices have it. */
export async function infosOf(needs: DeviceInfoNeeds, principal: Caller, found: readonly DeviceRecord[]) {
  const { accounts, presence, profiles, clock } = needs;
  const { tenantId } = principal;
  const isTenant = principal.authority === 'TENANT_ADMIN';
  const ids = new Set(
    found.flatMap(({ owner, takeOver }) => [
      ...(owner === null ? [] : [owner.customerId]),
      ...(takeOver === undefined || !isTenant ? [] : [takeOver.customerId]),
    ]),
  );
  const owners = await lookedUp(ids, (id) => accounts.customers.find(tenantId, id), shownOwner);
  const fallback = await profiles.default(tenantId);
  const named = new Set(found.flatMap(({ profileId }) => profileId ?? []));
  const profilesById = await lookedUp(
    named,
    (id) => profiles.find(tenantId, id),
    ({ id, name }) => ({ id, name }),
  );
  return mapInSlices(found, (device) =>
    viewDeviceInfo(device, {
      owner: owners.get(device.owner?.customerId ?? ''),
      profile: profilesById.get(device.profileId ?? '') ?? fallback,
      active: presence.isConnected(device.id),
      offer: openOffer(device, clock.now()),
      newcomer: isTenant ? owners.get(device.takeOver?.customerId ?? '') : undefined,
      claiming: isTenant ? claimabilityOf(device, clock.now()) : claimabilityForOwner(device, clock.now()),
    }),
  );
}

/** A profile takes up to 64 KiB to read. */
const LOOKED_UP_PER_TURN = 50;

/** A page may have ten thousand owners and as many profiles: some are read in a turn, and what is shown of them is kept. */
async function lookedUp<Id extends string, Found, Shown>(
  ids: ReadonlySet<Id>,
  find: (id: Id) => Promise<Found | undefined>,
  show: (found: Found) => Shown,
): Promise<ReadonlyMap<string, Shown>> {
  const shown = new Map<string, Shown>();
  for await (const some of slices([...ids], LOOKED_UP_PER_TURN)) {
    const found = await Promise.all(some.map(find));
    for (const [nth, id] of some.entries()) {
      const one = found[nth];
      if (one !== undefined) shown.set(id, show(one));
    }
  }
  return shown;
}

type InfoQuery = z.infer<typeof deviceInfoPaging>;

interface Filters {
  readonly active?: boolean | undefined;
  readonly deviceProfileId?: ProfileId | undefined;
  readonly claimState?: ClaimState | undefined;
}

/** A query as the directory takes it, with what devices are like now. */
export async function listQueryOf(
  { presence, profiles, clock }: Pick<DeviceInfoNeeds, 'presence' | 'profiles' | 'clock'>,
  tenantId: TenantId,
  { active, deviceProfileId: profileId, claimState }: Filters,
  query: ListQuery,
): Promise<ListQuery> {
  const where = (id: DeviceId) => presence.isConnected(id) === active;
  return {
    ...query,
    ...(active === undefined ? {} : { where }),
    ...(claimState === undefined ? {} : { claimState: { state: claimState, at: clock.now() } }),
    ...(profileId === undefined
      ? {}
      : { profileId, orNoProfile: profileId === (await profiles.defaultIdOf(tenantId)) }),
  };
}

async function pageReply(
  needs: DeviceInfoNeeds,
  principal: Caller,
  query: InfoQuery,
  read: ReadDevices,
): Promise<Reply> {
  const { active, deviceProfileId, claimState, ...rest } = query;
  const filters = { active, deviceProfileId, claimState };
  const page = await read(await listQueryOf(needs, principal.tenantId, filters, rest));
  const infos = await infosOf(needs, principal, page.items);
  return pageOfDevices({ ...page, items: infos }, query, (info) => info);
}
