/** A generator process: carries out its part of a load and tells the bench, over the channel it was started with. */

import { Flow } from './flow.ts';
import type { FromWorker, ToWorker } from './messages.ts';

const tell = (message: FromWorker): void => {
  process.send?.(message);
};

let flow: Flow | undefined;
/** Loads that are over and hold their connections. */
const holding: Flow[] = [];

process.on('message', (message: ToWorker) => {
  void handle(message).catch((error) => {
    tell({ type: 'failed', why: error instanceof Error ? error.message : String(error) });
  });
});
process.on('disconnect', () => process.exit(0));

async function handle(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'prepare':
      flow = new Flow(message.job, message.seed);
      await flow.open();
      tell({ type: 'ready' });
      return;
    case 'go': {
      if (flow === undefined) throw new Error('nothing is prepared');
      const running = flow;
      const result = await running.run(
        message.at - performance.timeOrigin,
        (tick) => tell({ type: 'tick', tick }),
        () => tell({ type: 'measured' }),
      );
      holding.push(running);
      tell({ type: 'done', result });
      return;
    }
    case 'halt':
      flow?.halt();
      return;
    case 'release':
      for (const held of holding.splice(0)) held.close();
      return;
    default:
      message satisfies never;
  }
}
