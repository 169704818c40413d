/** Mosquitto without persistence: what a broker in C needs to acknowledge the same publications, keeping nothing. */
import { startBroker } from '../targets/broker.ts';
import { type Peer, seen } from './peer.ts';

const HOST = '127.0.0.1';

export async function startMosquittoPeer(): Promise<Peer> {
  const broker = await startBroker();
  return {
    name: 'mosquitto',
    watched: seen(broker.pid),
    keepsState: false,
    translate(step) {
      const there = { host: HOST, ports: [broker.port] };
      if (step.type === 'connect') return { ...step, ...there };
      if (step.type !== 'mqtt') return undefined;
      const { response: _, ...published } = step; // here the PUBACK is all there is
      // Version 5 says that nobody had subscribed, which is not what is measured.
      return { ...published, ...there, right: ['PUBACK', 'PUBACK 0x10'] };
    },
    async stop() {
      await broker.stop();
    },
  };
}
