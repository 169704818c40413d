/**
 * Where audit trails are kept: per tenant a row of blocks, each with two hundred entries, numbered from 1 in the order of
 * time. Keys are what a write costs, so an entry is a line in a block and no key of its own; and since every block but
 * the newest is full, any page of a whole trail is found by arithmetic.
 *
 * A block is replaced only while it is what was read, so several processes may write one trail: none loses or doubles
 * what another wrote. What a repeated stretch of a log brings again is recognised by device and number of the event.
 *
 * A search (by device, customer, user, action) reads block after block, at most `SEARCHED_MAX` of them, and says when it
 * gave up before the end.
 */

import type { Instant } from '../base/clock.ts';
import { type CustomerId, type DeviceId, storedId, type TenantId, type UserId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { nextTurn } from '../base/slices.ts';
import type { Page } from '../fleet/devices.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import { type Action, type AuditEntry, eventEntryId } from './entry.ts';

export const BLOCK_ENTRIES = 200;
/** Blocks that one search reads, the first in the order asked for. */
const SEARCHED_MAX = 1_000;
export const ENTRIES_SEARCHED_MAX = SEARCHED_MAX * BLOCK_ENTRIES;
/** By so much may entries be out of the order of time. */
const DISORDER_MS = 60_000;
/** Tenants whose newest block is kept in memory. */
const OPEN_MAX = 1_000;

/** One entry as it is written: short, for there are many. A number is an event's, a text a note's own id. */
export type Line = readonly [
  at: Instant,
  action: Action,
  id: number | string,
  device: string | 0,
  name: string | 0,
  customer: string | 0,
  user: string | 0,
  data: JsonObject,
  failure: string | 0,
];

/**
 * Up to which position events of each of the journal's logs are in this block or one before it; never less than in
 * the block before. One number where there is one log.
 */
type UpTo = number | readonly number[];

interface Block {
  readonly upTo: UpTo;
  readonly lines: readonly Line[];
}

/** The newest block of a trail. */
interface Open {
  readonly number: number;
  readonly block: Block;
  /** Whether it is stored. */
  readonly there: boolean;
}

/** A part of one of the journal's logs, from which lines were read. */
export interface Stretch {
  readonly which: number;
  readonly from: number;
  readonly upTo: number;
}

export interface AuditQuery {
  /** Counted from 0. */
  readonly page: number;
  readonly pageSize: number;
  /** Both inclusive. */
  readonly startTime?: Instant;
  readonly endTime?: Instant;
  readonly actions?: readonly Action[];
  readonly deviceId?: DeviceId;
  readonly customerId?: CustomerId;
  readonly userId?: UserId;
  /** What an entry is about; `deviceId` of the entry or its user. */
  readonly about?: 'DEVICE' | 'USER';
  /** Default: the newest first. */
  readonly sortOrder?: 'ASC' | 'DESC';
}

export interface AuditPage extends Page<AuditEntry> {
  /** How far a search came that gave up: what it found is of entries up to, or back to, this instant. */
  readonly searchedTo?: Instant;
}

export interface Blocks {
  /**
   * Writes lines at the end of a tenant's trail, durably; those that are there already are left out.
   * @param stretch where they come from; undefined for lines that are nobody else's, which are written again only
   *   after this rejected
   */
  append(tenantId: TenantId, lines: readonly Line[], stretch: Stretch | undefined): Promise<void>;
  /** A write failed somewhere: what is there is looked up again before the next. */
  forget(): void;
  find(tenantId: TenantId, query: AuditQuery): Promise<AuditPage>;
}

export function createBlocks(
  store: Pick<Store, 'index' | 'records' | 'swap'>,
  searchedMax = SEARCHED_MAX,
): Blocks {
  const { index } = store;
  const blocks = openRecords<Block>(store, 'audit-block');
  const newest = new Map<TenantId, Open>();
  /** The first block in which lines of our own may be, since a write of them failed. */
  const doubts = new Map<TenantId, number>();
  const listOf = (tenantId: TenantId) => `audit/${tenantId}`;
  const keyOf = (tenantId: TenantId, number: number) => `${tenantId}/${number}`;

  async function read(tenantId: TenantId, number: number): Promise<readonly Line[]> {
    return (await blocks.get(keyOf(tenantId, number)))?.lines ?? [];
  }

  /** How many blocks there are. */
  async function countOf(tenantId: TenantId): Promise<number> {
    const [last] = await index.page(listOf(tenantId), { offset: 0, limit: 1, descending: true });
    return last === undefined ? 0 : Number(last);
  }

  /** What is there, among the newest, of what is to be written. */
  async function written(tenantId: TenantId, count: number, stretch: Stretch | undefined) {
    const known = new Set<string>();
    const last = stretch === undefined ? (doubts.get(tenantId) ?? Number.POSITIVE_INFINITY) : 1;
    for (let number = count; number >= last; number -= 1) {
      const block = await blocks.get(keyOf(tenantId, number));
      if (block !== undefined && stretch !== undefined && reached(block, stretch.which) <= stretch.from)
        break;
      for (const line of block?.lines ?? []) known.add(identity(line));
    }
    return known;
  }

  async function openNewest(tenantId: TenantId, count: number): Promise<Open> {
    const block = await blocks.get(keyOf(tenantId, count));
    if (block !== undefined) return { number: count, block, there: true };
    // A number can be there without its block, when the write of the block failed.
    const before = await blocks.get(keyOf(tenantId, count - 1));
    return { number: Math.max(count, 1), block: { upTo: before?.upTo ?? 0, lines: [] }, there: false };
  }

  /** Writes what fits into the newest block. Resolves to that block, or undefined when another process was faster. */
  async function fill(tenantId: TenantId, open: Open, some: readonly Line[], stretch: Stretch | undefined) {
    const { number, block, there } = open;
    const upTo = stretch === undefined ? block.upTo : raised(block.upTo, stretch);
    const next: Block = { upTo, lines: [...block.lines, ...some] };
    // The number first, so that no block is there that is not found.
    if (!there) await index.add(listOf(tenantId), nameOf(number));
    try {
      const held = there ? blocks.heldAs(block) : undefined;
      if (!(await blocks.swap(keyOf(tenantId, number), held, next))) return undefined;
    } catch (error) {
      if (stretch === undefined)
        doubts.set(tenantId, Math.min(number, doubts.get(tenantId) ?? Number.POSITIVE_INFINITY));
      throw error;
    }
    return { number, block: next, there: true };
  }

  return {
    async append(tenantId, lines, stretch) {
      let open = doubts.has(tenantId) ? undefined : newest.get(tenantId);
      let left = lines;
      newest.delete(tenantId); // until all of it is durable nobody knows what is there
      while (left.length > 0) {
        if (open === undefined) {
          const count = await countOf(tenantId);
          // In this order: what is written after it was looked for is noticed by the swap.
          open = await openNewest(tenantId, count);
          const known = await written(tenantId, count, stretch);
          left = lines.filter((line) => !known.has(identity(line)));
          if (left.length === 0) break;
        }
        if (open.block.lines.length >= BLOCK_ENTRIES)
          open = { number: open.number + 1, block: { upTo: open.block.upTo, lines: [] }, there: false };
        const some = left.slice(0, BLOCK_ENTRIES - open.block.lines.length);
        open = await fill(tenantId, open, some, stretch);
        if (open !== undefined) left = left.slice(some.length);
      }
      if (stretch === undefined) doubts.delete(tenantId);
      if (newest.size >= OPEN_MAX) newest.clear();
      if (open !== undefined) newest.set(tenantId, open);
    },

    forget: () => newest.clear(),

    async find(tenantId, query) {
      const count = await countOf(tenantId);
      if (count === 0) return { items: [], total: 0 };
      const ascending = query.sortOrder === 'ASC';
      const offset = query.page * query.pageSize;

      if (isWhole(query)) {
        const total = (count - 1) * BLOCK_ENTRIES + (await read(tenantId, count)).length;
        const items: AuditEntry[] = [];
        for (let nth = offset; nth < Math.min(offset + query.pageSize, total); ) {
          const place = ascending ? nth : total - 1 - nth;
          const lines = await read(tenantId, Math.floor(place / BLOCK_ENTRIES) + 1);
          const within = place % BLOCK_ENTRIES;
          const rest = ascending ? lines.slice(within) : lines.slice(0, within + 1).reverse();
          if (rest.length === 0) break;
          const some = rest.slice(0, offset + query.pageSize - nth);
          items.push(...some.map(entryOf));
          nth += some.length;
        }
        return { items, total };
      }

      const { startTime = 0, endTime = Number.MAX_SAFE_INTEGER } = query;
      const wanted = matcher(query);
      const items: AuditEntry[] = [];
      let total = 0;
      let number = ascending
        ? await firstFrom(tenantId, count, startTime)
        : await lastUpTo(tenantId, count, endTime);
      let searchedTo: Instant | undefined;
      for (let looked = 0; number >= 1 && number <= count; looked += 1) {
        if (looked === searchedMax)
          return { items, total, ...(searchedTo === undefined ? {} : { searchedTo }) };
        const lines = await read(tenantId, number);
        const [first, last] = [lines[0]?.[0] ?? 0, lines.at(-1)?.[0] ?? 0];
        if (ascending ? first > endTime + DISORDER_MS : last < startTime - DISORDER_MS) break;
        for (const line of ascending ? lines : [...lines].reverse()) {
          if (line[0] < startTime || line[0] > endTime || !wanted(line)) continue;
          if (total >= offset && items.length < query.pageSize) items.push(entryOf(line));
          total += 1;
        }
        searchedTo = ascending ? last : first;
        number += ascending ? 1 : -1;
        await nextTurn(); // nobody else waits for a search
      }
      return { items, total };
    },
  };

  /** The first block in which an entry from this instant on can be. */
  async function firstFrom(tenantId: TenantId, count: number, instant: Instant): Promise<number> {
    return search(
      count,
      async (number) => ((await read(tenantId, number)).at(-1)?.[0] ?? 0) >= instant - DISORDER_MS,
    );
  }

  /** The last block in which an entry up to this instant can be. */
  async function lastUpTo(tenantId: TenantId, count: number, instant: Instant): Promise<number> {
    const beyond = async (number: number) =>
      ((await read(tenantId, number))[0]?.[0] ?? 0) > instant + DISORDER_MS;
    return Math.max(1, (await search(count, beyond)) - 1);
  }
}

/** Far more blocks than there will be; so that their names are in the order of their numbers. */
const NUMBER_DIGITS = 12;
const nameOf = (number: number) => String(number).padStart(NUMBER_DIGITS, '0');

/** The first number of 1 … count of which it holds, if it does of all after it; count + 1 where of none. */
async function search(count: number, holds: (number: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [1, count + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function isWhole({ startTime, endTime, actions, deviceId, customerId, userId, about }: AuditQuery): boolean {
  return [startTime, endTime, actions, deviceId, customerId, userId, about].every(
    (part) => part === undefined,
  );
}

function matcher({ actions, deviceId, customerId, userId, about }: AuditQuery): (line: Line) => boolean {
  return ([, action, , device, , customer, user]) =>
    (actions === undefined || actions.includes(action)) &&
    (deviceId === undefined || device === deviceId) &&
    (customerId === undefined || customer === customerId) &&
    (userId === undefined || user === userId) &&
    (about === undefined || (device !== 0) === (about === 'DEVICE'));
}

/** Up to where events of a log are in a block or before it. */
function reached({ upTo }: Block, which: number): number {
  if (typeof upTo === 'number') return which === 0 ? upTo : 0;
  return upTo[which] ?? 0;
}

function raised(before: UpTo, { which, upTo }: Stretch): UpTo {
  const all = typeof before === 'number' ? [before] : [...before];
  while (all.length <= which) all.push(0);
  all[which] = Math.max(all[which] ?? 0, upTo);
  return all.length === 1 ? (all[0] ?? 0) : all;
}

/** Tells entries apart: a device's events by their number. */
function identity([, , id, device]: Line): string {
  return typeof id === 'string' ? id : `${device}/${id}`;
}

function entryOf([at, action, id, device, name, customer, user, data, failure]: Line): AuditEntry {
  return {
    id: typeof id === 'string' ? id : eventEntryId(String(device), id),
    at,
    action,
    failure: failure === 0 ? undefined : failure,
    deviceId: device === 0 ? undefined : storedId(device),
    deviceName: name === 0 ? undefined : name,
    customerId: customer === 0 ? undefined : storedId(customer),
    userId: user === 0 ? undefined : storedId(user),
    data,
  };
}
