/** A keyed queue: one task at a time per key, in order of arrival; keys do not wait for each other. In this process only. */
export type Serial = <Result>(key: string, task: () => Promise<Result>) => Promise<Result>;

export function createSerial(): Serial {
  const last = new Map<string, Promise<unknown>>();

  return (key, task) => {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(task, task);
    // The next one waits for the end of this one, good or bad; the last one leaves nothing behind.
    last.set(key, mine);
    const clear = () => {
      if (last.get(key) === mine) last.delete(key);
    };
    mine.then(clear, clear);
    return mine;
  };
}
