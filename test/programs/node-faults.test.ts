/**
 * Faults under load: Redis is killed and restarted, hangs, or loses its connections in the middle of replies; the broker
 * is killed and restarted. Nothing acknowledged is lost and no refusal is wrong (one order of operations explains all
 * answers), and soon after the fault the nodes answer at their old rate.
 */
import { test } from 'uvu';
import { equal, ok } from 'uvu/assert';
import { brokerDoor, createStory, httpDoor, type Story, storyActors } from '../kit/claim-story.ts';
import { send } from '../kit/http.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { SYSADMIN_PASSWORD, startNodes } from '../kit/nodes.ts';
import { patience } from '../kit/patience.ts';
import { cleanUp } from '../kit/process.ts';
import { needing } from '../kit/programs.ts';
import { cleanUpRedis, startRedis } from '../kit/redis.ts';
import { openTcpProxy } from '../kit/tcp-proxy.ts';
import { pause, until } from '../kit/until.ts';

const DEVICES = 100;
const PATIENCE_MS = 8_000;
const PAUSE_MS = 10_000;
const CUTS = 8;
/** Back at its rate within 5 s; a machine that has other things to do gets three times as long, and more when it is busy. */
const BACK_WITHIN_MS = 3 * 5_000;
/** What counts as its rate: the machine's own swings are larger than the rest. */
const SHARE = 0.5;
/** A machine is believed to be slower by so much at most; else a node that has more to do than before would pass. */
const SLOWER_MAX = 0.5;

const closing: (() => unknown)[] = [];
const faultTest = needing(['redis-server', 'mosquitto'], test);

test.after(async () => {
  // Processes first: whoever waits for one that stands still would wait for ever. Then the last opened first.
  await cleanUp();
  await cleanUpRedis();
  for (const close of closing.reverse()) await close();
});

faultTest(
  'nodes: through every fault of Redis and broker all answers hold, and the rate comes back',
  async () => {
    const redis = await startRedis();
    const network = await openTcpProxy(redis.port);
    closing.push(() => network.close());
    const broker = await startMosquitto();
    const nodes = await startNodes(2, {
      STORE_URL: `redis://127.0.0.1:${network.port}`,
      MQTT_BROKER_URL: broker.url,
    });
    const actors = await storyActors(nodes.urls[0] ?? '', SYSADMIN_PASSWORD, {
      customers: 3,
      devices: DEVICES,
      // With so many answers lost, losses would leave more orders open than can be tried; `many-nodes` plays them.
      someLoose: false,
    });
    const device = await brokerDoor(broker.url, (token) => `v1/devices/${token}/claim`, PATIENCE_MS);
    closing.push(() => device.close());
    const doors = [device, httpDoor(nodes.urls, PATIENCE_MS)];
    const story = createStory({ nodes: nodes.urls, doors, actors, patienceMs: PATIENCE_MS });
    closing.push(() => story.stop());
    story.play();
    await pause(1_000);

    const through = (name: string, fault: () => Promise<void>) =>
      throughFault(story, nodes.urls[0] ?? '', name, fault);
    await through('Redis killed and restarted', async () => {
      await redis.kill();
      await pause(1_000);
      await redis.restart();
    });
    await through(`Redis stands still for ${PAUSE_MS / 1_000} s`, async () => {
      redis.signal('SIGSTOP');
      await pause(PAUSE_MS);
      redis.signal('SIGCONT');
    });
    await through('connections cut in the middle of replies', async () => {
      for (let n = 0; n < CUTS; n += 1) {
        network.cutAfter(1 + Math.floor(Math.random() * 2_000));
        await until('it is cut', () => network.cuts > n);
      }
    });
    await through('the broker killed and restarted', async () => {
      await broker.kill();
      await pause(500);
      await broker.restart();
    });

    await story.stop();
    await story.look();
    const broken = story.judge();
    process.stdout.write(
      `\n# in all ${story.answered} answers, ${story.unanswered} lost; the hardest device took ${story.hardest} configurations\n`,
    );
    equal(broken, []);
    equal(await nodes.stop(), [0, 0]);
    await broker.stop();
  },
);

async function throughFault(
  story: Story,
  url: string,
  name: string,
  fault: () => Promise<void>,
): Promise<void> {
  const before = await rate(story, url, 2_000);
  const over = story.trouble();
  await fault();
  const ended = Date.now();
  const tooLate = patience(BACK_WITHIN_MS);
  let now = before;
  let wanted = 0;
  do {
    now = await rate(story, url, 500);
    // The machine may have become slower meanwhile: then so has what needs neither of the two that were disturbed.
    wanted = SHARE * before.answers * Math.max(SLOWER_MAX, Math.min(1, now.bare / before.bare));
  } while (now.answers < wanted && !tooLate());
  const backMs = Date.now() - ended;
  over();
  process.stdout.write(`\n# ${name}: ${show(before)} before, ${show(now)} after ${backMs} ms\n`);
  ok(now.answers >= wanted, `${name}: after ${backMs} ms still ${show(now)} instead of ${show(before)}`);
}

interface Rate {
  readonly answers: number;
  /** Of a request that needs neither Redis nor the broker, one after the other. */
  readonly bare: number;
}

const show = ({ answers, bare }: Rate) => `${answers.toFixed(0)} answers/s (bare ${bare.toFixed(0)}/s)`;

/** How many per second during so long. */
async function rate(story: Story, url: string, ms: number): Promise<Rate> {
  const before = story.answered;
  const began = performance.now();
  let bare = 0;
  for (; performance.now() - began < ms || bare === 0; bare += 1)
    await Promise.all([send(`${url}/livez`, { method: 'GET' }), pause(2)]);
  const seconds = (performance.now() - began) / 1_000;
  return { answers: (story.answered - before) / seconds, bare: bare / seconds };
}

test.run();
