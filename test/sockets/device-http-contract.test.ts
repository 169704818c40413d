/** The device HTTP API passes the contract of all transports, over a real server. */
import { serve } from '@hono/node-server';
import { test } from 'uvu';
import { type RunningTransport, transportContract } from '../contract/transport.ts';
import type { TransportWorld } from '../contract/transport-world.ts';
import { createDeviceApi } from '../kit/device-api.ts';

const PAYLOAD_BYTES_MAX = 1_000;

function start(world: TransportWorld): Promise<RunningTransport> {
  const { app } = createDeviceApi(world, { payloadBytesMax: PAYLOAD_BYTES_MAX });
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
      resolve({
        async claim(token, payload) {
          const url = `http://127.0.0.1:${port}/api/v1/${encodeURIComponent(token)}/claim`;
          const response = await fetch(url, {
            method: 'POST',
            body: payload,
            headers: { connection: 'close' },
          });
          await response.arrayBuffer();
          return String(response.status);
        },
        stop: () => new Promise((stopped) => server.close(() => stopped())),
      }),
    );
  });
}

transportContract({
  name: 'device http',
  start,
  payloadBytesMax: PAYLOAD_BYTES_MAX,
  sees: {
    opened: '200',
    refused: '409',
    limited: '429',
    malformed: '400',
    unknownToken: '401',
    blocked: '429',
    revoked: '401',
    unavailable: '503',
    tooLarge: '413',
  },
});

test.run();
