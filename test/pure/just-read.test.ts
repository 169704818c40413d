/** A device that shows its credentials and then says something: how often its head is read for it, and that it is the newest. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../actors/base/clock.ts';
import { silentLog } from '../../actors/base/log.ts';
import { deviceEngine } from '../../actors/device/persistence.ts';
import { createDirectory } from '../../actors/fleet/directory.ts';
import { JustRead } from '../../actors/fleet/just-read.ts';
import { createDevices } from '../../actors/fleet/live-devices.ts';
import { startActorSystem, stop } from '../../actors/runtime/nact.ts';
import { createMemoryStore } from '../../actors/store/memory.ts';
import { createFaultyJournal } from '../kit/faulty-store.ts';
import {
  assign,
  CUSTOMER,
  DEVICE,
  idOf,
  initiate,
  OPEN_POLICY,
  provision,
  TOKEN,
  unassign,
} from '../kit/given.ts';

const test = suite('just read');
const MINUTE = 60_000;
const CLAIMED = { type: 'refused', refusal: { reason: 'already-claimed' } };

test('a device that shows its credentials and has no actor yet is read once', async () => {
  const store = createMemoryStore();
  await server(store).run(({ devices }) => devices.ask(DEVICE, provision()));
  await server(store).run(async ({ devices, directory, journal }) => {
    assert.is((await directory.holderOf(TOKEN.credentialsId))?.id, DEVICE);
    assert.is((await devices.ask(DEVICE, initiate(MINUTE))).type, 'accepted');
    assert.is(journal.calls.load, 1);
  });
});

test('what another process has changed since it was read is decided on as it is', async () => {
  for (const seesAtOnce of [true, false]) {
    const store = createMemoryStore();
    await server(store).run(async ({ devices }) => {
      await devices.ask(DEVICE, provision());
      await server(store, seesAtOnce).run(async (one) => {
        await one.directory.holderOf(TOKEN.credentialsId);
        await devices.ask(DEVICE, assign(CUSTOMER));
        assert.equal(await one.devices.ask(DEVICE, initiate(MINUTE)), CLAIMED);
      });
      await server(store, seesAtOnce).run(async (one) => {
        await one.directory.holderOf(TOKEN.credentialsId);
        await devices.ask(DEVICE, unassign());
        assert.is((await one.devices.ask(DEVICE, initiate(MINUTE))).type, 'accepted');
      });
    });
  }
});

test('what this process has changed since it was read is not begun with', async () => {
  await server(createMemoryStore()).run(async ({ devices, directory, journal }) => {
    await devices.ask(DEVICE, provision());
    await directory.holderOf(TOKEN.credentialsId);
    await devices.ask(DEVICE, assign(CUSTOMER));
    // There is room for one actor.
    await devices.ask(idOf(2), provision());
    assert.equal(await devices.ask(DEVICE, initiate(MINUTE)), CLAIMED);
    assert.is(journal.calls.append, 3, 'none was in vain');
  });
});

/** The devices of one process, and who finds them. */
function server(store: ReturnType<typeof createMemoryStore>, seesAtOnce = true) {
  const journal = createFaultyJournal(store.journal, seesAtOnce);
  const justRead = new JustRead();
  const root = startActorSystem(deviceEngine(journal, justRead));
  const directory = createDirectory(journal, store.index, undefined, justRead);
  const devices = createDevices({
    root,
    journal,
    policy: OPEN_POLICY,
    settings: { residentsMax: 1, idleMs: MINUTE, mailboxMax: 10, inFlightMax: 10, askTimeoutMs: MINUTE },
    clock: systemClock,
    log: silentLog,
    onEvent: (id) => justRead.drop(id),
  });
  const parts = { devices, directory, journal };
  return {
    async run(story: (world: typeof parts) => Promise<unknown>): Promise<void> {
      try {
        await story(parts);
      } finally {
        await devices.stop(MINUTE);
        stop(root);
      }
    },
  };
}

test.run();
