/**
 * Many clients at once against one real process: all answers together fit one order of operations per device. The same
 * is tried against many nodes in `many-nodes.test.ts`.
 */
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import {
  createStory,
  httpDoor,
  playOut,
  STORY_ENVIRONMENT,
  STORY_ESSENTIALS,
  STORY_LOSSES,
  storyActors,
} from '../kit/claim-story.ts';
import { cleanUp, startServer } from '../kit/process.ts';

const OPERATIONS = 3_000;
/** How often each essential answer is given at least. */
const ENOUGH = 20;
/** Nothing fails here, so every request has its answer in the end. */
const PATIENCE_MS = 300_000;
const SYSADMIN_PASSWORD = 'story-test-sysadmin';

test.after(cleanUp);

test('many clients: what they were told has one explanation for each device', async () => {
  const env = { ...STORY_ENVIRONMENT, SYSADMIN_PASSWORD, SECURITY_PASSWORD_HASH_COST: '1024' };
  const server = await startServer({ env });
  const actors = await storyActors(server.url, SYSADMIN_PASSWORD, { customers: 2, devices: 40 });
  const nodes = [server.url];
  const story = createStory({
    nodes,
    doors: [httpDoor(nodes, PATIENCE_MS)],
    actors,
    patienceMs: PATIENCE_MS,
  });
  await playOut(story, OPERATIONS, ENOUGH);
  equal(story.judge(), []);
  is(story.unanswered, 0);
  for (const what of STORY_ESSENTIALS) {
    ok((story.counts.get(what) ?? 0) > ENOUGH, `hardly any "${what}": that was no story`);
  }
  for (const what of STORY_LOSSES)
    ok(story.counts.has(what), `no "${what}" among ${[...story.counts.keys()]}`);
  is((await server.stop()).code, 0);
});

test.run();
