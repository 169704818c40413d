/** What package.json and the lock file promise: the same packages everywhere, from the registry that npm is set to. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

/** Packages of which we use what they do not document: an update could break it, so each is one version. */
const EXACT = ['@keyv/redis', '@redis/client', 'keyv', 'mqtt', 'nact'];

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly resolved?: string }>>;
}

const read = <Content>(name: string): Content =>
  JSON.parse(readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8'));

test('packages: every locked package has its checksum and names no host', () => {
  const { packages } = read<LockFile>('package-lock.json');
  const locked = Object.entries(packages).filter(([path]) => path !== '');
  assert.ok(locked.length > 50);
  const open = locked.filter(
    ([, entry]) => !entry.integrity?.startsWith('sha512-') || entry.resolved !== undefined,
  );
  assert.equal(
    open.map(([path]) => path),
    [],
  );
});

test('packages: those whose private parts are used are one version, not a range', () => {
  const { dependencies } = read<{ dependencies: Readonly<Record<string, string>> }>('package.json');
  const ranges = EXACT.filter((name) => !/^\d+\.\d+\.\d+$/.test(dependencies[name] ?? ''));
  assert.equal(ranges, []);
});

test.run();
