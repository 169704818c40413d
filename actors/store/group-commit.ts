/**
 * Group commit: many writers, one transaction at a time, one flush for all of them.
 *
 * Writes handed in before a transaction begins, which includes all that come while the previous one is being flushed,
 * go into that transaction. Each hears its own result, and only when the flush is done. A transaction either happens as
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
    while (this.#committing !== undefined) await this.#committing;
  }

  #schedule(): void {
    if (this.#committing !== undefined) return;
    this.#committing = Promise.resolve()
      .then(() => this.#commit())
      .finally(() => {
        this.#committing = undefined;
        if (this.#waiting.length > 0) this.#schedule();
      });
  }

  async #commit(): Promise<void> {
    // Taken at the last moment: until the transaction really begins, which takes its time, more may come.
    let writes: readonly Write<Transaction>[] | undefined;
    const take = () => {
      const taken = this.#waiting;
      this.#waiting = [];
      return taken;
    };
    try {
      await this.#transact(() => {
        writes = take();
        const transaction = this.#begin();
        for (const write of writes) write.run(transaction);
        transaction.finish();
      });
      for (const write of writes ?? []) write.committed();
    } catch (error) {
      for (const write of writes ?? take()) write.failed(error);
    }
  }
}
