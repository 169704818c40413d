/**
 * A worker that dies while connections are on their way to it: each of them is served by another one or closed, none is left without an
 * answer (config/process/spread.ts). The workers are small, so that the instant between the end of a worker's channel and its exit can
 * be made as long as it is on a busy machine.
 */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import { ok } from 'uvu/assert';
import { Spread } from '../../config/process/spread.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { within } from '../kit/patience.ts';
import { cleanUp } from '../kit/process.ts';

/** Says who it is to whoever connects. Told to die, it stands still, closes its channel, stands still, and is gone. */
const WORKER = `
import { closeSync } from 'node:fs';
import { createServer } from 'node:net';
const CHANNEL = Number(process.env.TEST_CHANNEL);
const standStill = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
let ended = 0;
createServer((socket) => {
  const port = socket.localPort;
  socket.write(String(process.pid));
  socket.on('error', () => {});
  socket.on('close', () => process.send({ type: 'ended', ended: [[port, ++ended]] }));
  socket.on('data', () => {
    socket.write('so be it');
    standStill(500);
    closeSync(CHANNEL);
    standStill(1000);
    process.kill(process.pid, 'SIGKILL');
  });
}).listen(0, '127.0.0.1');
`;
const DURING_MS = 50;

test.after(cleanUp);

interface Workers {
  readonly port: number;
  readonly workers: readonly Worker[];
}

async function startWorkers(): Promise<Workers> {
  const exec = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(exec, WORKER);
  cluster.setupPrimary({ exec });
  const spread = new Spread();
  const fork = (): Worker => {
    const worker = cluster.fork({ TEST_CHANNEL: '3' }); // where Node puts it, behind the three standard streams
    const member = spread.join(worker);
    worker.on('message', (message) => void member.heard(message));
    worker.once('exit', () => member.left());
    return worker;
  };
  const workers = [fork(), fork()];
  const [listening] = await Promise.all(workers.map((worker) => once(worker, 'listening')));
  return { port: Number(Reflect.get(Object(listening?.[0]), 'port')), workers };
}

/** A connection, and which worker has it; undefined: it was closed without a word. */
async function open(port: number): Promise<{ readonly socket: Socket; readonly pid: number | undefined }> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  const closed = once(socket, 'close').then(() => undefined);
  const served = once(socket, 'data').then(([data]) => Number(String(data)));
  return { socket, pid: await within('it is served or closed', Promise.race([served, closed])) };
}

// node:cluster addresses connections to its workers in turn: to whom the next one is when the worker dies must not matter.
for (const turn of [0, 1]) {
  test(`workers: connections that come while one dies are served or closed, turn ${turn}`, async () => {
    const { port, workers } = await startWorkers();
    const held: Awaited<ReturnType<typeof open>>[] = [];
    while (held.length < 10) held.push(await open(port));
    const [dying, ...more] = held.filter(({ pid }) => pid === held[0]?.pid);
    ok(dying !== undefined && more.length > 2);
    // So it has the fewest, and what comes goes there once it has told that.
    for (const { socket } of more) socket.destroy();
    let isNext = false;
    for (let count = held.length; !isNext; ) {
      const { socket, pid } = await open(port);
      socket.destroy();
      count += 1;
      isNext = pid === dying.pid && count % 2 === turn;
    }
    const gone = Promise.all(
      workers.filter(({ process: { pid } }) => pid === dying.pid).map((one) => once(one, 'exit')),
    );
    dying.socket.write('die');
    await once(dying.socket, 'data'); // from here on it takes no more connections
    let isGone = false;
    void gone.then(() => {
      isGone = true;
    });
    const during: ReturnType<typeof open>[] = [];
    while (!isGone) {
      during.push(open(port));
      await new Promise((resolve) => setTimeout(resolve, DURING_MS));
    }
    const pids = (await Promise.all(during)).map(({ socket, pid }) => {
      socket.destroy();
      return pid;
    });
    const other = workers.find(({ process: { pid } }) => pid !== dying.pid);
    ok(pids.filter((pid) => pid === undefined).length <= 1, 'but for the one that was on its way');
    for (const pid of pids) ok(pid === undefined || pid === other?.process.pid);
    for (const { socket } of held) socket.destroy();
    if (other === undefined) throw new Error('no worker');
    other.kill();
    await once(other, 'exit');
  });
}

test.run();
