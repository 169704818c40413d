/** Starts a Mosquitto that is as fast as possible: no persistence, no log, no delayed acknowledgements. */
import { type Mosquitto, startMosquitto } from '../../test/kit/mosquitto.ts';
import { findProgram } from '../../test/kit/programs.ts';
import { NotInstalled } from './program.ts';

/** Throws `NotInstalled`. */
export async function startBroker(): Promise<Mosquitto> {
  if (findProgram('mosquitto') === undefined) throw new NotInstalled('mosquitto');
  const broker = await startMosquitto([
    'allow_anonymous true',
    'persistence false',
    'log_type none',
    'set_tcp_nodelay true',
    // Zero: no limit. Beyond a limit it would drop messages that it acknowledged.
    'max_inflight_messages 0',
    'max_queued_messages 0',
  ]);
  const end = () => broker.signal('SIGKILL');
  process.once('exit', end);
  return {
    ...broker,
    pid: broker.pid,
    async stop() {
      process.off('exit', end);
      await broker.stop();
    },
  };
}
