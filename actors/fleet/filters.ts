/** The filters of a list of devices: which lists of the index answer them, and what is left to be asked of each device's head. */
import type { ProfileId, TenantId } from '../base/ids.ts';
import { claimStateOf } from '../device/claim-state.ts';
import { lists, typePrefix } from '../device/indexes.ts';
import type { DeviceRecord } from '../device/state.ts';
import type { Index } from '../store/store.ts';
import { type InState, isIn, WHOLE } from './claim-states.ts';
import type { ListQuery } from './devices.ts';
import type { IdList, Source } from './id-joins.ts';
import type { ReadDevices } from './live-devices.ts';
import type { RowRange, Scan } from './search.ts';

/** Whose devices are listed, and in which lists they are. */
export interface DeviceList {
  readonly tenantId: TenantId;
  /** The list by name, which there always is. */
  readonly byName: string;
  /** Whether these are all devices of the tenant, which are also listed by creation, by label, by type and by profile. */
  readonly wholeTenant: boolean;
  /** Whether a device's head agrees that it belongs into the list. */
  readonly agrees: (device: DeviceRecord) => boolean;
}

export interface Filters {
  /** The devices are in all of these; none for a customer's, which have the order of their names alone. */
  readonly sources: readonly Source[];
  /** What is left to be asked of heads; undefined: the sources say it all. */
  readonly head: Scan['head'];
  /** How many fit, where the count of a list says it. */
  readonly total: number | undefined;
  /** No more than `FEW` devices fit one of the filters: then all of them are looked at, unless the store is slow. */
  readonly areFew: boolean;
}

/** Of so many devices one look at each takes some ten milliseconds. */
const FEW = 5_000;

/** A filter's devices, and how many there are where a count says so. */
interface Counted extends Source {
  readonly total: number | undefined;
}

/** @param inState undefined: no claim state is asked for, or no index knows it yet */
export async function filtersOf(
  index: Index,
  devices: DeviceList,
  query: ListQuery,
  inState: InState | undefined,
  read: ReadDevices,
): Promise<Filters> {
  const { tenantId } = devices;
  const { type, profileId, orNoProfile = false, claimState, where } = query;
  const head = headsThat(read, filterOf(devices, query));
  if (!devices.wholeTenant)
    return { sources: [], head: hasFilter(query) ? head : undefined, total: undefined, areFew: false };
  if (inState?.type === 'known' && inState.list === undefined) {
    // Open windows, which are few: a look at each is cheaper than at a place in another list.
    const open = stateSource(inState);
    const isAlone = type === undefined && profileId === undefined;
    const total = isAlone && where === undefined ? open.total : undefined;
    return { sources: [open], head: isAlone ? undefined : head, total, areFew: true };
  }
  const ofProfile =
    profileId === undefined ? undefined : await profileSource(index, tenantId, profileId, orNoProfile);
  const sources: readonly Counted[] = [
    inState === undefined ? undefined : stateSource(inState),
    type === undefined ? undefined : await typeSource(index, tenantId, type),
    ofProfile,
  ].filter((one) => one !== undefined);
  const isAnswered =
    (claimState === undefined || inState?.type === 'known') &&
    (profileId === undefined || ofProfile !== undefined);
  const [only, other] = sources;
  return {
    sources: only === undefined ? [source([{ list: lists.byCreation(tenantId) }])] : sources,
    head: isAnswered ? undefined : head,
    total: isAnswered && where === undefined && other === undefined ? only?.total : undefined,
    areFew: sources.some(({ total }) => total !== undefined && total <= FEW),
  };
}

function source(idLists: readonly IdList[], total?: number): Counted {
  return { lists: idLists, others: [], without: new Set(), total };
}

function stateSource(inState: InState): Counted {
  if (inState.type === 'among') return source(inState.lists.map((list) => ({ list })));
  const { list, others, without, total } = inState;
  return { lists: list === undefined ? [] : [{ list }], others, without: new Set(without), total };
}

/** Many are not counted. */
async function typeSource(index: Index, tenantId: TenantId, type: string): Promise<Counted> {
  const list = { list: lists.byType(tenantId), prefix: typePrefix(type) };
  const count = await index.count(list.list, { prefix: list.prefix, atMost: FEW + 1 });
  return source([list], count > FEW ? undefined : count);
}

/** Undefined: not all devices that name no profile are in their list yet. */
async function profileSource(
  index: Index,
  tenantId: TenantId,
  profileId: ProfileId,
  orNoProfile: boolean,
): Promise<Counted | undefined> {
  const named = { list: lists.ofProfile(profileId) };
  const count = await index.count(named.list);
  if (!orNoProfile) return source([named], count);
  const nameless = { list: lists.withoutProfile(tenantId) };
  const others = await index.count(nameless.list);
  const total = count + others;
  // Where no other profile is named, the counts tell it at once.
  const isWhole =
    total === (await index.count(lists.byCreation(tenantId))) ||
    (await isIn(index, { list: WHOLE, member: tenantId }));
  return isWhole ? source(count === 0 ? [nameless] : [named, nameless], total) : undefined;
}

export function rowRangeOf({ page, pageSize, sortOrder }: ListQuery): RowRange {
  return { offset: page * pageSize, limit: pageSize, descending: sortOrder === 'DESC' };
}

export function isByName({ wholeTenant }: DeviceList, { sortProperty }: ListQuery): boolean {
  return sortProperty === 'name' || !wholeTenant;
}

/** Whether the query asks for something that a device's row by name or by creation does not say. */
export function hasFilter({ type, profileId, claimState }: ListQuery): boolean {
  return type !== undefined || profileId !== undefined || claimState !== undefined;
}

/** Whether a device is one that the query asks for, by its head. */
export function filterOf(
  { agrees }: DeviceList,
  { type, profileId, orNoProfile = false, claimState }: ListQuery,
): (device: DeviceRecord) => boolean {
  return (device) =>
    agrees(device) &&
    (type === undefined || device.type === type) &&
    (claimState === undefined || claimStateOf(device, claimState.at) === claimState.state) &&
    (profileId === undefined || (device.profileId ?? (orNoProfile ? profileId : null)) === profileId);
}

/** Reads devices, and gives the ids of those that fit. */
export function headsThat(
  read: ReadDevices,
  fits: (device: DeviceRecord) => boolean,
): NonNullable<Scan['head']> {
  return async (ids) => {
    const devices = await read(ids);
    return devices.flatMap((device) => (device !== undefined && fits(device) ? [device.id] : []));
  };
}
