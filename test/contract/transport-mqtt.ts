/** An MQTT endpoint in the transports' world, for one test: started on a free port, stopped whatever happens. */
import type { Clock } from '../../actors/base/clock.ts';
import { type Log, silentLog } from '../../actors/base/log.ts';
import type { Tracing } from '../../actors/base/tracing.ts';
import { createMqttEndpoint, type MqttEndpoint } from '../../transports/mqtt/endpoint/endpoint.ts';
import {
  MQTT_ENDPOINT_DEFAULTS,
  type MqttEndpointSettings,
} from '../../transports/mqtt/endpoint/settings.ts';
import { RawMqttClient, type Version } from '../kit/mqtt-client.ts';
import { createTransportWorld, type TransportWorld } from './transport-world.ts';

export interface MqttScene {
  readonly world: TransportWorld;
  readonly endpoint: MqttEndpoint;
  readonly port: number;
  /** Connects a device that is provisioned already; closed with the scene. */
  connect(
    version: Version,
    accessToken: string,
    more?: Parameters<typeof RawMqttClient.connect>[3],
  ): Promise<RawMqttClient>;
  /** Opens a connection that says nothing; closed with the scene. */
  open(version?: Version): Promise<RawMqttClient>;
}

export const VERSIONS: readonly Version[] = [3, 4, 5];

/** What each version is called in test names. */
export const VERSION_NAME: Readonly<Record<Version, string>> = { 3: '3.1', 4: '3.1.1', 5: '5' };

interface MqttSceneOptions {
  readonly clock?: Clock;
  readonly log?: Log;
  /** What the endpoint gets instead of the world's own. */
  readonly change?: (world: TransportWorld) => Partial<TransportWorld>;
  readonly wrongTokensMax?: number;
  readonly tracing?: Tracing;
}

/** Plays one scene against an endpoint with these settings; `clock` is the endpoint's alone. */
export async function withMqtt(
  settings: Partial<MqttEndpointSettings>,
  play: (scene: MqttScene) => Promise<void>,
  {
    clock,
    log = silentLog,
    change,
    wrongTokensMax,
    tracing,
    ...policy
  }: Parameters<typeof createTransportWorld>[0] & MqttSceneOptions = {},
): Promise<void> {
  const world = await createTransportWorld(policy, undefined, wrongTokensMax);
  const endpoint = createMqttEndpoint({
    ...world,
    ...change?.(world),
    clock: clock ?? world.clock,
    log,
    tracing,
    settings: { ...MQTT_ENDPOINT_DEFAULTS, bindAddress: '127.0.0.1', port: 0, ...settings },
  });
  world.onEvent = endpoint.onDeviceEvent;
  const clients: RawMqttClient[] = [];
  const keep = (client: RawMqttClient): RawMqttClient => {
    clients.push(client);
    return client;
  };
  try {
    const { port } = await endpoint.start();
    await play({
      world,
      endpoint,
      port,
      connect: async (version, token, more) => keep(await RawMqttClient.connect(port, version, token, more)),
      open: async (version) => keep(await RawMqttClient.open(port, version)),
    });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await endpoint.stop(100);
    await world.stop();
  }
}
