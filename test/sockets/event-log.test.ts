/** `GET /api/events?resumable=true`: read from the log, so who was away hears what happened meanwhile. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openEvents } from '../kit/event-stream.ts';
import { until } from '../kit/until.ts';
import { createStage, type Stage } from '../wire/stage.ts';

const test = suite('resumable events');

let stage: Stage;
test.before(async () => {
  stage = await createStage();
});
test.after(() => stage.stop());

const open = (after?: string) => openEvents(stage.world.url, stage.admin, after);

test('who comes back with the last id hears all that happened meanwhile, in order', async () => {
  await stage.device(); // before: not heard
  const stream = await open();
  const first = await stage.device();
  await until('the first is heard', () => stream.heard.length === 1);
  assert.equal(
    [stream.heard[0]?.data.type, stream.heard[0]?.data.id],
    ['device.created', `evt_${first.id}_1`],
  );
  const after = stream.lastId();
  stream.end();

  await stage.api.initiate(first.accessToken, { secretKey: 'right', durationMs: 600_000 });
  const others = [await stage.device(), await stage.device()];
  await stage.assign(first, stage.customer);
  const again = await open(after);
  await until('all is heard', () => again.heard.length >= 4);
  assert.equal(
    again.heard.map(({ data }) => data.id),
    [`evt_${first.id}_2`, ...others.map(({ id }) => `evt_${id}_1`), `evt_${first.id}_3`],
  );
  again.end();
});

test('from the beginning of the log, and nothing of another tenant', async () => {
  const other = await stage.api.createTenant(stage.sysadmin, 'elsewhere');
  await stage.api.createDevice(other, 'Foreign', 'a-foreign-token');
  const mine = await stage.device();
  const stream = await open('0');
  await until('the newest is heard', () => stream.heard.some(({ data }) => data.id === `evt_${mine.id}_1`));
  assert.not.match(JSON.stringify(stream.heard), 'Foreign');
  stream.end();
});

test('an id that is none is refused, and one beyond the end is taken for the end', async () => {
  for (const id of ['x', '1.', '-1', '9'.repeat(40), '1.2.3.4.5']) {
    const { status } = await fetch(`${stage.world.url}/api/events?resumable=true&lastEventId=${id}`, {
      headers: { 'x-authorization': `Bearer ${stage.admin}` },
    });
    assert.is(status, 400, id);
  }
  const stream = await open('999999999');
  const device = await stage.device();
  await until('it is heard', () => stream.heard.some(({ data }) => data.id === `evt_${device.id}_1`));
  stream.end();
});

test.run();
