/**
 * A whole fleet that was connected loses its connections at once, as when a load balancer is restarted, and comes back as fast
 * as it can: the server has the end of all old connections to see to while it takes the new ones.
 */
import { OURS, type Scenario } from '../bench.ts';
import { connectMqtt } from '../steps.ts';
import { connecting, fleetOf } from './connect-storm.ts';

export const reconnectStormScenario: Scenario = {
  name: 'reconnect-storm',
  title: 'a connected fleet loses all its connections at once, and connects again',
  peers: [],
  rated: false,
  refuses: ({ nodes }) => (nodes > 1 ? 'speaks to the MQTT port of one server' : undefined),
  async run(bench) {
    const target = await bench.start();
    const fleet = await bench.fleet(target, fleetOf(bench));
    const connect = connectMqtt(target, fleet, true);
    await bench.each('connecting', 0, fleet.devices, [connect], { hold: true });
    bench.pool.release();
    const job = connecting(bench, target, fleet, { type: 'closed' });
    await bench.load(target, { ...job, title: 'connecting again' }, OURS);
  },
};
