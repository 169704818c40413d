/**
 * Group commit: many writers, one transaction at a time, one flush for all of them.
 *
 * Writes handed in during one turn of the event loop, or while the previous transaction is being flushed, go into the
 * same transaction. Each hears its own result, and only when the flush is done. A transaction either happens as
 * a whole or, when anything in it throws, not at all; then all its writers hear `StoreUnavailable`.
 */
import { StoreUnavailable } from './store.ts';

interface Write<Transaction> {
  run(transaction: Transaction): void;
  committed(): void;
  failed(error: unknown): void;
}

export class GroupCommit<Transaction extends { finish(): void }> {
  readonly #store: string;
  readonly #transact: (work: () => void) => Promise<unknown>;
  readonly #begin: () => Transaction;
  #waiting: Write<Transaction>[] = [];
  #scheduled = false;
  #committing: Promise<void> | undefined;
  #closed = false;

  /**
   * @param transact runs `work` synchronously inside a write transaction; resolves when it is flushed
   * @param begin makes what the writes of one transaction share
   */
  constructor(store: string, transact: (work: () => void) => Promise<unknown>, begin: () => Transaction) {
    this.#store = store;
    this.#transact = transact;
    this.#begin = begin;
  }

  /** Runs a write inside the next transaction. Resolves to its result once that is durable. */
  run<Result>(write: (transaction: Transaction) => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new StoreUnavailable(this.#store, 'closed'));
        return;
      }
      let result: Result;
      this.#waiting.push({
        run: (transaction) => {
          result = write(transaction);
        },
        committed: () => resolve(result),
        failed: (error) => reject(new StoreUnavailable(this.#store, error)),
      });
      this.#schedule();
    });
  }

  /** Runs a read, so that its faults look like those of writes. */
  read<Result>(read: () => Result): Result {
    if (this.#closed) throw new StoreUnavailable(this.#store, 'closed');
    try {
      return read();
    } catch (error) {
      throw new StoreUnavailable(this.#store, error);
    }
  }

  /** Refuses what comes from now on; resolves when everything before is durable. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#scheduled || this.#committing !== undefined) {
      await (this.#committing ?? new Promise((resolve) => setImmediate(resolve)));
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#committing !== undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#committing = this.#commit().finally(() => {
        this.#committing = undefined;
        if (this.#waiting.length > 0) this.#schedule();
      });
    });
  }

  async #commit(): Promise<void> {
    const writes = this.#waiting;
    this.#waiting = [];
    try {
      await this.#transact(() => {
        const transaction = this.#begin();
        for (const write of writes) write.run(transaction);
        transaction.finish();
      });
      for (const write of writes) write.committed();
    } catch (error) {
      for (const write of writes) write.failed(error);
    }
  }
}
