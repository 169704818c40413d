/**
 * Stands between an MQTT client and a broker: counts what the client sends, by kind of packet, cuts connections, and can
 * make the broker one that does not speak MQTT 5.
 */
import { connect, createServer, type Socket } from 'node:net';
import mqtt from 'mqtt-packet';

/** How an old broker meets a CONNECT of version 5: it says so in the words of 3.1.1, or closes. */
export type Refusal = 'connack' | 'close';

export interface MqttProxy {
  readonly url: string;
  /** How many packets of this kind clients have sent. */
  sent(cmd: mqtt.PacketCmd): number;
  /** The protocol versions of the CONNECTs that came, in order. */
  readonly versions: readonly number[];
  /** Breaks all connections. */
  cut(): void;
  close(): Promise<void>;
}

const UNACCEPTABLE_PROTOCOL_VERSION = Buffer.from([0x20, 0x02, 0x00, 0x01]);

export async function startMqttProxy(brokerPort: number, refuse5?: Refusal): Promise<MqttProxy> {
  const sockets = new Set<Socket>();
  const counts = new Map<string, number>();
  const versions: number[] = [];
  const server = createServer((client) => {
    const broker = connect({ host: '127.0.0.1', port: brokerPort });
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    broker.pipe(client);
    let parser: mqtt.Parser | undefined;
    client.on('data', (chunk: Buffer) => {
      parser ??= watch(chunk);
      if (parser === undefined) return;
      parser.parse(chunk);
      broker.write(chunk);
    });

    /** Reads the version off the first packet. Undefined: refused. */
    function watch(first: Buffer): mqtt.Parser | undefined {
      const nameAt = first.indexOf('MQTT');
      const version = first[nameAt + 4] ?? 0;
      versions.push(version);
      if (version === 5 && refuse5 !== undefined) {
        broker.unpipe(client);
        client.end(refuse5 === 'connack' ? UNACCEPTABLE_PROTOCOL_VERSION : Buffer.alloc(0));
        return undefined;
      }
      const reader = mqtt.parser({ protocolVersion: version });
      reader.on('packet', ({ cmd }) => counts.set(cmd, (counts.get(cmd) ?? 0) + 1));
      return reader;
    }
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(address.port);
    });
  });
  return {
    url: `mqtt://127.0.0.1:${port}`,
    sent: (cmd) => counts.get(cmd) ?? 0,
    versions,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
