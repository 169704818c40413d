/** Parts of labels of all that fit: a part that ends at a device is no larger than one PDF either. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LABELS_MAX, partBehind } from '../../http/routes/label-parts.ts';
import { manyId } from '../kit/many-devices.ts';

test('a part that ends at a device has as many labels as a PDF holds at most; the next one goes on behind them', () => {
  const all = Array.from({ length: LABELS_MAX + 50 }, (_, n) => manyId(n));
  const through = manyId(LABELS_MAX + 40);
  const first = partBehind(all, { after: undefined, through, limit: 10 });
  assert.equal([first.before, first.inPart, first.some.length], [0, LABELS_MAX, LABELS_MAX]);
  assert.is(first.next, `after=${manyId(LABELS_MAX - 1)}`);
  const second = partBehind(all, { after: manyId(LABELS_MAX - 1), through, limit: 10 });
  assert.equal([second.before, second.inPart, second.through], [LABELS_MAX, 41, through]);
});

test.run();
