/** One task at a time per key, in order of arrival; different keys go on side by side. For this process only. */
export type Serial = <Result>(key: string, task: () => Promise<Result>) => Promise<Result>;

export function createSerial(): Serial {
  const last = new Map<string, Promise<unknown>>();

  return (key, task) => {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(task, task);
    // The next one waits for this one's end, good or bad; the last one clears up behind itself.
    last.set(key, mine);
    const clear = () => {
      if (last.get(key) === mine) last.delete(key);
    };
    mine.then(clear, clear);
    return mine;
  };
}
