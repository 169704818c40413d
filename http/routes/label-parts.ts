/** Which labels one PDF has, where there are more than it holds: parts, each asked for by what the one before says. */
import type { DeviceId } from '../../actors/base/ids.ts';

/** Of one PDF. More labels are several files, which printers like better, too. */
export const LABELS_MAX = 10_000;

/** Where a part begins and ends: by numbers of what stays as it is, by devices of what may not. */
interface WantedPart {
  readonly from: number;
  readonly limit: number;
  readonly after?: DeviceId | undefined;
  readonly through?: DeviceId | undefined;
}

/** Of everything that was asked for, a part that one PDF holds. */
export interface Part {
  readonly total: number;
  readonly before: number;
  readonly inPart: number;
  readonly next: string | null;
  readonly through: DeviceId | null;
}

export const partOf = ({ total, before, inPart, next, through }: Part): Part => ({
  total,
  before,
  inPart,
  next,
  through,
});

/** Of what stays as it is: rows of an import, and of a batch. */
export function stretchFrom(total: number, { from, limit }: Pick<WantedPart, 'from' | 'limit'>): Part {
  const before = Math.min(from, total);
  const end = Math.min(total, before + limit);
  return { total, before, inPart: end - before, next: end < total ? `from=${end}` : null, through: null };
}

export function rowsFrom(ids: readonly DeviceId[], wanted: Pick<WantedPart, 'from' | 'limit'>) {
  const part = stretchFrom(ids.length, wanted);
  return { ...part, some: ids.slice(part.before, part.before + part.inPart) };
}

/**
 * Of what fits now, and may not in a moment. A place in such a list is no place to go on from: where devices before it were
 * claimed meanwhile, as many behind it are passed over. An id is, as ids stand in the order of creation for ever.
 *
 * With `through` the part is not cut at `limit`: it is of those that were shown, and of some that fit again, at most what one PDF holds.
 */
export function partBehind(
  fitting: readonly DeviceId[],
  { after, through, limit }: Pick<WantedPart, 'after' | 'through' | 'limit'>,
) {
  const ids = [...fitting].sort();
  const before = after === undefined ? 0 : countOf(ids, (id) => id <= after);
  const asked = through === undefined ? before + limit : countOf(ids, (id) => id <= through);
  const end = Math.min(asked, before + LABELS_MAX);
  const some = ids.slice(before, end);
  const last = some.at(-1) ?? through ?? null;
  const isLast = end >= ids.length;
  return {
    some,
    total: ids.length,
    before,
    inPart: some.length,
    next: isLast || last === null ? null : `after=${last}`,
    through: last,
  };
}

const countOf = <Item>(items: readonly Item[], counts: (item: Item) => boolean): number =>
  items.reduce((count, item) => (counts(item) ? count + 1 : count), 0);
