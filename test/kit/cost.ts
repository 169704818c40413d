/** What work costs, in processor time: a busy machine does not change it much, unlike time by the clock. */

/** Processor time of this process (all threads) while `work` ran, in ms. */
export async function processorMs(work: () => unknown): Promise<number> {
  const from = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1_000;
}
