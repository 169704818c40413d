/** How much an operation writes, for `room.ts`. More is harmless, less is not. */
import { unreachable } from '../../base/unreachable.ts';
import type { IndexChanges, IndexEntries } from '../../journal/journal.ts';
import type { Operation } from './operations.ts';
import type { Need } from './room.ts';

/** A key with what LMDB and this store put around it: header, offset, head's numbers, line in the log, alarm. */
const AROUND = 128;
/** A removal may touch a neighbour on every level too. */
const REMOVED = 2;

export function needOf(operation: Operation): Need {
  switch (operation.type) {
    case 'append': {
      const { stream, event, state, details, index } = operation.entry;
      // The head and the alarm; the log has one key for all.
      const head = {
        keys: 2,
        bytes: 3 * (AROUND + stream.length) + bytesOf(event) + bytesOf(state ?? ''),
      };
      const isApart = details !== undefined || state === undefined;
      const own = isApart ? sum(head, ofDetails(stream, details ?? '')) : head;
      return index === undefined ? own : sum(own, ofIndex(index, stream));
    }
    case 'commit': {
      const { name, text = '', index } = operation.commit;
      const own = { keys: REMOVED, bytes: AROUND + name.length + bytesOf(text) };
      return index === undefined ? own : sum(own, ofIndex(index, name));
    }
    case 'enter':
    case 'leave':
      return ofMember(operation.member.list, operation.member.member);
    case 'drop-alarms':
      return { keys: REMOVED * operation.keys.length, bytes: 0 };
    case 'shorten-log':
      return {
        keys: REMOVED * operation.rows.length,
        bytes: operation.rows.reduce((bytes, { text }) => bytes + AROUND + bytesOf(text), 0),
      };
    case 'set-record':
      return { keys: 1, bytes: AROUND + bytesOf(operation.key) + bytesOf(operation.text) };
    case 'delete-record':
      return { keys: REMOVED, bytes: 0 };
    case 'swap-record':
      return {
        keys: REMOVED,
        bytes: AROUND + bytesOf(operation.key) + bytesOf(operation.next ?? ''),
      };
    case 'touch':
      // More than most writes need, also a device in all lists of an owner: who is told that it works will write as much.
      return { keys: 40, bytes: 64 * 1024 };
    default:
      return unreachable(operation);
  }
}

export function sum(one: Need, other: Need): Need {
  return { keys: one.keys + other.keys, bytes: one.bytes + other.bytes };
}

function ofDetails(stream: string, details: string): Need {
  return { keys: REMOVED, bytes: AROUND + bytesOf(stream) + bytesOf(details) };
}

const NOTHING: Need = { keys: 0, bytes: 0 };

function ofIndex({ take, release }: IndexChanges, holder: string): Need {
  return sum(ofEntries(take, holder), ofEntries(release, holder));
}

function ofEntries({ unique, members }: IndexEntries, holder: string): Need {
  let need: Need = NOTHING;
  for (const key of unique) {
    need = sum(need, { keys: REMOVED, bytes: AROUND + atMost(key) + atMost(holder) });
  }
  for (const { list, member } of members) need = sum(need, ofMember(list, member));
  return need;
}

/** The member, and how many the list has. */
function ofMember(list: string, member: string): Need {
  return { keys: 2 * REMOVED, bytes: 2 * AROUND + 2 * atMost(list) + atMost(member) };
}

/** What a text may have in UTF-8. */
function atMost(text: string): number {
  return 3 * text.length;
}

/** Counted exactly where it matters: to count takes longer than to have room for a page more. */
const COUNTED_FROM = 512;

function bytesOf(text: string): number {
  return text.length < COUNTED_FROM ? atMost(text) : Buffer.byteLength(text);
}
