/**
 * Runs the tasks of one key one at a time and returns their results: the mailbox of `runtime/mailbox.ts` for callers
 * that wait.
 */
import { KeyedMailbox } from '../runtime/mailbox.ts';

export type Serial = <Result>(key: string, task: () => Promise<Result>) => Promise<Result>;

interface Task {
  readonly key: string;
  /** Never rejects: the caller hears of a failure. */
  run(): Promise<void>;
}

/** In order of arrival; keys do not wait for each other. In this process only. */
export function createSerial(): Serial {
  const tasks = new KeyedMailbox<Task>(
    {
      handle: (task) => task.run(),
      onFailure(error) {
        throw error; // it cannot be: the task never rejects
      },
    },
    Number.POSITIVE_INFINITY,
    ({ key }) => key,
  );
  return (key, task) =>
    new Promise((resolve, reject) => {
      tasks.put({ key, run: () => Promise.resolve().then(task).then(resolve, reject) });
    });
}
