/**
 * How many turns of the event loop a task leaves to others.
 *
 * @param task told how to ask for the number of those that have passed
 */
export async function turnsDuring<Result>(
  task: (passed: () => number) => Promise<Result>,
): Promise<{ readonly result: Result; readonly turns: number }> {
  let turns = 0;
  let done = false;
  const count = () => {
    turns += 1;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  try {
    const result = await task(() => turns);
    return { result, turns };
  } finally {
    done = true;
  }
}
