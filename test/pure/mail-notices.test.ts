/** Mails about events: one that cannot be told keeps none behind it from being told. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DeviceId, NULL_UUID, storedId, type TenantId } from '../../actors/base/ids.ts';
import { silentLog } from '../../actors/base/log.ts';
import { createSecrets } from '../../actors/base/secret.ts';
import { UnreadableRecord } from '../../actors/device/persistence.ts';
import { StoreUnavailable } from '../../actors/journal/unavailable.ts';
import { createNoticeTarget } from '../../actors/mail/notices.ts';
import type { Message } from '../../actors/outbox/message.ts';
import { createSimClock } from '../kit/clock.ts';

const NOW = 1_700_000_000_000;

function scene(error: Error) {
  const bugs: string[] = [];
  const target = createNoticeTarget({
    users: { list: async () => ({ items: [], total: 0 }), findByEmail: async () => undefined },
    read: () => Promise.reject(error),
    choicesOf: () => Promise.reject(new Error('nobody is told')),
    secrets: createSecrets(Buffer.alloc(32, 7)),
    keep: () => Promise.reject(new Error('nothing is kept')),
    clock: createSimClock(NOW),
    log: { ...silentLog, error: (_fields, message) => void bugs.push(message) },
  });
  const offered: Message = {
    id: 'event',
    tenantId: storedId<TenantId>(NULL_UUID),
    deviceId: storedId<DeviceId>(NULL_UUID),
    number: 1,
    type: 'device.transfer.offered',
    at: NOW,
    data: {},
    customerIds: [],
    profileId: undefined,
  };
  return { bugs, deliver: () => target.deliver(offered) };
}

test('notices: an event of a damaged device is told as a bug, and the next one goes on', async () => {
  const { bugs, deliver } = scene(new UnreadableRecord('damaged'));
  assert.is((await deliver()).type, 'delivered');
  assert.is(bugs.length, 1);
});

test('notices: while the store is away nothing counts as told', async () => {
  const away = new StoreUnavailable('memory', 'away');
  const { bugs, deliver } = scene(away);
  assert.is(await deliver().catch((error: unknown) => error), away);
  assert.is(bugs.length, 0);
});

test.run();
