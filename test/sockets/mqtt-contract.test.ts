/** The MQTT endpoint passes the contract of all transports, on every version and with QoS 1 and 2. */
import { test } from 'uvu';
import { silentLog } from '../../actors/base/log.ts';
import { createMqttEndpoint } from '../../transports/mqtt/endpoint/endpoint.ts';
import { MQTT_ENDPOINT_DEFAULTS } from '../../transports/mqtt/endpoint/settings.ts';
import { type TransportUnderTest, transportContract } from '../contract/transport.ts';
import { VERSION_NAME, VERSIONS } from '../contract/transport-mqtt.ts';
import type { TransportWorld } from '../contract/transport-world.ts';
import { claimPacket, connectPacket, RawMqttClient, type Version } from '../kit/mqtt-client.ts';

/** Connects, claims, and puts into one word what came back. */
async function claim(
  port: number,
  version: Version,
  qos: 1 | 2,
  accessToken: string,
  payload: string | Buffer,
): Promise<string> {
  const client = await RawMqttClient.open(port, version);
  try {
    client.send(connectPacket(version, accessToken));
    const connack = await client.next('connack');
    if ((connack.reasonCode ?? connack.returnCode) !== 0) return 'refused at the door';
    client.send(claimPacket(qos, 1, payload));
    const answer = await client.take();
    if (answer === undefined) return 'closed';
    return 'reasonCode' in answer ? `${answer.cmd} ${answer.reasonCode}` : answer.cmd;
  } finally {
    await client.close();
  }
}

const PAYLOAD_BYTES_MAX = 1_000;

async function start(world: TransportWorld, version: Version, qos: 1 | 2) {
  const endpoint = createMqttEndpoint({
    ...world,
    log: silentLog,
    settings: {
      ...MQTT_ENDPOINT_DEFAULTS,
      bindAddress: '127.0.0.1',
      port: 0,
      payloadBytesMax: PAYLOAD_BYTES_MAX,
    },
  });
  world.onEvent = endpoint.onDeviceEvent;
  const { port } = await endpoint.start();
  return {
    claim: (token: string, payload: string | Buffer) => claim(port, version, qos, token, payload),
    stop: () => endpoint.stop(100),
  };
}

function sees(version: Version, qos: 1 | 2): TransportUnderTest['sees'] {
  const ack = qos === 1 ? 'puback' : 'pubrec';
  if (version === 5) {
    return {
      opened: `${ack} 0`,
      refused: `${ack} ${0x87}`,
      limited: `${ack} ${0x97}`,
      malformed: `${ack} ${0x99}`,
      unknownToken: 'refused at the door',
      blocked: 'refused at the door',
      revoked: `disconnect ${0x98}`,
      unavailable: `disconnect ${0x83}`,
      tooLarge: `disconnect ${0x95}`,
    };
  }
  return {
    opened: ack,
    refused: ack, // an acknowledgement cannot say no; the response topic does (rule O6)
    malformed: 'closed',
    unknownToken: 'refused at the door',
    blocked: 'refused at the door',
    revoked: 'closed',
    unavailable: 'closed',
    tooLarge: 'closed',
  };
}

for (const version of VERSIONS) {
  for (const qos of [1, 2] as const) {
    transportContract({
      name: `mqtt ${VERSION_NAME[version]} QoS ${qos}`,
      start: (world) => start(world, version, qos),
      payloadBytesMax: PAYLOAD_BYTES_MAX,
      sees: sees(version, qos),
    });
  }
}

test.run();
