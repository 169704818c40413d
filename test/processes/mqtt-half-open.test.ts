/**
 * Connections that never say who they are, in a number that no fleet has: none of them keeps a device from its CONNACK, and the
 * server keeps no more of them than it says. 5,000, or CLAIMD_HALF_OPEN of them, or as many as this process may have open files.
 */
import { execFileSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RawMqttClient } from '../kit/mqtt-client.ts';
import { cleanUp, startServer } from '../kit/process.ts';
import { until } from '../kit/until.ts';

const halfOpen = suite('mqtt: half-open');
halfOpen.after(cleanUp);

const WANTED = Number(process.env.CLAIMD_HALF_OPEN ?? 5_000);
/** Files that are open besides. */
const SPARE = 500;
const AT_ONCE = 100;
/** Connections of the device that are answered while they come. */
const BESIDE_MIN = 2;
/** How many connections that have not said CONNECT the server keeps (`connectingMax`). */
const KEPT = 2_000;
/** So that none is closed for its silence, however slowly they are opened: what closes them here is their number. */
const NO_TIMEOUT = { MQTT_TIMEOUT: '3600000' };

/** How many files a process may have open, which Node makes as many as it can. */
const filesMax = (): number => {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
};

/** Opens connections that stay silent until so many were opened, and goes on while `goesOn`. */
async function openMany(
  port: number,
  count: number,
  addresses: number,
  held: Set<Socket>,
  goesOn: () => boolean,
): Promise<void> {
  let begun = 0;
  const openOne = (): Promise<void> =>
    new Promise((resolve) => {
      // All of 127.0.0.0/8 is this machine, on Linux.
      const from = addresses === 1 ? {} : { localAddress: `127.0.2.${1 + (begun % addresses)}` };
      begun += 1;
      const socket = connect({ host: '127.0.0.1', port, ...from });
      held.add(socket);
      socket.once('connect', resolve).on('error', () => {});
      socket.once('close', () => {
        held.delete(socket);
        resolve();
      });
    });
  const worker = async () => {
    while (begun < count || goesOn()) await openOne();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const count = Math.min(WANTED, filesMax() - SPARE);
const withFiles = count > KEPT ? halfOpen : halfOpen.skip;
if (count <= KEPT)
  process.stdout.write(
    `\n# skipped (${count} connections are no more than the server keeps: ulimit -n, CLAIMD_HALF_OPEN): mqtt: half-open\n`,
  );

for (const [addresses, from] of [
  [1, 'the device’s own address'],
  [200, 'two hundred addresses'],
] as const) {
  withFiles(
    `mqtt: half-open: of ${count} silent connections from ${from} none keeps a device from its CONNACK`,
    async () => {
      const { mqttPort, ...server } = await startServer({ args: ['--demo'], env: NO_TIMEOUT });
      const held = new Set<Socket>();
      let opened = false;
      let beside = 0;
      const opening = openMany(mqttPort, count, addresses, held, () => beside < BESIDE_MIN).then(() => {
        opened = true;
      });
      /** Rejects where the server closes or does not answer in the time that a test has patience for. */
      const connectDevice = async (): Promise<void> => {
        const device = await RawMqttClient.connect(mqttPort, 4, 'T1_TEST_TOKEN');
        assert.equal(await device.untilPong(), []);
        await device.close();
      };
      while (!opened) {
        await connectDevice();
        beside += 1;
      }
      await opening;
      for (let n = 0; n < 5; n += 1) await connectDevice();
      await until('the server has closed all but as many as it keeps', () => held.size <= KEPT);
      assert.ok(held.size > KEPT / 2, `${held.size} are left: not all were closed at once`);
      await connectDevice();
      await until('the log says it', () =>
        server.output().includes('too many MQTT connections have not sent CONNECT'),
      );
      for (const socket of held) socket.destroy();
      assert.is((await server.stop()).code, 0);
    },
  );
}

halfOpen.run();
