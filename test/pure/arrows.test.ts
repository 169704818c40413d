/** Every import points the way that ARCHITECTURE.md says, and no imports form a circle, types included. */
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { closesCircle, FLOORS, findCircle, forbiddenArrows, readImports } from '../kit/arrows.ts';

/** What is still wrong. The list only shrinks: an entry that is right by now fails the test. */
const KNOWN: readonly string[] = [];

const imports = readImports(fileURLToPath(new URL('../../../', import.meta.url)));

test('arrows: every import goes where it may', () => {
  const wrong = forbiddenArrows(imports).filter((arrow) => !KNOWN.includes(arrow));
  assert.equal(wrong, []);
});

test('arrows: no imports form a circle', () => {
  assert.is(findCircle(imports, KNOWN)?.join(' -> '), undefined);
});

test('arrows: what is known to be wrong is still wrong', () => {
  const forbidden = forbiddenArrows(imports);
  const right = KNOWN.filter((arrow) => !forbidden.includes(arrow) && !closesCircle(imports, arrow));
  assert.equal(right, [], 'take these off the list');
});

test('arrows: every floor has its rooms, and every room a floor', () => {
  const rooms = [...imports.keys()]
    .filter((file) => file.startsWith('actors/'))
    .map((file) => file.split('/')[1]);
  assert.equal([...new Set(rooms)].sort(), FLOORS.flat().sort());
});

test('arrows: the check finds what it looks for', () => {
  const wrong = new Map([
    ['actors/base/ids.ts', ['actors/store/store.ts']],
    ['actors/store/store.ts', ['nact']],
    ['http/app.ts', ['transports/http.ts', 'hono']],
    ['transports/http.ts', ['http/app.ts', 'test/kit/api.ts', 'actors/attic/x.ts']],
    ['actors/attic/x.ts', []],
    ['test/kit/api.ts', ['http/app.ts']],
  ]);
  assert.equal(forbiddenArrows(wrong), [
    'actors/base/ids.ts -> actors/store/store.ts',
    'actors/store/store.ts -> nact',
    'http/app.ts -> transports/http.ts',
    'transports/http.ts -> http/app.ts',
    'transports/http.ts -> test/kit/api.ts',
  ]);
  assert.equal(findCircle(wrong), ['http/app.ts', 'transports/http.ts', 'http/app.ts']);
  assert.ok(closesCircle(wrong, 'http/app.ts -> transports/http.ts'));
  assert.not.ok(closesCircle(wrong, 'actors/base/ids.ts -> actors/store/store.ts'));
  assert.is(
    findCircle(wrong, ['transports/http.ts -> http/app.ts', 'transports/http.ts -> test/kit/api.ts']),
    undefined,
  );
});

test.run();
