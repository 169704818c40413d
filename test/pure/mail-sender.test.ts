/** Who sends mails of several nodes on one store: each mail once, and none waits for a node that is gone. */
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSecrets } from '../../actors/base/secret.ts';
import type { Sent } from '../../actors/mail/model.ts';
import { openMailOutbox } from '../../actors/mail/outbox.ts';
import { createMailSender } from '../../actors/mail/sender.ts';
import { createLease } from '../../actors/records/lease.ts';
import { createSimClock } from '../kit/clock.ts';
import { createSharedStore } from '../kit/shared-store.ts';

const START = 1_700_000_000_000;
const LEASE_MS = 6_000;
const YEAR_MS = 365 * 86_400_000;
const log = { debug() {}, info() {}, warn() {}, error() {} };

function scene() {
  const store = createSharedStore();
  const clock = createSimClock(START);
  const outbox = openMailOutbox(store, createSecrets(Buffer.alloc(32, 7)), clock);

  /** A node; `send` is what its mail server does. */
  const node = (send: (id: string) => Promise<Sent>) =>
    createMailSender({
      outbox,
      index: store.index,
      smtp: { send: ({ messageId }) => send(messageId), close() {} },
      write: async (id) => ({
        messageId: id,
        to: 'somebody@example.org',
        subject: '',
        text: '',
        html: '',
        language: 'en',
        at: new Date(START),
      }),
      lease: createLease(store, clock, 'mail', LEASE_MS),
      leaseMs: LEASE_MS,
      dropped: async () => {},
      clock,
      log,
      chance: () => 0.5,
      atOnce: 4,
    });

  /** Lets so much time pass, and everything happen that falls due in it. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250);
      for (let turns = 0; turns < 20; turns += 1) await turn();
    }
  }
  const keep = () => outbox.keep({ type: 'reset', email: 'somebody@example.org' }, null);
  return { outbox, node, pass, keep, clock };
}

test('mail sender: what a node put off before it died is sent by the one that is left', async () => {
  const { outbox, node, pass, keep } = scene();
  const sent: string[] = [];
  const left = node(async (id) => {
    sent.push(id);
    return { type: 'sent' };
  });
  left.start();
  await keep();
  await pass(1_000);
  assert.is(sent.length, 1);

  // Idle, it is without the lease for a while; another one has it, puts a mail off, and goes.
  await left.stop();
  let putOff = 0;
  const other = node(async () => {
    putOff += 1;
    return { type: 'later', why: '451' };
  });
  other.start();
  await keep();
  await pass(1_000);
  assert.is(putOff, 1);
  await other.stop();
  left.start();
  await pass(5 * 60_000);
  assert.is(sent.length, 2);
  assert.is(await outbox.waiting(), 0);
  await left.stop();
});

test('mail sender: a slow mail server makes no second node send the same', async () => {
  const { node, pass, keep, outbox } = scene();
  const sent: string[] = [];
  const ends: (() => void)[] = [];
  const slow = (id: string) =>
    new Promise<Sent>((done) => {
      sent.push(id);
      ends.push(() => done({ type: 'sent' }));
    });
  const nodes = [node(slow), node(slow)];
  for (const one of nodes) one.start();
  await keep();
  await pass(30_000);
  assert.is(sent.length, 1);
  for (const end of ends) end();
  await pass(1_000);
  assert.is(await outbox.waiting(), 0);
  await Promise.all([...nodes.map((one) => one.stop()), pass(3_000)]);
});

test('mail sender: what was put off while the clock was a year ahead is sent once it is set back', async () => {
  const { node, pass, keep, outbox, clock } = scene();
  const answers: Sent[] = [{ type: 'later', why: 'busy' }];
  const sender = node(async () => answers.pop() ?? { type: 'sent' });
  clock.step(YEAR_MS);
  sender.start();
  await keep();
  await pass(1_000);
  assert.equal([answers.length, await outbox.waiting()], [0, 1]);
  clock.step(-YEAR_MS);
  await pass(2_000);
  assert.is(await outbox.waiting(), 0);
  await Promise.all([sender.stop(), pass(3_000)]);
});

test.run();
