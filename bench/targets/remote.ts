/** A running server: claimd, or another with ThingsBoard's API. Only its answers can be seen. */
import type { RemoteSettings } from '../settings.ts';
import type { Target } from './target.ts';

export function remoteTarget({ host, httpPort, mqttPort, coapPort }: RemoteSettings): Target {
  return {
    name: host,
    store: 'unknown',
    host,
    httpPorts: [httpPort],
    mqttPorts: [mqttPort],
    coapPorts: [coapPort],
    claimTopic: 'v1/devices/me/claim',
    url: `http://${host}:${httpPort}`,
    nodes: [],
    beside: [],
    commits: () => Promise.resolve(undefined),
    stop: () => Promise.resolve(),
  };
}
