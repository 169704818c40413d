/** Who stops an actor that holds others stops them, too, and what they hold; others go on. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Crowd, spawnActor } from '../../actors/runtime/actor.ts';
import { spawnParent, startActorSystem, stop } from '../../actors/runtime/nact.ts';
import { settled } from '../kit/until.ts';

const idle = { receive: () => {}, onCrash: () => 'stop' as const };
const inCrowd = { handle: () => {}, onFailure: () => {} };

test('actors: whoever stops one stops those that it holds, however deep, and no others', async () => {
  const root = startActorSystem();
  const stopped: string[] = [];
  const home = spawnParent(root, 'home', () => stopped.push('home'));
  const beside = spawnActor(spawnParent(root, 'beside'), 'actor', idle);
  const below = spawnActor(spawnParent(home, 'below'), 'actor', idle);
  const member = new Crowd(home, 'crowd').spawn(inCrowd);
  assert.equal([below.tell({}), member.tell({}), beside.tell({})], [true, true, true]);

  stop(home);
  await settled();
  assert.equal(stopped, ['home']);
  assert.equal([below.tell({}), member.tell({}), beside.tell({})], [false, false, true]);

  // A name is free again, and the root takes with it what came later.
  const again = spawnActor(spawnParent(root, 'home'), 'actor', idle);
  stop(root);
  await settled();
  assert.equal([again.tell({}), beside.tell({})], [false, false]);
});

test.run();
