/**
 * The thread that writes. It takes all operations that have come, carries them out in one transaction, flushes that, and
 * sends the results; what comes meanwhile is the next transaction. That is group commit.
 *
 * A transaction happens whole or, when anything in it throws, not at all. Waiting for the disk, or for another process
 * that writes, blocks this thread alone.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { carryOut, type Operation, type Result } from './operations.ts';
import { isPanic, StorePanic } from './panic.ts';
import { openEnvironment, openTables } from './tables.ts';
import { Transaction } from './transaction.ts';

/** A message to the thread: some operations, or that there will be no more. */
export type WriterMessage = readonly Operation[] | 'close';

/** A message from the thread: the end of one transaction. Results are in the order of the operations. */
export type TransactionResult =
  | { readonly type: 'committed'; readonly results: readonly Result[] }
  | { readonly type: 'failed'; readonly count: number; readonly why: string };

/** Bounds how long the first of many waits for the last. */
const OPERATIONS_MAX = 10_000;

/**
 * How often places of dead readers are cleared, in ms. A process that reads, as a backup does, keeps the pages that it may
 * still need; when it is killed, they would stay kept, and the file would grow for ever.
 */
const DEAD_READERS_MS = 60_000;

const port = parentPort;
if (port === null) throw new Error('this is a thread of the store, not a program');
const env = openEnvironment(workerData);
const tables = openTables(env);
let clearedAt = performance.now();

port.on('message', (message: WriterMessage) => {
  let next: WriterMessage | undefined = message;
  while (next !== undefined) {
    const operations: Operation[] = [];
    while (next !== undefined && next !== 'close' && operations.length < OPERATIONS_MAX) {
      operations.push(...next);
      next = receive();
    }
    if (operations.length > 0) port.postMessage(commit(operations));
    if (performance.now() - clearedAt > DEAD_READERS_MS) {
      env.readerCheck();
      clearedAt = performance.now();
    }
    if (next === 'close') {
      port.close();
      void env.close();
      return;
    }
  }
});

function receive(): WriterMessage | undefined {
  return port === null ? undefined : receiveMessageOnPort(port)?.message;
}

function commit(operations: readonly Operation[]): TransactionResult {
  try {
    const results: Result[] = [];
    // Begun, committed and flushed when it returns.
    env.transactionSync(() => {
      const transaction = new Transaction(tables);
      for (const operation of operations) results.push(carryOut(transaction, operation));
      transaction.finish();
    });
    return { type: 'committed', results };
  } catch (error) {
    if (isPanic(error)) throw new StorePanic(error); // ends the thread, and with it the process
    const why = error instanceof Error ? error.message : String(error);
    return { type: 'failed', count: operations.length, why };
  }
}
