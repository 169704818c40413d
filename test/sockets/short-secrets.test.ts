/** What the default for the length of claim secrets means is said at the start, once. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Log, silentLog } from '../../actors/base/log.ts';
import { startLocalServer } from '../kit/local-server.ts';

async function toldAtStart(options: Readonly<Record<string, string>>): Promise<number> {
  let told = 0;
  const write: Log['info'] = (fields) => {
    if ('option' in fields && fields.option === 'security.claim.minSecretLength') told += 1;
  };
  const server = await startLocalServer({ options, log: { ...silentLog, info: write, warn: write } });
  await server.stop();
  return told;
}

test('short secrets: a start says what a secret of any length means, and nothing where one has to be longer', async () => {
  assert.is(await toldAtStart({}), 1);
  assert.is(await toldAtStart({ 'security.claim.minSecretLength': '4' }), 0);
});

test.run();
