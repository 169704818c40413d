/** Checks all audit trails in the store, by their hash chains, and the lists of devices by claim state; beside a running server too. */
import { readFileSync } from 'node:fs';
import { TENANTS, tenantKind } from '../../actors/accounts/kinds.ts';
import { createBlocks } from '../../actors/audit/blocks.ts';
import type { ChainHead } from '../../actors/audit/chain.ts';
import type { TenantId } from '../../actors/base/ids.ts';
import type { Log } from '../../actors/base/log.ts';
import { checkClaimLists, forgetClaimLists } from '../../actors/fleet/claim-lists.ts';
import { createCollection } from '../../actors/records/collection.ts';
import { StoreUnavailable } from '../../actors/store/store.ts';
import type { Config } from '../options/schema.ts';
import { StartRefused } from './refusal.ts';
import { openStore } from './store.ts';

export interface Verification {
  /** `TENANT ENTRIES HASH`, a line per trail that is whole: to be kept elsewhere, and given as the file later. */
  readonly heads: readonly string[];
  /** One sentence for each head that is older than what is left of its trail. */
  readonly notes: readonly string[];
  /** One sentence for each trail that is not what it was. */
  readonly problems: readonly string[];
}

const HEAD = /^(\S+) (\d+) ([\w-]{43})$/;

/**
 * @param file heads of an earlier verification or of `GET /api/audit/head`; undefined: the chains alone are checked
 * @throws StartRefused if the store or the file cannot be read, StoreUnavailable if the store goes away
 */
export async function verifyTrails(
  config: Config,
  file: string | undefined,
  log: Log,
): Promise<Verification> {
  const kept = file === undefined ? new Map<string, ChainHead[]>() : headsIn(file);
  const { store, close } = await openStore(config, 'command', log);
  const heads: string[] = [];
  const notes: string[] = [];
  const problems: string[] = [];
  const blocks = createBlocks(store);

  async function check(id: TenantId): Promise<void> {
    const found = await blocks.verify(id, kept.get(id) ?? []);
    const lists = await checkClaimLists(store, id);
    if (lists === undefined)
      notes.push(`the lists of the devices of tenant ${id} by claim state are not made yet`);
    else if (lists.missing + lists.surplus > 0) {
      await forgetClaimLists(store, id);
      const { missing, surplus } = lists;
      problems.push(
        `the lists of the devices of tenant ${id} by claim state lack ${missing} entries and have ${surplus} too many: the server makes them anew within a minute`,
      );
    }
    if (found.type === 'broken') {
      problems.push(
        `the trail of tenant ${id} is broken in its block ${found.part}: entries were changed, left out or added`,
      );
      return;
    }
    heads.push(`${id} ${found.head.entries} ${found.head.hash}`);
    for (const { entries } of found.missed) {
      problems.push(`the trail of tenant ${id} is another one than when it had ${entries} entries`);
    }
    for (const { entries } of found.tooOld)
      notes.push(
        `of the trail of tenant ${id} the first ${found.pruned} entries were let go of, so nobody can say whether it was the same at ${entries}`,
      );
  }

  try {
    for await (const { id } of createCollection(store, tenantKind).each(TENANTS)) {
      try {
        await check(id);
      } catch (error) {
        if (error instanceof StoreUnavailable) throw error;
        const why = error instanceof Error ? error.message : String(error);
        problems.push(`of tenant ${id} something cannot be read: ${why}`);
      }
      kept.delete(id);
    }
  } finally {
    await close();
  }
  for (const id of kept.keys()) problems.push(`there is no tenant ${id} any more, whose head was kept`);
  return { heads, notes, problems };
}

function headsIn(file: string): Map<string, ChainHead[]> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartRefused(`the file ${file} cannot be read: ${why}`, error);
  }
  const heads = new Map<string, ChainHead[]>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const [, tenant = '', entries = '', hash = ''] = HEAD.exec(line.trim()) ?? [];
    if (hash === '')
      throw new StartRefused(`the file ${file} has a line that is no head: TENANT ENTRIES HASH`);
    heads.set(tenant, [...(heads.get(tenant) ?? []), { entries: Number(entries), hash }]);
  }
  // As after `verify heads > heads`: the shell has emptied it before it was read.
  if (heads.size === 0)
    throw new StartRefused(`the file ${file} has no heads, so there is nothing to compare`);
  return heads;
}
