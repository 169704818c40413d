/** A generator process: runs its part of a load and reports to the bench over the channel of its fork. */

import { unreachable } from '../../actors/base/unreachable.ts';
import { Flow } from './flow.ts';
import type { FromWorker, ToWorker } from './messages.ts';

const report = (message: FromWorker): void => {
  process.send?.(message);
};

/** The tokens that devices learnt in earlier loads. */
const learnt = new Map<number, string>();
let flow: Flow | undefined;
/** Finished loads that hold their connections. */
const holding: Flow[] = [];

process.on('message', (message: ToWorker) => {
  void handle(message).catch((error) => {
    report({ type: 'failed', why: error instanceof Error ? error.message : String(error) });
  });
});
process.on('disconnect', () => process.exit(0));

async function handle(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'prepare':
      flow = new Flow(message.job, message.seed, learnt);
      await flow.open();
      report({ type: 'ready' });
      return;
    case 'go': {
      if (flow === undefined) throw new Error('nothing is prepared');
      const running = flow;
      const result = await running.run(
        message.at - performance.timeOrigin,
        (tick) => report({ type: 'tick', tick }),
        () => report({ type: 'measured' }),
      );
      holding.push(running);
      report({ type: 'done', result });
      return;
    }
    case 'halt':
      flow?.halt();
      return;
    case 'release':
      for (const held of holding.splice(0)) held.close();
      return;
    default:
      unreachable(message);
  }
}
