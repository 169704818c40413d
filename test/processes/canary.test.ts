/** The undocumented messages between node:cluster and its workers, between which config/process/spread.ts stands. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../kit/folders.ts';
import { cleanUp } from '../kit/process.ts';

test.after(cleanUp);

const field = (value: unknown, name: string): unknown => Reflect.get(Object(value), name);

test('canary: node:cluster sends `newconn` with `seq` and a handle, and hears `ack`, from whichever worker, or from us (spread.ts)', async () => {
  const exec = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(
    exec,
    `import { createServer } from 'node:net';\ncreateServer((s) => s.end(String(process.pid))).listen(0, '127.0.0.1');\n`,
  );
  cluster.setupPrimary({ exec });
  const workers = [cluster.fork(), cluster.fork()];
  const [listening] = await Promise.all(workers.map((worker) => once(worker, 'listening')));
  const port = Number(field(listening?.[0], 'port'));
  const taker = workers[1]?.process;
  if (taker === undefined) throw new Error('no worker');
  const take = taker.send.bind(taker) as (...all: unknown[]) => boolean;
  const answers: unknown[] = [];
  const ours = new Set<unknown>();
  taker.on('internalMessage', (message: unknown) => {
    if (field(message, 'ack') !== undefined && !ours.has(message)) answers.push(message);
  });
  let isTaken = true;
  const sent: unknown[] = [];
  for (const { process: child } of workers) {
    const send = child.send.bind(child) as (...all: unknown[]) => boolean;
    child.send = (...all: unknown[]) => {
      const [message, handle] = all;
      if (field(message, 'act') !== 'newconn') return send(...all);
      const name = {};
      Reflect.apply(Object(field(handle, 'getsockname')), handle, [name]);
      assert.is(field(name, 'port'), port);
      const seq = field(message, 'seq');
      assert.type(seq, 'number');
      sent.push(seq);
      if (isTaken) return take(...all);
      const answer = { cmd: 'NODE_CLUSTER', ack: seq, accepted: true };
      ours.add(answer);
      setImmediate(() => child.emit('internalMessage', answer, undefined));
      return true;
    };
  }

  // More than there are workers: so each may hand on another one once the taker has answered.
  for (let n = 0; n < 5; n += 1) {
    isTaken = true;
    const socket = connect(port, '127.0.0.1');
    const [data] = await once(socket, 'data');
    assert.is(String(data), String(taker.pid));
    socket.destroy();
    isTaken = false;
    await once(connect(port, '127.0.0.1'), 'close');
  }
  assert.is(sent.length, 10);
  assert.equal(
    answers.map((answer) => [field(answer, 'ack'), field(answer, 'accepted')]),
    sent.filter((_, n) => n % 2 === 0).map((seq) => [seq, true]),
  );
  for (const worker of workers) {
    worker.kill();
    await once(worker, 'exit');
  }
});

test.run();
