/** Keys in the data folder that others can read are told at the start. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { keyFromFile } from '../../config/compose/key-file.ts';
import { tellOfReadableKeys } from '../../config/compose/keys.ts';
import { temporaryFolder } from '../kit/folders.ts';

function toldOf(folder: string): readonly unknown[] {
  const told: unknown[] = [];
  tellOfReadableKeys(folder, { warn: (fields) => void told.push(fields) });
  return told;
}

test('readable keys: as they are made nobody else reads them; as a copy leaves them, everybody may', () => {
  const folder = temporaryFolder();
  const [server, other] = [join(folder, 'server.key'), join(folder, 'jwt.other.key')];
  for (const path of [server, other]) keyFromFile(path, 64);
  chmodSync(folder, 0o755);
  assert.equal(toldOf(folder), []);
  chmodSync(server, 0o644);
  assert.equal(toldOf(folder), [{ file: 'server.key' }]);
  chmodSync(other, 0o604);
  assert.equal(toldOf(folder), [{ file: 'server.key' }, { file: 'jwt.other.key' }]);
  for (const path of [server, other]) chmodSync(path, 0o660);
  assert.equal(toldOf(folder), [], 'a group is the operator’s, as that of a volume');
});

test('readable keys: in a folder that nobody else enters, nobody else reads anything', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'server.key');
  keyFromFile(path, 64);
  chmodSync(path, 0o644);
  chmodSync(folder, 0o750);
  assert.equal(toldOf(folder), []);
  chmodSync(folder, 0o755);
  assert.equal(toldOf(folder), [{ file: 'server.key' }]);
  assert.equal(toldOf(join(folder, 'none')), []);
});

test.run();
