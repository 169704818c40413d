/** How many turns of the event loop a task leaves to others. */
export async function turnsDuring<Result>(
  task: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly turns: number }> {
  let turns = 0;
  let done = false;
  const count = () => {
    turns += 1;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  try {
    const result = await task();
    return { result, turns };
  } finally {
    done = true;
  }
}
