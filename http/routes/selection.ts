/** Which devices a request is about: named one by one, or all that a description fits. */
import { z } from 'zod';
import type { CustomerId, DeviceId } from '../../actors/base/ids.ts';
import { parsedJson } from '../../actors/base/json.ts';
import { BATCH_DEVICES_MAX } from '../../actors/batches/model.ts';
import { CLAIM_STATES } from '../../actors/device/claim-state.ts';
import type { TenantAdministrator } from '../auth/principal.ts';
import { badRequest, notFound } from '../wire/errors.ts';
import { listed } from '../wire/query.ts';
import type { Problem } from '../wire/reply.ts';
import { customerId, deviceId, NAME_MAX, profileId } from '../wire/schemas.ts';
import { type DeviceInfoNeeds, listQueryOf } from './device-infos.ts';

export type SelectionNeeds = Pick<
  DeviceInfoNeeds,
  'accounts' | 'directory' | 'presence' | 'profiles' | 'clock'
>;

/** The filters of the lists of devices. `{}` is all that there are. */
export const where = z
  .strictObject({
    textSearch: z.string().max(NAME_MAX).optional(),
    type: z.string().max(NAME_MAX).optional(),
    claimState: z.enum(CLAIM_STATES).optional(),
    active: z.boolean().optional(),
    deviceProfileId: profileId.optional(),
    customerId: customerId.optional(),
  })
  .transform(({ customerId, active, deviceProfileId, claimState, textSearch, type }) => ({
    customerId,
    filters: { active, deviceProfileId, claimState },
    texts: { ...(textSearch ? { textSearch } : {}), ...(type ? { type } : {}) },
  }));

type Where = z.output<typeof where>;

/** The same as a parameter of a query: as JSON. */
export const whereInQuery = z
  .string()
  .optional()
  .transform((text, context): Where | undefined => {
    if (text === undefined) return undefined;
    const parsed = where.safeParse(parsedJson(text));
    if (parsed.success) return parsed.data;
    const message = 'where should be JSON with the filters of a list of devices!';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .meta({
    documentedAs: { type: 'string', example: '{"textSearch":"pump","claimState":"UNCLAIMED"}' },
  });

/** Ids as a parameter of a query. */
export const idsInQuery = listed().transform((ids, context) => {
  const parsed = z.array(deviceId).safeParse(ids);
  if (parsed.success) return parsed.data;
  context.addIssue({ code: 'custom', message: 'Invalid UUID string!' });
  return z.NEVER;
});

/** The tenant's devices that it fits, at most as many as a batch changes; the problem where there are more. */
export async function fitting(
  needs: SelectionNeeds,
  principal: TenantAdministrator,
  { customerId: owner, filters, texts }: Where,
): Promise<readonly DeviceId[] | Problem> {
  const { accounts, directory } = needs;
  const { tenantId } = principal;
  const query = await listQueryOf(needs, tenantId, filters, {
    ...texts,
    page: 0,
    pageSize: BATCH_DEVICES_MAX + 1,
  });
  const found = await (owner === undefined
    ? directory.ofTenant(tenantId, query)
    : ofCustomer(owner, () => directory.ofCustomer(tenantId, owner, query)));
  if (found === undefined) return notFound;
  if (found.cutAfter !== undefined)
    return badRequest('There are too many devices to find all that fit! Describe fewer.');
  if (found.items.length > BATCH_DEVICES_MAX)
    return badRequest(`More than ${BATCH_DEVICES_MAX} devices fit! Describe fewer.`);
  return found.items.map(({ id }) => id);

  async function ofCustomer<Found>(id: CustomerId, read: () => Promise<Found>): Promise<Found | undefined> {
    return (await accounts.customers.find(tenantId, id)) === undefined ? undefined : read();
  }
}
