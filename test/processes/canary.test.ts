/** The undocumented messages between node:cluster and its workers, which config/process/handed-over.ts watches. */
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

test('canary: node:cluster sends `newconn` with `seq` and a handle, and hears `ack` (handed-over.ts)', async () => {
  const exec = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(
    exec,
    `import { createServer } from 'node:net';\ncreateServer((s) => s.end('hello')).listen(0, '127.0.0.1');\n`,
  );
  cluster.setupPrimary({ exec });
  const worker = cluster.fork();
  const handedOver: unknown[] = [];
  const confirmed: unknown[] = [];
  const { process: child } = worker;
  const send = child.send.bind(child) as (...all: unknown[]) => boolean;
  child.send = (...all: unknown[]) => {
    const [message, handle] = all;
    if (Reflect.get(Object(message), 'act') === 'newconn') {
      assert.type(Reflect.get(Object(handle), 'close'), 'function');
      handedOver.push(Reflect.get(Object(message), 'seq'));
    }
    return send(...all);
  };
  child.on('internalMessage', (message: unknown) => {
    const ack = Reflect.get(Object(message), 'ack');
    if (ack !== undefined) confirmed.push(ack);
  });
  const [{ port }] = await once(worker, 'listening');
  const socket = connect(port, '127.0.0.1');
  const [data] = await once(socket, 'data');
  assert.is(String(data), 'hello');
  socket.destroy();
  worker.kill();
  await once(worker, 'exit');
  assert.is(handedOver.length, 1);
  assert.type(handedOver[0], 'number');
  assert.ok(confirmed.includes(handedOver[0]));
});

test.run();
