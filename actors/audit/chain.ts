/**
 * An audit trail is a hash chain: each entry's hash covers the one before it, so whoever changes, leaves out or adds an
 * entry changes the head. A head that was written down elsewhere shows later that the trail up to it is what it was. Who
 * can write to the store can also make a new chain; that is what the copy elsewhere is for.
 *
 * Old entries may be let go of. An anchor keeps the head up to them, and an entry that is written before they go names the
 * same head; so the rest of the chain is checked from there, and shows that it was cut by the server. The entry names a digest of
 * those of the old entries that were kept, too.
 */
import { hash as hashOf } from 'node:crypto';
import type { TenantId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import type { Line } from './line.ts';

/** Where the chain is after some entries. */
export interface ChainHead {
  /** How many entries are before it. */
  readonly entries: number;
  /** SHA-256, base64url. */
  readonly hash: string;
}

export function chainStart(tenantId: TenantId): ChainHead {
  return { entries: 0, hash: digest(`claimd audit trail of ${tenantId}`) };
}

export function chainAfter(head: ChainHead, lines: readonly Line[]): ChainHead {
  let { hash } = head;
  for (const line of lines) hash = digest(`${hash}\n${JSON.stringify(line)}`);
  return { entries: head.entries + lines.length, hash };
}

function digest(text: string): string {
  return hashOf('sha256', text, 'base64url');
}

/** Where a trail begins of which old parts were let go of. */
export interface Anchor {
  /** The last part that is gone. */
  readonly number: number;
  /** Where the chain was after it. */
  readonly head: ChainHead;
  /** Entries from before it that were kept; undefined: none. */
  readonly kept?: KeptHead;
}

/** Entries that outlast their parts (`kept.ts`), and where a chain of them alone ends. */
export interface KeptHead extends ChainHead {
  /** Under which they are stored. */
  readonly name: string;
}

export function keptStart(tenantId: TenantId): ChainHead {
  return { entries: 0, hash: digest(`claimd kept entries of ${tenantId}`) };
}

/** What the entry of the chain says that names an anchor. */
export function anchorData({ head, kept }: Anchor): JsonObject {
  const { entries, hash } = head;
  return { entries, hash, ...(kept === undefined ? {} : { kept: kept.entries, keptHash: kept.hash }) };
}

/** A part of a trail, as it is stored. */
export interface Chained {
  readonly lines: readonly Line[];
  /** Absent in parts that an older version finished, before there were chains. */
  readonly chain?: { readonly before: ChainHead; readonly after: ChainHead };
}

export type Verified =
  | {
      readonly type: 'whole';
      readonly head: ChainHead;
      /** Entries of an older version, in front of the chain. */
      readonly unchained: number;
      /** Entries that were let go of: the chain is checked from there on. */
      readonly pruned: number;
      /** Which of the heads that were asked for the chain did not go through. */
      readonly missed: readonly ChainHead[];
      /** Those that are older than what is left, so nobody can say. */
      readonly tooOld: readonly ChainHead[];
    }
  /** The first part that is not what it was, or is not there. */
  | { readonly type: 'broken'; readonly part: number };

/** @param parts in their order, undefined for one that is not there. @param wanted heads that were written down */
export async function verifyChain(
  tenantId: TenantId,
  parts: AsyncIterable<Chained | undefined>,
  wanted: readonly ChainHead[],
  anchor?: Anchor,
): Promise<Verified> {
  const start = anchor?.head ?? chainStart(tenantId);
  let head = start;
  let unchained = 0;
  let number = anchor?.number ?? 0;
  const tooOld = wanted.filter(({ entries }) => entries < start.entries);
  let missed = wanted.filter((one) => one.entries >= start.entries && !same(one, start));
  let isAnchored = anchor === undefined;
  for await (const part of parts) {
    number += 1;
    if (part === undefined) return { type: 'broken', part: number };
    const { chain, lines } = part;
    if (chain === undefined) {
      if (head.entries > 0) return { type: 'broken', part: number };
      unchained += lines.length;
      continue;
    }
    if (!same(chain.before, head)) return { type: 'broken', part: number };
    for (const line of lines) {
      head = chainAfter(head, [line]);
      const here = head;
      missed = missed.filter((one) => !same(one, here));
      isAnchored ||= anchor !== undefined && namesAnchor(line, anchor);
    }
    if (!same(chain.after, head)) return { type: 'broken', part: number };
  }
  if (!isAnchored) return { type: 'broken', part: anchor?.number ?? 0 };
  return { type: 'whole', head, unchained, pruned: start.entries, missed, tooOld };
}

/** Whether an entry says that the trail was cut here, and the same was kept. */
function namesAnchor([, action, , , , , , data]: Line, anchor: Anchor): boolean {
  const { entries, hash, kept, keptHash } = anchorData(anchor);
  return (
    action === 'TRAIL_PRUNED' &&
    data.entries === entries &&
    data.hash === hash &&
    data.kept === kept &&
    data.keptHash === keptHash
  );
}

function same(a: ChainHead, b: ChainHead): boolean {
  return a.entries === b.entries && a.hash === b.hash;
}
