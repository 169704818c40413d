/** The tables of the embedded store; `lmdb.ts` describes them. */
import { type Database, open, type RootDatabase } from 'lmdb';

export type Environment = RootDatabase<string, string>;
export type Tables = ReturnType<typeof openTables>;
/** Reads the newest that any process has committed. */
export type Read = <Result>(work: () => Result) => Result;

/** Opens the folder, or makes it. Each thread opens it for itself. */
export function openEnvironment(path: string): Environment {
  return openWith(path, false);
}

/** Opens a folder in which there is a store, beside servers that use it. */
export function openToRead(path: string): Environment {
  return openWith(path, true);
}

function openWith(path: string, readOnly: boolean): Environment {
  // Not among lmdb's types. In the files are password hashes and access tokens: for their owner alone.
  const permissions = { permissionsMode: 0o600 };
  return open<string, string>({
    ...permissions,
    path,
    readOnly,
    noSubdir: false, // it would take a folder with a dot in its name for a file
    overlappingSync: false, // with it a transaction would return before it is flushed
    maxDbs: 16,
    encoding: 'string',
    cache: false,
  });
}

export function openTables(env: Environment) {
  const text = { encoding: 'string', cache: false } as const;
  const heads: Database<string, string> = env.openDB('heads', text);
  const details: Database<string, string> = env.openDB('details', text);
  const entities: Database<string, string> = env.openDB('entities', text);
  const log: Database<string, number> = env.openDB('log', text);
  const alarms: Database<string, [number, number]> = env.openDB('alarms', text);
  const holders: Database<string, string> = env.openDB('holders', text);
  const lists: Database<string, Buffer> = env.openDB('lists', { ...text, keyEncoding: 'binary' });
  const counts: Database<string, string> = env.openDB('counts', text);
  const records: Database<string, string> = env.openDB('records', text);
  const meta: Database<string, string> = env.openDB('meta', text);
  return { heads, details, entities, log, alarms, holders, lists, counts, records, meta };
}

/** How deep the deepest table is, and one level more, in case it grows soon. */
export function depthOf(tables: Tables): number {
  const depths = Object.values(tables).map((table) => {
    const stats = table.getStats(); // not among lmdb's types
    return 'treeDepth' in stats && typeof stats.treeDepth === 'number' ? stats.treeDepth : 0;
  });
  return 1 + Math.max(...depths);
}
