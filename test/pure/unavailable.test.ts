/** A store that is away does not fill the disk with log lines. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Log, silentLog } from '../../actors/base/log.ts';
import { logUnavailable, StoreUnavailable } from '../../actors/journal/unavailable.ts';

test('failures of a store: one line a second for each message, which says how many were left out', () => {
  const lines: object[] = [];
  const log: Log = { ...silentLog, warn: (fields) => lines.push(fields) };
  const err = new StoreUnavailable('test', 'away');
  for (let n = 0; n < 1000; n += 1) logUnavailable(log, 'warn', 5000 + (n % 999), { err }, 'failed');
  assert.equal(lines.splice(0), [{ err }]);
  logUnavailable(log, 'warn', 5001, { err }, 'another');
  logUnavailable(log, 'warn', 6000, { err }, 'failed');
  assert.equal(lines.splice(0), [{ err }, { err, leftOut: 999 }]);
  logUnavailable(log, 'warn', 10, { err }, 'failed');
  assert.equal(lines, [{ err }], 'the clock was set back');
});

test.run();
