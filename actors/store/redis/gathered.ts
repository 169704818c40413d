/**
 * Gathers what is asked for in one turn of the event loop, so that many askers share one command: what a command costs on
 * both sides, and the flush behind it, is then paid once.
 */

export interface GatheringSettings<Entry, Result> {
  /** Does what was gathered. Resolves to the results in the order of the entries, or what went wrong with one of them. */
  perform(entries: readonly Entry[]): Promise<readonly (Result | Error)[]>;
  /** More entries than this are done in several steps. */
  readonly entriesMax: number;
  /** The same for the sum of their sizes. An entry that is larger goes alone. */
  readonly sizeMax: number;
  /** The size of an entry, in any unit. */
  sizeOf(entry: Entry): number;
}

interface Waiting<Entry, Result> {
  readonly entry: Entry;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export class Gathered<Entry, Result> {
  readonly #settings: GatheringSettings<Entry, Result>;
  #waiting: Waiting<Entry, Result>[] = [];

  constructor(settings: GatheringSettings<Entry, Result>) {
    this.#settings = settings;
  }

  /** Resolves to the entry's own result; rejects where that is an error, or the step failed that it was part of. */
  add(entry: Entry): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush());
      this.#waiting.push({ entry, resolve, reject });
    });
  }

  #flush(): void {
    const { entriesMax, sizeMax, sizeOf } = this.#settings;
    const all = this.#waiting;
    this.#waiting = [];
    let step: Waiting<Entry, Result>[] = [];
    let size = 0;
    for (const waiting of all) {
      const own = sizeOf(waiting.entry);
      if (step.length > 0 && (step.length >= entriesMax || size + own > sizeMax)) {
        void this.#perform(step);
        step = [];
        size = 0;
      }
      step.push(waiting);
      size += own;
    }
    void this.#perform(step);
  }

  async #perform(step: readonly Waiting<Entry, Result>[]): Promise<void> {
    try {
      const results = await this.#settings.perform(step.map(({ entry }) => entry));
      if (results.length !== step.length) {
        throw new Error(`${results.length} results for ${step.length} questions`);
      }
      for (const [n, result] of results.entries()) {
        if (result instanceof Error) step[n]?.reject(result);
        else step[n]?.resolve(result);
      }
    } catch (error) {
      for (const { reject } of step) reject(error);
    }
  }
}
