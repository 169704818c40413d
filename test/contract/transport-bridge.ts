/** The bridge in the transports' world, behind a real Mosquitto: for one test, stopped whatever happens. */
import mqtt, { type IPublishPacket, type MqttClient } from 'mqtt';
import { type Log, silentLog } from '../../actors/base/log.ts';
import { spawnParent } from '../../actors/runtime/nact.ts';
import { type Bridge, createBridge } from '../../transports/mqtt/bridge/bridge.ts';
import { BRIDGE_DEFAULTS, type BridgeSettings } from '../../transports/mqtt/bridge/settings.ts';
import { until } from '../kit/until.ts';
import type { TransportWorld } from './transport-world.ts';

/** Waits for what must come to be; says what did not. */
let nodes = 0;

/** Starts a bridge and waits until all its connections have their subscription. */
export async function startBridge(
  world: TransportWorld,
  url: string,
  settings: Partial<BridgeSettings> = {},
  log: Log = silentLog,
): Promise<Bridge> {
  const all = { ...BRIDGE_DEFAULTS, retryMinMs: 5, retryMaxMs: 50, reconnectMinMs: 20, url, ...settings };
  const parent = spawnParent(world.parent, `node-${++nodes}`); // as if each were a process of its own
  const bridge = createBridge({ ...world, parent, log, settings: all });
  await bridge.start();
  await connected(bridge, all.connections);
  return bridge;
}

export function connected(bridge: Bridge, connections: number = BRIDGE_DEFAULTS.connections): Promise<void> {
  return until('the bridge has its subscriptions', () => bridge.connected === connections);
}

/** A device, or many: a client of the broker that notes what it hears. */
export interface Publisher {
  readonly client: MqttClient;
  readonly heard: readonly IPublishPacket[];
  /** Resolves to the payload of the first message on a topic, now or later. */
  hears(topic: string): Promise<string>;
  publish(topic: string, payload: string | Buffer, options?: PublishOptions): Promise<void>;
  close(): Promise<void>;
}

interface PublishOptions {
  readonly qos?: 0 | 1;
  readonly responseTopic?: string;
  readonly correlationData?: Buffer;
}

export async function connectPublisher(
  url: string,
  filters: readonly string[] = ['#'],
  options: mqtt.IClientOptions = {},
): Promise<Publisher> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 50, ...options });
  const heard: IPublishPacket[] = [];
  client.on('message', (_topic, _payload, packet) => heard.push(packet));
  if (filters.length > 0) await client.subscribeAsync([...filters], { qos: 1 });
  return {
    client,
    heard,
    async hears(topic) {
      const found = () => heard.find((packet) => packet.topic === topic);
      await until(`something is heard on ${topic}`, () => found() !== undefined);
      return String(found()?.payload);
    },
    async publish(topic, payload, { qos = 1, ...properties } = {}) {
      await client.publishAsync(topic, payload, { qos, properties });
    },
    close: () => client.endAsync(true),
  };
}
