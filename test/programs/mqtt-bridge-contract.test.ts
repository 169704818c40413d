/** The bridge is a transport like the others: what a device sees is the outcome on its response topic. */
import { randomUUID } from 'node:crypto';
import { test } from 'uvu';
import { transportContract } from '../contract/transport.ts';
import { connectPublisher, startBridge } from '../contract/transport-bridge.ts';
import { type Mosquitto, startMosquitto } from '../kit/mosquitto.ts';
import { cleanUp } from '../kit/process.ts';
import { findProgram } from '../kit/programs.ts';
import { until } from '../kit/until.ts';

const PAYLOAD_BYTES_MAX = 2_048;
let broker: Mosquitto;

if (findProgram('mosquitto') !== undefined || process.env.CLAIMD_REQUIRE_PROGRAMS === '1') {
  test.before(async () => {
    broker = await startMosquitto();
  });
  test.after(async () => {
    await broker.stop();
    await cleanUp();
  });

  transportContract({
    name: 'mqtt bridge',
    payloadBytesMax: PAYLOAD_BYTES_MAX,
    sees: {
      opened: 'opened',
      refused: 'refused',
      malformed: 'malformed',
      unknownToken: 'refused: unknown-device',
      revoked: 'refused: unknown-device',
      unavailable: 'nothing, and it is tried again',
      tooLarge: 'malformed',
    },
    async start(world) {
      // Room for what is too large, so that it is not the broker that keeps it back.
      const bridge = await startBridge(world, broker.url, {
        connections: 2,
        payloadBytesMax: PAYLOAD_BYTES_MAX,
        headerBytesMax: 1_000_000,
      });
      const device = await connectPublisher(broker.url, ['+/heard/+']);
      return {
        async claim(token, payload) {
          const id = randomUUID();
          const topic = `${token}/heard/${id}`;
          const before = bridge.counts.retried;
          await device.publish(`${token}/v1/devices/me/claim`, payload, { responseTopic: `heard/${id}` });
          const answer = () => device.heard.find((packet) => packet.topic === topic);
          await until('there is an outcome', () => answer() !== undefined || bridge.counts.retried > before);
          const packet = answer();
          if (packet === undefined) return 'nothing, and it is tried again';
          const { status, reason } = JSON.parse(String(packet.payload));
          return reason === 'unknown-device' ? `${status}: ${reason}` : status;
        },
        async stop() {
          await device.close();
          await bridge.stop(100);
        },
      };
    },
  });
} else {
  process.stdout.write('\n# skipped (not installed: mosquitto): transport: mqtt bridge\n');
}

test.run();
