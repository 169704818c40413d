/** Every import points the way that ARCHITECTURE.md says, and no imports form a circle, types included. */
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FLOORS, findCircle, forbiddenArrows, readImports } from '../kit/arrows.ts';

const imports = readImports(fileURLToPath(new URL('../../../', import.meta.url)));

test('arrows: every import goes where it may', () => {
  assert.equal(forbiddenArrows(imports), []);
});

test('arrows: no imports form a circle', () => {
  assert.is(findCircle(imports)?.join(' -> '), undefined);
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
    ['http/app.ts', ['transports/http.ts', 'hono', 'http/lost.ts']],
    ['transports/http.ts', ['http/app.ts', 'test/kit/api.ts', 'actors/attic/x.ts']],
    ['actors/attic/x.ts', []],
    ['test/kit/api.ts', ['http/app.ts']],
  ]);
  assert.equal(forbiddenArrows(wrong), [
    'actors/base/ids.ts -> actors/store/store.ts',
    'actors/store/store.ts -> nact',
    'http/app.ts -> transports/http.ts',
    'http/app.ts -> http/lost.ts',
    'transports/http.ts -> http/app.ts',
    'transports/http.ts -> test/kit/api.ts',
  ]);
  assert.equal(findCircle(wrong), ['http/app.ts', 'transports/http.ts', 'http/app.ts']);
  assert.is(findCircle(new Map([...wrong].slice(0, 2))), undefined);
});

test.run();
