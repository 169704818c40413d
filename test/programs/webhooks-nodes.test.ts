/**
 * Webhooks over two nodes on one Redis: one of them sends. Both are killed in the middle of a thousand claims, one after the other, and the
 * webhook hears of each event at least once, in its device's order. The log of Redis waits for what was not sent.
 */
import { suite } from 'uvu';
import { equal, ok } from 'uvu/assert';
import { cast, restApi } from '../kit/api.ts';
import { type EventStream, openEvents } from '../kit/event-stream.ts';
import { SYSADMIN_PASSWORD, startNodes } from '../kit/nodes.ts';
import { cleanUp } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { startReceiver, withStatus } from '../kit/receiver.ts';
import { cleanUpRedis, startRedis } from '../kit/redis.ts';
import { until } from '../kit/until.ts';
import { beginClaims, CLAIMS, WEBHOOK_ENVIRONMENT } from '../kit/webhook-story.ts';

const nodes = suite('webhooks over two nodes');
const law = needing(['redis-server'], nodes);
const PATIENCE_MS = 10 * 60_000;
/** Events of each part of the log that stay on Redis: KEPT_FOR_STREAMS of `config/compose/webhooks.ts`. */
const KEPT = 1_000;
const LANES = 10;

nodes.after(async () => {
  await cleanUp();
  await cleanUpRedis();
});

law('after kills of both nodes none is missing and none out of order', async () => {
  const redis = await startRedis();
  const both = await startNodes(2, { STORE_URL: redis.url, ...WEBHOOK_ENVIRONMENT });
  const receiver = await startReceiver();
  const story = await beginClaims(both.urls, SYSADMIN_PASSWORD, receiver);
  for (const [which, part] of [
    [0, 0.25],
    [1, 0.5],
    [0, 0.75],
  ] as const) {
    await until('it is in the middle', () => story.claims() >= part * CLAIMS, PATIENCE_MS);
    await both.kill(which);
    await both.start(which);
  }
  await story.done;
  await story.check();
  equal(await both.stop(), [0, 0]);
  await receiver.stop();
});

law(
  'a stream of events on one node hears what happens on the other, and goes on there with its last id',
  async () => {
    const redis = await startRedis();
    const both = await startNodes(2, { STORE_URL: redis.url });
    const [here = '', there = ''] = both.urls;
    const { tenant } = await cast(here, SYSADMIN_PASSWORD);
    const other = restApi(there);
    const stream = await openEvents(here, tenant);
    const made = async (name: string) =>
      `evt_${(await other.createDevice(tenant, name, `t-${name}`)).id.id}_1`;
    const first = await made('first');
    await until('it is heard', () => stream.heard.some(({ data }) => data.id === first));
    const after = stream.lastId();
    stream.end();
    const second = await made('second');
    await both.kill(0);
    const again = await openEvents(there, tenant, after);
    await until('it is heard there', () => again.heard.some(({ data }) => data.id === second));
    again.end();
    await both.start(0);
    equal(await both.stop(), [0, 0]);
  },
);

law('what a webhook has not had stays in the log of Redis, however far the audit trail is', async () => {
  const redis = await startRedis();
  const one = await startNodes(1, { STORE_URL: redis.url, ...WEBHOOK_ENVIRONMENT });
  const receiver = await startReceiver();
  receiver.answer(withStatus(503));
  const { api, tenant } = await cast(one.urls[0] ?? '', SYSADMIN_PASSWORD);
  const { id } = await api.post<{ id: string }>('/api/webhook', tenant, { url: receiver.url });
  const made = new Set<string>();
  for (let n = 0; n < 30; n += 1) {
    made.add(`evt_${(await api.createDevice(tenant, `d-${n}`, `token-${n}`)).id.id}_1`);
  }
  const added = async () => {
    const { totalElements } = await api.get<{ totalElements: number }>(
      '/api/audit/logs?pageSize=1&page=0&actionTypes=ADDED',
      tenant,
    );
    return totalElements;
  };
  await until('the audit trail has read them all', async () => (await added()) >= made.size);
  await until('it was tried', () => receiver.heard.length > 0);
  receiver.answer(withStatus(204));
  await api.post(`/api/webhook/${id}/enable`, tenant, {});
  await until('all are heard', () => {
    const heard = new Set(receiver.heard.filter(({ status }) => status === 204).map((one) => one.id));
    return [...made].every((one) => heard.has(one));
  });
  ok(receiver.heard.length >= made.size);
  await one.stop();
  await receiver.stop();
});

law(
  'a stream of events misses nothing while the log of Redis is trimmed; one that was away for longer than is kept is told',
  async () => {
    const redis = await startRedis();
    const one = await startNodes(1, { STORE_URL: redis.url });
    const url = one.urls[0] ?? '';
    const { api, tenant } = await cast(url, SYSADMIN_PASSWORD);
    const { id } = (await api.createDevice(tenant, 'talker', 'token-of-talker')).id;
    let number = 1;
    /** All of one device, so that they are in one part of the log. */
    async function happen(count: number): Promise<void> {
      const path = `/api/plugins/telemetry/DEVICE/${id}/attributes/SHARED_SCOPE`;
      const lane = async () => {
        for (let n = 0; n < count / LANES; n += 1)
          await api.must('POST', path, tenant, { n: `${Math.random()}` });
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      number += count;
    }
    const newest = () => `evt_${id}_${number}`;
    const hears = (stream: EventStream) => stream.heard.some(({ data }) => data.id === newest());

    await happen(KEPT + 100); // from here on it is trimmed
    const stream = await openEvents(url, tenant);
    const from = number;
    await happen(KEPT / 2);
    await until('it has all', () => hears(stream), PATIENCE_MS);
    const mine = stream.heard.map(({ data }) => Number(data.id.split('_')[2]));
    equal(
      [...new Set(mine)],
      [...Array(KEPT / 2).keys()].map((at) => from + 1 + at),
    );
    const after = stream.lastId();
    stream.end();

    await happen(KEPT / 2);
    const soon = await openEvents(url, tenant, after);
    await until('it has what happened while it was away', () => hears(soon), PATIENCE_MS);
    equal([soon.heard.length >= KEPT / 2, soon.resyncs()], [true, 0]);
    soon.end();

    await happen(KEPT);
    await until(
      'it is told that something is gone',
      async () => {
        const late = await openEvents(url, tenant, after);
        await until('it has what is kept', () => hears(late), PATIENCE_MS);
        late.end();
        return late.resyncs() === 1;
      },
      PATIENCE_MS,
    );
    const all = await openEvents(url, tenant, '0');
    await until('it has what is kept', () => hears(all), PATIENCE_MS);
    equal(all.resyncs(), 0, 'who asks for the beginning gets what is kept');
    all.end();
    equal(await one.stop(), [0]);
  },
);

nodes.run();
