/**
 * What a move of a head (an append or a commit) leaves to do in other slots: adding and removing list entries,
 * and releasing unique keys.
 *
 * The move writes it as a task beside the head, atomically with it. Whoever moved the head does the task before it
 * answers, so that lists show what was acknowledged, and takes the task out; if it cannot, any process may do it later.
 * A task names entries, not changes: each is brought to what the head says. And it is taken out only if the head is
 * still the one that was looked at. So when the tasks of two moves overtake each other, the earlier one sees the later
 * one's head and puts things right.
 *
 * Tasks of other processes are left alone for a while, as their owners may be at it. Those found at the start are done
 * at once, but stay.
 */

import type { Log } from '../../base/log.ts';
import type { IndexEntries } from '../../journal/journal.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { entryOf, type Task, Tasks } from './tasks.ts';
import type { UniqueKeys } from './unique.ts';

/** Sweeps for tasks of others, within the time for which a task is its owner's. */
const SWEEPS = 4;

export interface Outbox {
  /** Does a new task. Resolves when lists show it, or when that must wait. */
  follow(task: Task, take: IndexEntries, release: IndexEntries): Promise<void>;
  add(list: string, member: string): Promise<void>;
  remove(list: string, member: string): Promise<void>;
  /** Looks for what others have left behind, from now on. */
  start(): void;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

/** @param orphanMs for so long a task that is found is its owner's */
export function createOutbox(
  redis: Connection,
  keys: Keys,
  unique: UniqueKeys,
  orphanMs: number,
  log: Log,
): Outbox {
  const tasks = new Tasks(redis, keys, unique);
  const underWay = new Set<Promise<unknown>>();
  const leftBehind = new LeftBehind(tasks, keys, orphanMs);
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function track<Result>(work: Promise<Result>): Promise<Result> {
    underWay.add(work);
    const over = () => underWay.delete(work);
    work.then(over, over);
    return work;
  }

  function failed(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (!stopped) log.debug({ why }, 'index changes left behind could not be finished; trying again');
  }

  return {
    async follow(task, take, release) {
      const sequence = task.field.slice(task.name.length + 1);
      const work = perform(tasks, task, take, release);
      try {
        await track(work);
      } catch {
        return; // the move is durable all the same; the task stays for a sweep
      }
      track(tasks.finish(task, sequence).then((done) => (done ? undefined : tasks.complete(task)))).catch(
        () => {},
      );
    },

    add: (list, member) => tasks.add(list, member),
    remove: (list, member) => tasks.remove(list, member),

    start() {
      const next = () => {
        timer = setTimeout(() => track(leftBehind.sweep()).catch(failed).finally(next), orphanMs / SWEEPS);
        timer.unref();
        if (stopped) clearTimeout(timer);
      };
      track(leftBehind.repair()).catch(failed).finally(next);
    },

    async stop() {
      stopped = true;
      leftBehind.stop();
      clearTimeout(timer);
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}

/** Does what a new task says. */
function perform(tasks: Tasks, task: Task, take: IndexEntries, release: IndexEntries): Promise<unknown> {
  return Promise.all([
    ...release.members
      .filter((member) => !take.members.some((taken) => entryOf(taken) === entryOf(member)))
      .map(({ list, member }) => tasks.remove(list, member)),
    ...take.members.map(({ list, member }) => tasks.add(list, member)),
    tasks.dropKeys(task),
  ]);
}

/** The tasks that are found in the store, of this process and of others. */
class LeftBehind {
  readonly #tasks: Tasks;
  readonly #keys: Keys;
  readonly #orphanMs: number;
  /** Tasks seen in the last sweep, by partition and field, and since when. */
  #seen = new Map<string, number>();
  #stopped = false;

  constructor(tasks: Tasks, keys: Keys, orphanMs: number) {
    this.#tasks = tasks;
    this.#keys = keys;
    this.#orphanMs = orphanMs;
  }

  /** Completes the tasks that their owners have left alone for too long. */
  async sweep(): Promise<void> {
    const now = performance.now();
    const found = new Map<string, number>();
    for (const partition of this.#keys.partitions) {
      for await (const page of this.#tasks.pages(partition)) {
        for (const task of page) {
          if (this.#stopped) return;
          const id = `${partition.outbox} ${task.field}`;
          const since = this.#seen.get(id) ?? now;
          if (now - since >= this.#orphanMs) await this.#tasks.complete(task);
          else found.set(id, since);
        }
      }
    }
    this.#seen = found;
  }

  /** Does the tasks that are there now and leaves them, as their owners may be at it. */
  async repair(): Promise<void> {
    for (const partition of this.#keys.partitions) {
      for await (const page of this.#tasks.pages(partition)) {
        if (this.#stopped) return;
        await Promise.all(page.map((task) => this.#tasks.anticipate(task)));
      }
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}
