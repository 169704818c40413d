/**
 * The only file that imports the `mqtt` package. It uses some of it that the package does not document, or not in this way;
 * `test/sockets/canary.test.ts` says when an update has changed that.
 *
 * - The package handles one message after the other and acknowledges each when its handler is done. A handler that is done
 *   with an error sends no PUBACK, the next message has its turn, and nobody sees the error. So a message is released at
 *   once, and its PUBACK is written to the stream when the claim is durable: a thousand are under way where it would be one.
 * - While a handler is not done, nothing more is read from the socket.
 * - `sendPing` and `reschedulePing(true)` send a ping whose answer is not waited for.
 */
import { randomUUID } from 'node:crypto';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import type { BridgeSettings } from './settings.ts';

export type { IPublishPacket as Publication, MqttClient } from 'mqtt';

export type Version = 4 | 5;

/** What a broker says that does not speak version 5, in the words of 3.1.1 and of 5. */
const UNACCEPTABLE_VERSION = [0x01, 0x84];
const WITHOUT_PUBACK = new Error('acknowledged later');

/**
 * Connects, once: a client that has lost its connection is of no more use.
 *
 * @param onPublication `release` has the next message read; it does not acknowledge
 */
export function connectClient(
  settings: BridgeSettings,
  version: Version,
  onPublication: (packet: IPublishPacket, release: () => void) => void,
): MqttClient {
  const client = mqtt.connect(settings.url, clientOptions(settings, version));
  const { stream } = client;
  // Acknowledgements are small, and whoever waits for one sends nothing: Nagle's algorithm would have both wait.
  if ('setNoDelay' in stream && typeof stream.setNoDelay === 'function') stream.setNoDelay(true);
  client.handleMessage = (packet, callback) => onPublication(packet, () => callback(WITHOUT_PUBACK));
  return client;
}

/** Writes packets that the package would not send by itself. */
export function writeBytes(client: MqttClient, bytes: Buffer): void {
  if (client.connected) client.stream.write(bytes);
}

/** Shows the broker that we live, while nothing is read, its answers to pings included. */
export function pingWithoutAnswer(client: MqttClient): void {
  client.sendPing();
  client.reschedulePing(true);
}

/** Whether an error from before the connection was accepted may mean that the broker does not speak version 5. */
export function mayMeanVersion(error: Error): boolean {
  const code = 'code' in error ? error.code : undefined;
  return code === undefined || UNACCEPTABLE_VERSION.includes(Number(code));
}

function clientOptions(settings: BridgeSettings, version: Version): IClientOptions {
  const { username, password, ca, cert, key, keyPassword, inFlightMax, payloadBytesMax, headerBytesMax } =
    settings;
  return {
    protocolVersion: version,
    clientId: `${settings.clientIdPrefix}-${randomUUID()}`,
    clean: true,
    keepalive: settings.keepAliveSeconds,
    connectTimeout: settings.connectTimeoutMs,
    reconnectPeriod: 0, // the link does so itself
    resubscribe: false,
    queueQoSZero: false,
    rejectUnauthorized: settings.rejectUnauthorized,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
    ...(version === 5
      ? {
          properties: {
            sessionExpiryInterval: 0,
            receiveMaximum: inFlightMax,
            maximumPacketSize: payloadBytesMax + headerBytesMax,
            requestProblemInformation: true,
          },
        }
      : {}),
  };
}
