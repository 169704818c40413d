/**
 * Undocumented parts of libraries that we use. Each test names the file of ours that breaks if an update changes them.
 * There are others in sockets/ (MQTT, WebSocket), processes/ (node:cluster) and programs/ (Redis).
 */
import { Keyv } from 'keyv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnPersistentActor, startActorSystem, stopActor, tell } from '../../actors/runtime/nact.ts';
import { RecordsAdapter } from '../../actors/store/records.ts';
import { until } from '../kit/until.ts';

/** The options are those of actors/records/records.ts. */
function keyvOver(texts: Map<string, string>): Keyv {
  const adapter = new RecordsAdapter({
    get: async (key) => texts.get(key),
    set: async (key, text) => void texts.set(key, text),
    delete: async (key) => texts.delete(key),
  });
  return new Keyv({
    store: adapter,
    namespace: 'kind',
    throwOnErrors: true,
    serialize: JSON.stringify,
    deserialize: JSON.parse,
  });
}

test('canary: Keyv stores {"value":…} under namespace:id (records.ts compares and swaps that text)', async () => {
  const texts = new Map<string, string>();
  await keyvOver(texts).set('id', { v: 1, name: 'x' });
  assert.equal([...texts], [['kind:id', '{"value":{"v":1,"name":"x"}}']]);
});

test('canary: Keyv reads such a text, and getRaw returns the envelope', async () => {
  const keyv = keyvOver(new Map([['kind:id', '{"value":{"v":1}}']]));
  assert.equal(await keyv.get('id'), { v: 1 });
  assert.is(JSON.stringify(await keyv.getRaw('id')), '{"value":{"v":1}}');
});

test('canary: a persistent actor hands an event and what goes with it to the engine, numbered on from the head (nact.ts)', async () => {
  const persisted: unknown[] = [];
  const system = startActorSystem<string, string>({
    latest: async () => ({ state: 'recovered', sequence: 41 }),
    persist: async (...all) => void persisted.push(all),
  });
  const states: unknown[] = [];
  const actor = spawnPersistentActor<string, string, string, string>(system, 'stream', {
    initial: 'new',
    async receive(state, message, persist) {
      states.push(state);
      if (message === 'go') await persist('event', 'extra');
      return state;
    },
    onCrash: async () => 'stop',
  });
  tell(actor, 'go');
  await until('the event is persisted', () => persisted.length > 0);
  assert.equal(persisted, [['stream', 42, 'event', 'extra']]);
  assert.is(states.at(-1), 'recovered');
});

test('canary: a persistent actor of nact begins at once when it is idle, and after a turn with what waited (nact.ts)', async () => {
  const system = startActorSystem<string, string>({ latest: async () => undefined, persist: async () => {} });
  const begun: string[] = [];
  const actor = spawnPersistentActor<string, string, string, string>(system, 'stream', {
    initial: '',
    async receive(state, message) {
      begun.push(message);
      return state;
    },
    onCrash: () => {},
  });
  tell(actor, 'first');
  assert.equal(begun, [], 'it recovers first');
  await until('it has recovered', () => begun.length === 1);
  await new Promise(setImmediate);
  tell(actor, 'second');
  tell(actor, 'third');
  assert.equal(begun, ['first', 'second']);
  await until('what waited has its turn', () => begun.length === 3);
  stopActor(actor);
  tell(actor, 'fourth');
  await new Promise(setImmediate);
  assert.equal(begun, ['first', 'second', 'third']);
});

test.run();
