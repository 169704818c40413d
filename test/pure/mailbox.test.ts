/** The laws of the mailbox: one at a time, in order, at once when idle, bounded, and nothing lost by a failure. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KeyedMailbox, Mailbox } from '../../actors/runtime/mailbox.ts';
import fc from '../kit/property.ts';

interface Message {
  readonly key: string;
  readonly number: number;
}

/** A handler whose messages stay under way until the test settles them. */
function heldHandler() {
  const begun: Message[] = [];
  const failures: number[] = [];
  const open = new Map<number, { resolve(): void; reject(error: Error): void }>();
  return {
    begun,
    failures,
    open,
    handle(message: Message): Promise<void> {
      begun.push(message);
      return new Promise((resolve, reject) => open.set(message.number, { resolve, reject }));
    },
    onFailure(_error: unknown, { number }: Message): void {
      failures.push(number);
    },
    /** Ends a message that is under way, and lets what follows from it happen. */
    async end(number: number, how: 'resolve' | 'reject' = 'resolve'): Promise<void> {
      const settle = open.get(number);
      if (settle === undefined) throw new Error(`message ${number} is not under way`);
      open.delete(number);
      if (how === 'resolve') settle.resolve();
      else settle.reject(new Error('failed'));
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    },
  };
}

const message = (number: number, key = ''): Message => ({ key, number });
const numbers = (messages: readonly Message[]) => messages.map(({ number }) => number);

test('mailbox: an idle one handles a message at once, and the next as soon as that is done', async () => {
  const handler = heldHandler();
  const mailbox = new Mailbox(handler, 10);
  assert.ok(mailbox.put(message(1)));
  assert.ok(mailbox.put(message(2)));
  assert.equal(numbers(handler.begun), [1]);
  await handler.end(1);
  assert.equal(numbers(handler.begun), [1, 2]);
  await handler.end(2);
  assert.ok(mailbox.put(message(3)));
  assert.equal(numbers(handler.begun), [1, 2, 3]);
});

test('mailbox: what is put in while a message is handled comes after it, also without promises', () => {
  const order: string[] = [];
  const mailbox: Mailbox<Message> = new Mailbox<Message>(
    {
      handle({ number }) {
        order.push(`${number} begins`);
        if (number < 3) mailbox.put(message(number + 1));
        order.push(`${number} ends`);
      },
      onFailure: () => {},
    },
    10,
  );
  mailbox.put(message(1));
  assert.equal(order, ['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends']);
});

test('mailbox: ten thousand that wait are handled without a stack of ten thousand', async () => {
  const handled: number[] = [];
  let release = () => {};
  const mailbox = new Mailbox<Message>(
    {
      handle({ number }) {
        handled.push(number);
        return number === 0 ? new Promise<void>((resolve) => (release = resolve)) : undefined;
      },
      onFailure: () => {},
    },
    10_000,
  );
  for (let number = 0; number <= 10_000; number++) assert.ok(mailbox.put(message(number)));
  release();
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(handled.length, 10_001);
});

test('mailbox: a failure is told with its message, thrown or rejected, and the next has its turn', async () => {
  const failures: number[] = [];
  const handled: number[] = [];
  const mailbox = new Mailbox<Message>(
    {
      handle({ number }) {
        handled.push(number);
        if (number === 1) throw new Error('thrown');
        return number === 2 ? Promise.reject(new Error('rejected')) : undefined;
      },
      onFailure: (_error, { number }) => failures.push(number),
    },
    10,
  );
  for (const number of [1, 2, 3]) mailbox.put(message(number));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(handled, [1, 2, 3]);
  assert.equal(failures, [1, 2]);
});

for (const how of ['thrown', 'rejected'] as const) {
  test(`mailbox: when dealing with what was ${how} fails, it closes, and the bug is nobody's: the process hears of it`, async () => {
    const [uncaught, handled]: [unknown[], number[]] = [[], []];
    const listener = (error: unknown) => uncaught.push(error);
    process.on('uncaughtException', listener); // of unhandled rejections too
    try {
      const mailbox = new Mailbox<Message>(
        {
          handle({ number }) {
            handled.push(number);
            if (how === 'rejected') return Promise.reject(new Error('failed'));
            throw new Error('failed');
          },
          onFailure(_error, { number }) {
            throw new Error(`bug ${number}`);
          },
        },
        10,
      );
      assert.ok(mailbox.put(message(1)), 'whoever puts a message in hears nothing of it');
      const waits = mailbox.put(message(2));
      assert.is(waits, how === 'rejected', 'closed at once, or as soon as it has failed');
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(uncaught.map(String), ['Error: bug 1']);
      assert.not.ok(mailbox.put(message(3)));
      assert.equal(handled, [1], 'and handles nothing more');
    } finally {
      process.off('uncaughtException', listener);
    }
  });
}

test('mailbox: beyond its bound it takes nothing, and says so', async () => {
  const handler = heldHandler();
  const mailbox = new Mailbox(handler, 2);
  const taken = [1, 2, 3, 4].map((number) => mailbox.put(message(number)));
  assert.equal(taken, [true, true, true, false]);
  await handler.end(1);
  assert.ok(mailbox.put(message(5)));
  assert.not.ok(mailbox.put(message(6)));
});

test('mailbox: closed, it drops what waits, takes nothing, and lets what is under way end', async () => {
  const handler = heldHandler();
  let idle = 0;
  const mailbox = new Mailbox(handler, 10, () => {
    idle += 1;
  });
  for (const number of [1, 2]) mailbox.put(message(number));
  mailbox.close();
  assert.not.ok(mailbox.put(message(3)));
  await handler.end(1);
  assert.equal(numbers(handler.begun), [1]);
  assert.is(idle, 1);
});

test('keyed mailbox: other keys do not wait, and the bound is for each key', () => {
  const handler = heldHandler();
  const mailbox = new KeyedMailbox(handler, 1, ({ key }: Message) => key);
  const taken = [message(1, 'a'), message(2, 'a'), message(3, 'a'), message(4, 'b')].map((one) =>
    mailbox.put(one),
  );
  assert.equal(taken, [true, true, false, true]);
  assert.equal(numbers(handler.begun), [1, 4]);
});

type Step =
  | { readonly type: 'put'; readonly key: string }
  /** Ends one of the messages that are under way. */
  | { readonly type: 'end'; readonly which: number; readonly how: 'resolve' | 'reject' };

const steps = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('put' as const), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({
      type: fc.constant('end' as const),
      which: fc.nat(),
      how: fc.constantFrom('resolve' as const, 'reject' as const),
    }),
  ),
  { maxLength: 60 },
);

test('keyed mailbox: whatever comes and ends in whatever order: one at a time of each key, in order, none lost', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(4), async (all: readonly Step[], waitingMax) => {
      const handler = heldHandler();
      const mailbox = new KeyedMailbox(handler, waitingMax, ({ key }: Message) => key);
      const taken: Message[] = [];
      const ended = new Set<number>();
      const underWay = () => handler.begun.filter(({ number }) => handler.open.has(number));
      const check = () => {
        for (const key of ['a', 'b', 'c']) {
          const busy = underWay().filter((one) => one.key === key).length;
          assert.ok(busy <= 1, 'one at a time');
          const left = taken.filter((one) => one.key === key && !ended.has(one.number)).length;
          assert.is(busy, Math.min(1, left), 'never idle while one waits');
          assert.ok(left <= waitingMax + 1, 'bounded');
          const order = numbers(handler.begun.filter((one) => one.key === key));
          assert.equal(
            order,
            numbers(taken.filter((one) => one.key === key)).slice(0, order.length),
            'in order',
          );
        }
      };
      for (const [number, step] of all.entries()) {
        if (step.type === 'put') {
          const one = message(number, step.key);
          const left = taken.filter(({ key, number: its }) => key === one.key && !ended.has(its)).length;
          const took = mailbox.put(one);
          assert.is(took, left <= waitingMax, 'takes whatever there is room for');
          if (took) taken.push(one);
        } else {
          const open = underWay();
          const one = open[step.which % Math.max(1, open.length)];
          if (one === undefined) continue;
          ended.add(one.number);
          await handler.end(one.number, step.how);
          assert.is(handler.failures.includes(one.number), step.how === 'reject');
        }
        check();
      }
      for (let open = underWay(); open.length > 0; open = underWay()) {
        for (const { number } of open) {
          ended.add(number);
          await handler.end(number);
        }
      }
      assert.equal(new Set(numbers(handler.begun)), new Set(numbers(taken)), 'none lost, none made up');
    }),
    { numRuns: 300 },
  );
});

test.run();
