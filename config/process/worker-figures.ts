/**
 * The figures of all workers: the supervisor asks each of them when it is asked itself, and sums them up. A worker tells numbers,
 * not text. What a worker had told last goes on counting when it has died; what it counted after that is lost with it.
 */
import type { Worker } from 'node:cluster';
import { isJsonObject } from '../../actors/base/json.ts';
import type { Family } from '../../actors/base/metrics.ts';
import { CHECK_MS, type Meters } from '../metrics/meters.ts';
import { type OfWorker, sumUp } from '../metrics/sum.ts';

const QUESTION = 'figures?';
const ANSWER = 'figures';
/** Who does not answer in this time counts with its last numbers. Longer than a worker waits to say that its store is away. */
const ANSWER_MS = CHECK_MS + 1_000;

interface Answer {
  readonly type: typeof ANSWER;
  readonly id: number;
  readonly families: readonly Family[];
}

/** In a worker: answers its supervisor from now on. */
export function tellSupervisor(meters: Meters): void {
  process.on('message', (message) => {
    if (!isJsonObject(message) || message.type !== QUESTION) return;
    const id = Number(message.id);
    void meters.read().then((families) => {
      const answer: Answer = { type: ANSWER, id, families };
      // Without a channel the supervisor is gone, and this process ends too.
      if (process.connected) process.send?.(answer, undefined, undefined, () => {});
    });
  });
}

interface Living {
  readonly number: number;
  readonly worker: Worker;
}

/** In the supervisor. */
export class WorkerFigures {
  /** What each worker told last. */
  readonly #last = new Map<number, readonly Family[]>();
  /** The sum of those that have died. */
  #dead: readonly Family[] = [];
  readonly #asked = new Map<number, (number: number) => void>();
  #ids = 0;
  #missed = 0;

  /** Resolves within two seconds or so, whatever the workers do. */
  async read(living: readonly Living[]): Promise<readonly Family[]> {
    const answered = await this.#ask(living);
    this.#missed += living.length - answered.size;
    const now: OfWorker[] = [];
    const before: (readonly Family[])[] = [this.#dead];
    for (const [worker, families] of this.#last) {
      if (answered.has(worker)) now.push({ worker, families });
      else before.push(families);
    }
    return [...sumUp(now, before), this.#ownFigures()];
  }

  /** @returns whether the message was an answer */
  heard(number: number, message: unknown): boolean {
    if (!isAnswer(message)) return false;
    this.#last.set(number, message.families);
    this.#asked.get(message.id)?.(number);
    return true;
  }

  died(number: number): void {
    const last = this.#last.get(number);
    this.#last.delete(number);
    if (last !== undefined) this.#dead = sumUp([], [this.#dead, last]);
  }

  /** Resolves to those that have answered. */
  #ask(living: readonly Living[]): Promise<ReadonlySet<number>> {
    const id = ++this.#ids;
    const answered = new Set<number>();
    if (living.length === 0) return Promise.resolve(answered);
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#asked.delete(id);
        resolve(answered);
      };
      const timer = setTimeout(end, ANSWER_MS);
      this.#asked.set(id, (number) => {
        answered.add(number);
        if (answered.size === living.length) end();
      });
      for (const { worker } of living) {
        // An error means that it is ending.
        if (worker.isConnected())
          worker.process.send?.({ type: QUESTION, id }, undefined, undefined, () => {});
      }
    });
  }

  #ownFigures(): Family {
    return {
      name: 'claimd_worker_scrape_missed_total',
      help: 'How often a worker did not answer in time and counted with its last numbers.',
      type: 'counter',
      labels: [],
      samples: [{ of: [], numbers: [this.#missed] }],
    };
  }
}

/** From a worker of this very version: its shape is what `tellSupervisor` sends. */
function isAnswer(message: unknown): message is Answer {
  return (
    isJsonObject(message) &&
    message.type === ANSWER &&
    typeof message.id === 'number' &&
    Array.isArray(message.families)
  );
}
