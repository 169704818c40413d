/**
 * Writing, as the actors' thread sees it: operations go to a thread of their own (`writer-thread.ts`), and each resolves to
 * its result once it is on disk. So neither the disk, nor the cost of B-trees, nor another process that holds the write
 * lock blocks this thread.
 */
import { Worker } from 'node:worker_threads';
import { StoreUnavailable } from '../store.ts';
import { pack, type TransactionResult, unpackResult, type WriterMessage } from './messages.ts';
import type { Operation, Results } from './operations.ts';
import { isPanic, StorePanic } from './panic.ts';

interface Waiting {
  resolve(result: unknown): void;
  reject(error: StoreUnavailable): void;
}

/** Operations sent at once; fewer when the turn of the event loop ends before. */
const SENT_AT_ONCE = 64;
/** What passes through the thread is garbage at once; without a limit its heap would grow as large as the main thread's. */
const LIMITS = { maxYoungGenerationSizeMb: 24 };

/** Called with each transaction that was committed: how many operations it has, and how long it took in ms. */
export type ObserveCommit = (operations: number, ms: number) => void;

export class Writer {
  readonly #store: string;
  readonly #onCommit: ObserveCommit | undefined;
  readonly #thread: Worker;
  /** Not sent yet, and how many these are. */
  #gathered: unknown[] = [];
  #count = 0;
  /** Not answered yet, in the order in which they are sent; answers come in the same order. */
  #waiting: Waiting[] = [];
  #closed: Promise<void> | undefined;
  /** Transactions whose end was reported: a read snapshot taken before the last one is out of date. */
  transactions = 0;

  /**
   * @param store its name, for errors
   * @param path the folder; it must have been opened here before
   */
  constructor(store: string, path: string, onCommit?: ObserveCommit) {
    this.#store = store;
    this.#onCommit = onCommit;
    // Now, as starting takes a while, and the first write should not wait for it.
    this.#thread = this.#start(path);
    this.#thread.unref();
  }

  /** Resolves once the operation is durable. Rejects with `StoreUnavailable`. */
  run<Type extends Operation['type']>(
    operation: Extract<Operation, { readonly type: Type }>,
  ): Promise<Results[Type]> {
    if (this.#closed !== undefined) return Promise.reject(new StoreUnavailable(this.#store, 'closed'));
    return new Promise((resolve, reject) => {
      // Messages between threads have no types; operations and results belong together by their order.
      this.#waiting.push({ resolve: resolve as Waiting['resolve'], reject });
      pack(operation, this.#gathered);
      this.#count += 1;
      if (this.#count === 1) setImmediate(() => this.#send());
      else if (this.#count === SENT_AT_ONCE) this.#send();
    });
  }

  /** Runs a read, so that its faults look like those of writes. */
  read<Result>(read: () => Result): Result {
    if (this.#closed !== undefined) throw new StoreUnavailable(this.#store, 'closed');
    try {
      return read();
    } catch (error) {
      if (isPanic(error)) {
        // Whoever reads may catch what is thrown here; the process has to end.
        setImmediate(() => {
          throw new StorePanic(error);
        });
      }
      throw new StoreUnavailable(this.#store, error);
    }
  }

  /** Refuses what comes from now on; resolves when everything before is durable and the thread has ended. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#send();
    const thread = this.#thread;
    thread.ref();
    thread.removeAllListeners('exit');
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    thread.postMessage('close' satisfies WriterMessage);
    await ended;
  }

  #send(): void {
    if (this.#count === 0) return;
    this.#thread.ref();
    this.#thread.postMessage(this.#gathered satisfies WriterMessage);
    this.#gathered = [];
    this.#count = 0;
  }

  #start(path: string): Worker {
    const thread = new Worker(new URL('./writer-thread.js', import.meta.url), {
      workerData: path,
      execArgv: [], // modules preloaded to measure the process are not for this thread
      resourceLimits: LIMITS,
      name: 'store',
    });
    thread.on('message', (result: TransactionResult) => this.#settle(result));
    // A thread that ends by itself is a bug, here or in the library; it ends the process.
    thread.on('exit', (code) => {
      throw new Error(`the thread that writes the store has ended (${code})`);
    });
    return thread;
  }

  #settle(result: TransactionResult): void {
    this.transactions += 1;
    const count = result.type === 'committed' ? result.results.length : result.count;
    const settled = this.#waiting.splice(0, count);
    // While nothing is under way the thread keeps no process alive.
    if (this.#waiting.length === 0 && this.#closed === undefined) this.#thread.unref();
    if (result.type === 'committed') {
      this.#onCommit?.(count, result.ms);
      for (const [at, packed] of result.results.entries()) settled[at]?.resolve(unpackResult(packed));
    } else {
      const error = new StoreUnavailable(this.#store, result.why, result.noRoom ? 'no-room' : undefined);
      for (const { reject } of settled) reject(error);
    }
  }
}
