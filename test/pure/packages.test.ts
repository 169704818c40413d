/** Packages are the same everywhere: locked with checksums, from whatever registry npm is set to. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

/** Packages of which we use undocumented parts (see the canary tests). An update could break them. */
const EXACT = ['@keyv/redis', '@redis/client', 'keyv', 'mqtt', 'mqtt-packet', 'nact', 'ws'];

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly resolved?: string }>>;
}

const read = <Content>(name: string): Content =>
  JSON.parse(readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8'));

test('packages: every locked package has its checksum and names no host', () => {
  const { packages } = read<LockFile>('package-lock.json');
  const locked = Object.entries(packages).filter(([path]) => path !== '');
  assert.ok(locked.length > 50);
  const wrong = locked.filter(
    ([, entry]) => !entry.integrity?.startsWith('sha512-') || entry.resolved !== undefined,
  );
  assert.equal(
    wrong.map(([path]) => path),
    [],
  );
});

test('packages: those whose private parts are used are one version, not a range', () => {
  const { dependencies } = read<{ dependencies: Readonly<Record<string, string>> }>('package.json');
  const ranges = EXACT.filter((name) => !/^\d+\.\d+\.\d+$/.test(dependencies[name] ?? ''));
  assert.equal(ranges, []);
});

test.run();
