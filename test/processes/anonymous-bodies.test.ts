/** What a body takes that somebody unknown sends and does not complete: it is kept until its time is up. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cleanUp, startServer } from '../kit/process.ts';
import { pause, until } from '../kit/until.ts';

const test = suite('anonymous bodies');
test.after(cleanUp);

const BODIES = 1_500;
/** What such a route takes at most; almost all of it is sent. */
const BODY_BYTES = 8_192;
/** Measured: 27, with the connection. It was 104 before such bodies were bounded. */
const KB_MAX = 80;

const residentKb = (pid: number) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

test('a waiting body of somebody unknown takes little memory', async () => {
  const server = await startServer({ nodeArgs: ['--max-semi-space-size=1'] });
  const sockets: Socket[] = [];
  try {
    await fetch(`${server.url}/api/auth/login`, { method: 'POST', body: '{}' }); // whatever is made once
    const before = residentKb(server.pid);
    const head = `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`;
    let open = 0;
    for (let n = 0; n < BODIES; n += 1) {
      const socket = connect(server.httpPort, '127.0.0.1', () => {
        open += 1;
        socket.write(`${head}${' '.repeat(BODY_BYTES - 1)}`);
      });
      socket.on('error', () => {});
      sockets.push(socket);
      if (n % 100 === 99) await pause(10);
    }
    await until('all are there', () => open === BODIES);
    assert.is((await fetch(`${server.url}/api/auth/login`, { method: 'POST', body: '{}' })).status, 401);
    let [settled, last] = [residentKb(server.pid), 0];
    while (Math.abs(settled - last) > settled / 100) {
      await pause(1_000); // what has arrived is read by then, or the next second shows it
      [settled, last] = [residentKb(server.pid), settled];
    }
    const each = (settled - before) / BODIES;
    assert.ok(each < KB_MAX, `${each} KB each`);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  assert.is((await server.stop()).code, 0);
});

test.run();
