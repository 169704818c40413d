/** What is gathered in one turn is done in bounded steps, and each asker hears of its own. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Gathered } from '../../actors/store/redis/gathered.ts';

function gathered(perform: (entries: readonly number[]) => Promise<readonly (string | Error)[]>) {
  const steps: number[][] = [];
  const all = new Gathered<number, string>({
    perform: (entries) => {
      steps.push([...entries]);
      return perform(entries);
    },
    entriesMax: 3,
    sizeMax: 10,
    sizeOf: (entry) => entry,
  });
  return { all, steps };
}

const words = async (entries: readonly number[]) => entries.map(String);

test('gathered: what is asked for in one turn is one step, and the next turn another one', async () => {
  const { all, steps } = gathered(words);
  assert.equal(await Promise.all([all.add(1), all.add(2)]), ['1', '2']);
  assert.is(await all.add(3), '3');
  assert.equal(steps, [[1, 2], [3]]);
});

test('gathered: no step has more entries, or larger ones in sum, than allowed; a large one goes alone', async () => {
  const { all, steps } = gathered(words);
  const entries = [1, 1, 1, 1, 6, 5, 99, 1, 9, 1];
  assert.equal(await Promise.all(entries.map((entry) => all.add(entry))), entries.map(String));
  assert.equal(steps, [[1, 1, 1], [1, 6], [5], [99], [1, 9], [1]]);
});

test('gathered: a step that fails, or answers too few, fails all of its askers, and nobody else', async () => {
  const { all } = gathered(async (entries) => {
    if (entries.includes(9)) throw new Error('no');
    return entries.includes(8) ? [] : words(entries);
  });
  const results = await Promise.allSettled([9, 1, 8, 2, 3].map((entry) => all.add(entry)));
  assert.equal(
    results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason))),
    ['Error: no', 'Error: no', 'Error: 0 results for 2 questions', 'Error: 0 results for 2 questions', '3'],
  );
});

test('gathered: what is wrong with one entry is told to its asker alone', async () => {
  const { all } = gathered(async (entries) =>
    entries.map((entry) => (entry === 2 ? new Error('not two') : String(entry))),
  );
  const results = await Promise.allSettled([1, 2, 3].map((entry) => all.add(entry)));
  assert.equal(
    results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason))),
    ['1', 'Error: not two', '3'],
  );
});

test.run();
