/**
 * A scaled-out installation on this machine: several nodes on one Redis that flushes every write. Claims by MQTT go
 * through one Mosquitto and a shared subscription, REST and CoAP to the nodes in turn.
 */
import { randomBytes } from 'node:crypto';
import { startServer } from '../../test/kit/process.ts';
import { ProbeChannel } from '../measure/probe-channel.ts';
import { startBroker } from './broker.ts';
import { HOST, measurable } from './own.ts';
import { startRedis } from './redis.ts';
import type { Target } from './target.ts';

const CLAIM_TOPIC = 'v1/devices/{token}/claim';

export async function startCluster(count: number, env: { readonly [name: string]: string }): Promise<Target> {
  const redis = await startRedis();
  const broker = await startBroker();
  const shared = {
    STORE_URL: `redis://${HOST}:${redis.port}`,
    MQTT_BROKER_URL: broker.url,
    SECURITY_CLAIM_SERVER_KEY: randomBytes(32).toString('base64'),
    JWT_TOKEN_SIGNING_KEY: randomBytes(64).toString('base64'),
  };
  const servers = await Promise.all(
    Array.from({ length: count }, () => startServer(measurable({ ...shared, ...env }))),
  );
  return {
    name: `${count} nodes on redis behind mosquitto`,
    store: 'redis',
    durability: "in Redis' log (fsync)",
    host: HOST,
    httpPorts: servers.map(({ httpPort }) => httpPort),
    mqttPorts: [broker.port],
    coapPorts: servers.map(({ coapPort }) => coapPort),
    claimTopic: CLAIM_TOPIC,
    responseTopic: `${CLAIM_TOPIC}/response`,
    url: servers[0]?.url ?? '',
    nodes: servers.map(({ pid, child }) => ({ pid, probe: new ProbeChannel(child) })),
    beside: [
      { name: 'redis', pid: redis.pid },
      { name: 'mosquitto', pid: broker.pid },
    ],
    commits: redis.commits,
    async stop() {
      await Promise.all(servers.map((server) => server.kill()));
      await broker.stop();
      await redis.stop();
    },
  };
}
