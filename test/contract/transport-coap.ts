/** A CoAP server in the transports' world, for one test: started on a free port, stopped whatever happens. */
import { type Log, silentLog } from '../../actors/base/log.ts';
import { createAttributeNews } from '../../actors/claiming/attribute-news.ts';
import { silentBus } from '../../actors/cluster/bus.ts';
import { createCoapEndpoint } from '../../transports/coap/endpoint.ts';
import { COAP_DEFAULTS, type CoapSettings } from '../../transports/coap/settings.ts';
import type { Transport } from '../../transports/transport.ts';
import { RawCoapClient } from '../kit/coap-client.ts';
import { createTransportWorld, type TransportWorld } from './transport-world.ts';

export interface CoapScene {
  readonly world: TransportWorld;
  readonly endpoint: Transport;
  readonly port: number;
  /** A client on a port of its own; closed with the scene. */
  open(): Promise<RawCoapClient>;
}

export function coapIn(
  world: TransportWorld,
  settings: Partial<CoapSettings> = {},
  log: Log = silentLog,
): Transport {
  const news = createAttributeNews(silentBus);
  world.onEvent = news.onDeviceEvent;
  return createCoapEndpoint({
    ...world,
    news,
    log,
    settings: { ...COAP_DEFAULTS, bindAddress: '127.0.0.1', port: 0, ...settings },
  });
}

export async function withCoap(
  settings: Partial<CoapSettings>,
  play: (scene: CoapScene) => Promise<void>,
  policy?: Parameters<typeof createTransportWorld>[0],
  log?: Log,
): Promise<void> {
  const world = await createTransportWorld(policy);
  const endpoint = coapIn(world, settings, log);
  const clients: RawCoapClient[] = [];
  try {
    const { port } = await endpoint.start();
    const open = async (): Promise<RawCoapClient> => {
      const client = await RawCoapClient.open(port);
      clients.push(client);
      return client;
    };
    await play({ world, endpoint, port, open });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await endpoint.stop(100);
    await world.stop();
  }
}
