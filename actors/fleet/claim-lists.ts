/**
 * Puts every device into the list of its group of claim states (`claim-states.ts`), and into the list of those that name no
 * profile, if it is one. What events write is in them already, so a new tenant's lists are whole from the start; devices of an
 * older store are not in them until the background has gone through them once. Until then states are looked for in devices' heads.
 *
 * It also looks from time to time whether the lists still add up, and puts them right if not. After a return to an older version
 * and back they may be wrong and add up nevertheless, where a device only went from one state to another meanwhile: `check`, which
 * looks at every device for `verify` and writes nothing, finds this, and `verify` has them made anew.
 *
 * Devices go on meanwhile. An entry is brought to what the head says, and again until the head is still the one that was looked at.
 * So nothing is lost where a device is claimed at the same time, or another process does the same.
 */
import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { DeviceId, TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { DEVICES_PER_TURN, mapInSlices } from '../base/slices.ts';
import { CLAIM_GROUPS } from '../device/claim-state.ts';
import { deviceOf, laterEntries, lists } from '../device/indexes.ts';
import { decodeHead } from '../device/persistence.ts';
import type { Journal, ListMember } from '../journal/journal.ts';
import { createRounds, type Rounds } from '../records/rounds.ts';
import type { Index, Store } from '../store/store.ts';
import { isIn, lackInGroups, WHOLE } from './claim-states.ts';
import { readDevice } from './live-devices.ts';

const FIRST_MS = 2_000;
const EVERY_MS = 60_000;
/** After each slice of devices it rests this many times as long as that took. Claims go first. */
const REST = 3;
/** How often an entry is brought to a head that goes on moving, before it is left to the next round. */
const TRIES = 20;

/** The counts of the lists are looked at so many times before a difference between them is believed. */
const LOOKS = 5;
const LOOK_EVERY_MS = 50;

export interface Differences {
  /** Devices that are not in the list in which they should be. */
  readonly missing: number;
  /** Entries of devices that should not be there. */
  readonly surplus: number;
}

type Lists = Pick<Store, 'index'> & { readonly journal: Pick<Journal, 'load'> };

/**
 * @param tenants all there are
 * @param tenantStands whether there is such a tenant, and nobody is deleting it
 */
export function createClaimLists(
  store: Store,
  tenants: () => AsyncIterable<TenantId>,
  clock: Clock,
  log: Log,
  tenantStands: (id: TenantId) => Promise<boolean>,
): Rounds {
  const { index } = store;
  /** Tenants whose lists did not add up in the last round, though they had been made, and by how many devices. */
  let doubtful = new Map<TenantId, number>();

  async function lookAfter(tenantId: TenantId, mayGoOn: () => Promise<boolean>): Promise<void> {
    const isMarked = await isIn(index, { list: WHOLE, member: tenantId });
    const lack = await lastingLack(index, tenantId);
    const before = doubtful.get(tenantId);
    doubtful.delete(tenantId);
    if (isMarked && (lack === 0 || lack === undefined)) return;
    if (isMarked && lack !== before) {
      doubtful.set(tenantId, lack ?? 0);
      return;
    }
    if (isMarked) await index.remove(WHOLE, tenantId);
    const devices = await index.count(lists.byCreation(tenantId));
    // Nothing is missing where only the note of `beginClaimLists` is, and nobody has to hear of that.
    if (lack !== 0)
      log.info({ tenantId, devices }, 'lists of devices by claim state are made in the background');
    const found = await goThrough(store, tenantId, true, mayGoOn);
    if (found === undefined) return;
    await index.add(WHOLE, tenantId);
    // Looked at after the write: who deletes the tenant marks it first, and forgets this last.
    if (!(await tenantStands(tenantId))) return forgetClaimLists(store, tenantId);
    if (found.missing + found.surplus > 0)
      log.info({ tenantId, ...found }, 'lists of devices by claim state are whole');
  }

  return createRounds(
    store,
    {
      name: 'claim-lists',
      what: 'lists',
      firstMs: FIRST_MS,
      everyMs: EVERY_MS,
      away: 'lists of devices by claim state could not be made; trying again',
      async round(mayGoOn) {
        const still = new Map<TenantId, number>();
        for await (const tenantId of tenants()) {
          if (!(await mayGoOn())) return;
          await lookAfter(tenantId, mayGoOn);
          const lack = doubtful.get(tenantId);
          if (lack !== undefined) still.set(tenantId, lack);
        }
        doubtful = still;
      },
    },
    clock,
    log,
  );
}

/**
 * By how many devices a tenant's lists do not add up; undefined: it is another number each time. Counts are read one after the
 * other, and on Redis a device leaves a list a moment before it is in the next, so under steady claims they never add up. What
 * is really wrong stays the same, at the latest when it is quiet.
 */
async function lastingLack(index: Index, tenantId: TenantId): Promise<number | undefined> {
  const first = await lackInGroups(index, tenantId);
  if (first === 0) return 0;
  for (let look = 1; look < LOOKS; look += 1) {
    await setTimeout(LOOK_EVERY_MS);
    const lack = await lackInGroups(index, tenantId);
    if (lack !== first) return lack === 0 ? 0 : undefined;
  }
  return first;
}

/** What is wrong with a tenant's lists; undefined: they are not made yet. Beside a running server, too. */
export async function checkClaimLists(store: Lists, tenantId: TenantId): Promise<Differences | undefined> {
  if (!(await isIn(store.index, { list: WHOLE, member: tenantId }))) return undefined;
  return goThrough(store, tenantId, false, async () => true);
}

/** Notes that a new tenant's lists are whole. What is made in it later is put into them, so nobody has to go through its devices. */
export async function beginClaimLists({ index }: Pick<Store, 'index'>, tenantId: TenantId): Promise<void> {
  await index.add(WHOLE, tenantId);
}

/** Forgets that a tenant's lists were made: they are gone through anew, if there is such a tenant. */
export async function forgetClaimLists({ index }: Pick<Store, 'index'>, tenantId: TenantId): Promise<void> {
  await index.remove(WHOLE, tenantId);
}

/**
 * Goes through all devices of a tenant, then through all entries of its lists. Undefined: it was told to stop.
 * @param mends whether what is wrong is put right
 */
async function goThrough(
  store: Lists,
  tenantId: TenantId,
  mends: boolean,
  mayGoOn: () => Promise<boolean>,
): Promise<Differences | undefined> {
  const own = [
    ...CLAIM_GROUPS.map((group) => lists.ofGroup(tenantId, group)),
    lists.withoutProfile(tenantId),
  ];
  const { index, journal } = store;
  let [missing, surplus] = [0, 0];
  const settle = async (id: DeviceId, entries: readonly ListMember[]) => {
    const found = await settled(store, tenantId, id, entries, mends);
    missing += found.missing;
    surplus += found.surplus;
  };
  /** Most devices are where they should be, which one look at their head tells. */
  const lookAt = async (id: DeviceId, entered: readonly string[]) => {
    const device = await readDevice(journal, id);
    const wanted = device?.tenantId === tenantId ? laterEntries(id, device) : [];
    const [here, elsewhere] = [true, false].map((isOwn) =>
      wanted.filter(({ list }) => own.includes(list) === isOwn),
    );
    const isRight =
      entered.length === here?.length &&
      here.every(({ list }) => entered.includes(list)) &&
      (await those(elsewhere ?? [], async (entry) => !(await isIn(index, entry)))).length === 0;
    if (!isRight)
      await settle(
        id,
        own.map((list) => ({ list, member: id })),
      );
  };
  const byExpiry = lists.byKeyExpiry(tenantId);

  const isThrough =
    (await inChunks(index, lists.byCreation(tenantId), mends, mayGoOn, async (members, from, to) => {
      const entered = new Map<DeviceId, string[]>(members.map((member) => [deviceOf(member), []]));
      for (const list of own) {
        for (const id of (await between(index, list, from, to)).map(deviceOf))
          entered.set(id, [...(entered.get(id) ?? []), list]);
      }
      await mapInSlices([...entered], ([id, its]) => lookAt(id, its));
    })) &&
    (await inChunks(index, byExpiry, mends, mayGoOn, async (members) => {
      await mapInSlices(members, (member) => settle(deviceOf(member), [{ list: byExpiry, member }]));
    }));
  return isThrough ? { missing, surplus } : undefined;
}

/**
 * A list in chunks.
 * @param task gets also behind which member the chunk begins and with which it ends; undefined: with the list
 * @returns whether it came to the end
 */
async function inChunks(
  index: Index,
  list: string,
  rests: boolean,
  mayGoOn: () => Promise<boolean>,
  task: (members: readonly string[], from: string | undefined, to: string | undefined) => Promise<void>,
): Promise<boolean> {
  for (let from: string | undefined; await mayGoOn(); ) {
    const begun = performance.now();
    const members = await page(index, list, from);
    const to = members.length < DEVICES_PER_TURN ? undefined : members.at(-1);
    await task(members, from, to);
    if (to === undefined) return true;
    from = to;
    // Also without a rest others have their turn.
    await setTimeout(rests ? REST * (performance.now() - begun) : 0);
  }
  return false;
}

/** The members of a list behind one, up to another one; undefined: from the beginning, to the end. */
async function between(index: Index, list: string, from: string | undefined, to: string | undefined) {
  const found: string[] = [];
  for (let after = from; ; ) {
    const members = await page(index, list, after);
    found.push(...members.filter((member) => to === undefined || member <= to));
    after = members.at(-1);
    const isOver = members.length < DEVICES_PER_TURN || after === undefined;
    if (isOver || (to !== undefined && after !== undefined && after > to)) return found;
  }
}

function page(index: Index, list: string, after: string | undefined) {
  return index.page(list, { offset: 0, limit: DEVICES_PER_TURN, ...(after === undefined ? {} : { after }) });
}

/**
 * Brings the entries of a device to what its head says: those that are asked about, and those that it should have.
 * @returns how many were not as they should be, while the head stood still
 */
async function settled(
  { index, journal }: Lists,
  tenantId: TenantId,
  id: DeviceId,
  asked: readonly ListMember[],
  mends: boolean,
): Promise<Differences> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { sequence, state, details } = await journal.load(id);
    const device = state === undefined ? undefined : decodeHead(state, details);
    const isHere = device?.status === 'provisioned' && device.tenantId === tenantId;
    const wanted = isHere ? laterEntries(id, device) : [];
    const isWanted = (entry: ListMember) => wanted.some((other) => isSame(other, entry));
    const missing = await those(wanted, async (entry) => !(await isIn(index, entry)));
    const surplus = await those(asked, async (entry) => !isWanted(entry) && (await isIn(index, entry)));
    if (missing.length + surplus.length === 0) return NOTHING;
    if (mends) {
      for (const { list, member } of surplus) await index.remove(list, member);
      for (const { list, member } of missing) await index.add(list, member);
    }
    if ((await journal.load(id)).sequence === sequence)
      return { missing: missing.length, surplus: surplus.length };
  }
  return NOTHING;
}

const NOTHING: Differences = { missing: 0, surplus: 0 };

async function those(entries: readonly ListMember[], fits: (entry: ListMember) => Promise<boolean>) {
  const fitting: ListMember[] = [];
  for (const entry of entries) if (await fits(entry)) fitting.push(entry);
  return fitting;
}

function isSame(one: ListMember, other: ListMember): boolean {
  return one.list === other.list && one.member === other.member;
}
