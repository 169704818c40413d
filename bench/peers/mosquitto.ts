/** Mosquitto without persistence: the cost of acknowledging the same publications in C, without keeping them. */
import { startBroker } from '../targets/broker.ts';
import { type Peer, withoutProbe } from './peer.ts';

const HOST = '127.0.0.1';

export async function startMosquittoPeer(): Promise<Peer> {
  const broker = await startBroker();
  return {
    name: 'mosquitto',
    durability: 'none',
    watched: withoutProbe(broker.pid),
    keepsState: false,
    translate(step) {
      const there = { host: HOST, ports: [broker.port] };
      if (step.type === 'connect') return { ...step, ...there };
      if (step.type !== 'mqtt') return undefined;
      const { response: _, ...published } = step; // a PUBACK is the only answer
      // 0x10: in MQTT 5 it says that nobody has subscribed.
      return { ...published, ...there, right: ['PUBACK', 'PUBACK 0x10'] };
    },
    async stop() {
      await broker.stop();
    },
  };
}
