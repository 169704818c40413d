/** The tables of the embedded store, as `../lmdb.ts` describes them, and what reads and writes of them go through. */
import type { Database, RootDatabase } from 'lmdb';
import type { GroupCommit } from '../group-commit.ts';
import type { Transaction } from './transaction.ts';

export type Tables = ReturnType<typeof openTables>;
export type Commits = GroupCommit<Transaction>;
/** Reads the newest that any process has committed. */
export type Read = <Result>(work: () => Result) => Result;

export function openTables(env: RootDatabase<string, string>) {
  const text = { encoding: 'string', cache: false } as const;
  const heads: Database<string, string> = env.openDB('heads', text);
  const log: Database<string, number> = env.openDB('log', text);
  const alarms: Database<string, [number, number]> = env.openDB('alarms', text);
  const holders: Database<string, string> = env.openDB('holders', text);
  const lists: Database<string, Buffer> = env.openDB('lists', { ...text, keyEncoding: 'binary' });
  const counts: Database<string, string> = env.openDB('counts', text);
  const records: Database<string, string> = env.openDB('records', text);
  const meta: Database<string, string> = env.openDB('meta', text);
  return { heads, log, alarms, holders, lists, counts, records, meta };
}
