/**
 * The thread that writes. It takes all operations that have come, carries them out in one transaction, flushes that, and
 * sends the results; what comes meanwhile is the next transaction. That is group commit.
 *
 * A transaction happens whole or, when anything in it throws, not at all. Waiting for the disk, or for another process
 * that writes, blocks this thread alone. Before it writes, room for it is made sure of (`room.ts`); where the disk has room
 * for a smaller transaction alone, or the file would have to grow for long, smaller ones are made.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import {
  type PackedResults,
  packResult,
  type TransactionResult,
  unpack,
  type WriterMessage,
} from './messages.ts';
import { needOf, sum } from './needs.ts';
import { carryOut, type Operation } from './operations.ts';
import { isPanic, StorePanic } from './panic.ts';
import { type Need, NoRoom, Room } from './room.ts';
import { depthOf, openEnvironment, openTables } from './tables.ts';
import { Transaction } from './transaction.ts';

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
const room = new Room(workerData);
let clearedAt = performance.now();

port.on('message', (message: WriterMessage) => {
  let next: WriterMessage | undefined = message;
  while (next !== undefined) {
    const operations: Operation[] = [];
    while (next !== undefined && next !== 'close' && operations.length < OPERATIONS_MAX) {
      unpack(next, operations);
      next = receive();
    }
    carryOutAll(operations);
    if (performance.now() - clearedAt > DEAD_READERS_MS) {
      env.readerCheck();
      clearedAt = performance.now();
    }
    if (next === 'close') {
      port.close();
      room.close();
      void env.close();
      return;
    }
  }
});

function receive(): WriterMessage | undefined {
  return port === null ? undefined : receiveMessageOnPort(port)?.message;
}

/** Bounds one transaction: what it may need is kept free on the disk. */
const KEYS_MAX = 10_000;
const BYTES_MAX = 16 * 1024 * 1024;

/**
 * Where there is no room for all of it, smaller transactions are tried, down to one operation. Where the file would have to grow
 * by much, each takes what fits and lets it grow by a little, so that nobody waits for all of the growth.
 */
function carryOutAll(operations: readonly Operation[]): void {
  let [keysMax, bytesMax] = [KEYS_MAX, BYTES_MAX];
  for (let from = 0; from < operations.length; ) {
    const seen = from + 1 < operations.length ? room.look(depth) : undefined; // the last one is taken as it is
    let need: Need = { keys: 0, bytes: 0 };
    let to = from;
    for (; to < operations.length; to += 1) {
      const operation = operations[to];
      if (operation === undefined) break;
      const more = sum(need, needOf(operation));
      if (to > from && (more.keys > keysMax || more.bytes > bytesMax || seen?.isNear(more) === false)) break;
      need = more;
    }
    const result = commit(operations.slice(from, to), need);
    if (result.type === 'failed' && result.noRoom && to - from > 1) {
      [keysMax, bytesMax] = [Math.floor(need.keys / 2), Math.floor(need.bytes / 2)];
      continue;
    }
    port?.postMessage(result);
    from = to;
  }
}

let depth = depthOf(tables);
env.resetReadTxn(); // a snapshot that is kept would keep its pages
let transactions = 0;
/** After how many transactions the depth of the tables is looked up; they rarely grow by a level. */
const DEPTH_EVERY = 16;

function commit(operations: readonly Operation[], need: Need): TransactionResult {
  try {
    const begunAt = performance.now();
    const results: PackedResults[number][] = [];
    // Begun, committed and flushed when it returns.
    env.transactionSync(() => {
      room.reserve(need, depth);
      const transaction = new Transaction(tables);
      for (const operation of operations) results.push(packResult(carryOut(transaction, operation)));
      transaction.finish();
      if (transactions % DEPTH_EVERY === 0) depth = depthOf(tables);
      transactions += 1;
    });
    return { type: 'committed', results, ms: performance.now() - begunAt };
  } catch (error) {
    if (isPanic(error)) throw new StorePanic(error); // ends the thread, and with it the process
    const why = error instanceof Error ? error.message : String(error);
    return { type: 'failed', count: operations.length, why, noRoom: error instanceof NoRoom };
  }
}
