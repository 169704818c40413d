/** What changes in the indexes between two states, for appends and commits alike. */
import type { IndexChanges, IndexEntries } from './journal.ts';

export const NO_ENTRIES: IndexEntries = { unique: [], members: [] };

export function changesBetween(before: IndexEntries, after: IndexEntries): IndexChanges {
  return { take: minus(after, before), release: minus(before, after) };
}

/**
 * Takes keys also where they are held already. Whoever was there before names were compared in NFC holds the key of its name
 * as it was given, and not the others that its name should have.
 */
export function takingAgain(changes: IndexChanges, unique: readonly string[]): IndexChanges {
  const all = new Set([...changes.take.unique, ...unique]);
  return { ...changes, take: { ...changes.take, unique: [...all] } };
}

export function changesNothing({ take, release }: IndexChanges): boolean {
  return [take, release].every(({ unique, members }) => unique.length === 0 && members.length === 0);
}

function minus(all: IndexEntries, other: IndexEntries): IndexEntries {
  return {
    unique: all.unique.filter((key) => !other.unique.includes(key)),
    members: all.members.filter(
      ({ list, member }) => !other.members.some((held) => held.list === list && held.member === member),
    ),
  };
}
