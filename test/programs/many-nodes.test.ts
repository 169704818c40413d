/**
 * Many nodes on one Redis, behind one Mosquitto: devices publish to the broker, which gives each message to one node;
 * customers and the rest of the devices come to any node over HTTP. Nodes are killed and started meanwhile. All answers
 * together must fit one order of operations per device: never two owners, nothing acknowledged lost, no stale refusal.
 *
 * CLAIMD_NODES_OPERATIONS changes how many operations each story has.
 */
import { test } from 'uvu';
import { equal, ok } from 'uvu/assert';
import {
  brokerDoor,
  createStory,
  httpDoor,
  playOut,
  STORY_ESSENTIALS,
  STORY_LOSSES,
  storyActors,
} from '../kit/claim-story.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { SYSADMIN_PASSWORD, startNodes } from '../kit/nodes.ts';
import { cleanUp } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, startRedis, startRedisCluster } from '../kit/redis.ts';

const OPERATIONS = Number(process.env.CLAIMD_NODES_OPERATIONS ?? 10_000);
const DEVICES = 120;
const PATIENCE_MS = 12_000;
/** Answers between two kills. */
const KILL_EVERY = 2_000;

const nodesTest = needing(['redis-server', 'mosquitto'], test);

const closing: (() => unknown)[] = [];

test.after(async () => {
  // Processes first: whoever waits for one that stands still would wait for ever. Then the last opened first.
  await cleanUp();
  await cleanUpRedis();
  for (const close of closing.reverse()) await close();
});

nodesTest('nodes: two, killed and started in turn: every answer has its place in one order', () =>
  play(2, 'one'),
);
nodesTest('nodes: four, killed and started in turn: every answer has its place in one order', () =>
  play(4, 'one'),
);
nodesTest('nodes: two on a Redis Cluster of three masters: every answer has its place in one order', () =>
  play(2, 'cluster', Math.min(OPERATIONS, 3_000)),
);

async function play(count: number, redis: 'one' | 'cluster', operations = OPERATIONS): Promise<void> {
  const servers = redis === 'one' ? [await startRedis()] : await startRedisCluster();
  const storeUrl =
    redis === 'one'
      ? (servers[0]?.url ?? '')
      : `redis-cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  const broker = await startMosquitto();
  const nodes = await startNodes(count, { STORE_URL: storeUrl, MQTT_BROKER_URL: broker.url });
  const actors = await storyActors(nodes.urls[0] ?? '', SYSADMIN_PASSWORD, {
    customers: 3,
    devices: DEVICES,
  });
  const device = await brokerDoor(broker.url, (token) => `v1/devices/${token}/claim`, PATIENCE_MS);
  closing.push(() => device.close());
  const doors = [device, httpDoor(nodes.urls, PATIENCE_MS)];
  const story = createStory({ nodes: nodes.urls, doors, actors, patienceMs: PATIENCE_MS });

  const began = Date.now();
  closing.push(() => story.stop());
  const enough = operations / 200;
  let kills = 0;
  await playOut(story, operations, enough, async () => {
    if (story.answered < (kills + 1) * KILL_EVERY) return;
    const over = story.trouble();
    await nodes.kill(kills % count);
    over();
    await nodes.start(kills % count);
    kills += 1;
  });
  const seconds = (Date.now() - began) / 1_000;

  const broken = story.judge();
  const told = [...story.counts].sort().map(([what, times]) => `${what} ${times}`);
  process.stdout.write(
    `\n# ${count} nodes, ${redis}: ${story.answered} answers in ${seconds.toFixed(1)} s, ${story.unanswered} lost, hardest ${story.hardest}; ${told.join(', ')}\n`,
  );
  equal(broken, []);
  for (const what of STORY_ESSENTIALS) {
    ok((story.counts.get(what) ?? 0) > enough, `hardly any "${what}": that was no story`);
  }
  for (const what of STORY_LOSSES)
    ok(story.counts.has(what), `no "${what}" among ${[...story.counts.keys()]}`);
  equal(
    await nodes.stop(),
    Array.from({ length: count }, () => 0),
  );
  await broker.stop();
  await Promise.all(servers.map((server) => server.kill()));
}

test.run();
