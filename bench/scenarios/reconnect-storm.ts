/**
 * A whole fleet that was connected loses its connections at once, as when a load balancer is restarted, and comes back as fast
 * as it can: the server has the end of all old connections to see to while it takes the new ones.
 */
import { type Bench, HOUR_MS, OURS, type Scenario } from '../bench.ts';
import { connectMqtt } from '../steps.ts';

/** Both ends are on one machine and share its limit of open files. */
const DEVICES_MAX = 15_000;
/** Connections being opened at a time: about the backlog of a listener. */
const AT_ONCE = 400;

const devicesOf = ({ settings }: Bench): number => Math.min(settings.devices, DEVICES_MAX);

export const reconnectStormScenario: Scenario = {
  name: 'reconnect-storm',
  title: 'a connected fleet loses all its connections at once, and connects again',
  peers: [],
  rated: false,
  refuses: ({ nodes }) => (nodes > 1 ? 'speaks to the MQTT port of one server' : undefined),
  async run(bench) {
    const target = await bench.start();
    const fleet = await bench.fleet(target, devicesOf(bench));
    const connecting = connectMqtt(target, fleet, true);
    await bench.each('connecting', 0, fleet.devices, [connecting], { hold: true });
    bench.pool.release();
    const job = bench.job({
      title: 'connecting again',
      steps: [connecting],
      subjects: { type: 'once', from: 0, count: fleet.devices },
      connections: Math.min(AT_ONCE, fleet.devices),
      inflight: 1,
      warmUpMs: 0,
      durationMs: HOUR_MS,
      pace: { type: 'closed' },
    });
    await bench.load(target, job, OURS);
  },
};
