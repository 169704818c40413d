/** The CoAP server passes the contract of all transports: confirmable, non-confirmable, and in blocks. */
import { test } from 'uvu';
import { type RunningTransport, transportContract } from '../contract/transport.ts';
import { coapIn } from '../contract/transport-coap.ts';
import type { TransportWorld } from '../contract/transport-world.ts';
import { RawCoapClient, show } from '../kit/coap-client.ts';

const PAYLOAD_BYTES_MAX = 1_000;

async function start(
  world: TransportWorld,
  claim: (
    client: RawCoapClient,
    token: string,
    payload: string | Buffer,
  ) => ReturnType<RawCoapClient['claim']>,
): Promise<RunningTransport> {
  const endpoint = coapIn(world, { payloadBytesMax: PAYLOAD_BYTES_MAX });
  const { port } = await endpoint.start();
  return {
    async claim(token, payload) {
      const client = await RawCoapClient.open(port);
      try {
        const answer = await claim(client, token, payload);
        // the reason behind the code is for people
        return show({ ...answer, payload: Buffer.alloc(0) });
      } finally {
        await client.close();
      }
    },
    stop: () => endpoint.stop(100),
  };
}

for (const [how, type, claim] of [
  ['confirmable', 'ACK', (client, token, payload) => client.claim(token, payload)],
  ['non-confirmable', 'NON', (client, token, payload) => client.claim(token, payload, { type: 'NON' })],
  ['in blocks of 16', 'ACK', (client, token, payload) => client.claimInBlocks(token, payload, 0)],
  ['in blocks of 256', 'ACK', (client, token, payload) => client.claimInBlocks(token, payload, 4)],
] as const satisfies readonly (readonly [string, string, Parameters<typeof start>[1]])[]) {
  transportContract({
    name: `coap ${how}`,
    start: (world) => start(world, claim),
    payloadBytesMax: PAYLOAD_BYTES_MAX,
    sees: {
      opened: `${type} 2.01`,
      refused: `${type} 4.09`,
      limited: `${type} 4.29`,
      malformed: `${type} 4.00`,
      unknownToken: `${type} 4.01`,
      blocked: `${type} 4.29`,
      revoked: `${type} 4.01`,
      unavailable: `${type} 5.03`,
      tooLarge: `${type} 4.13`,
    },
  });
}

test.run();
