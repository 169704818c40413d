/** Reads what a uvu process printed: its closing summary, if it came that far. uvu has no machine-readable report. */

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const SUMMARY = /^ {2}Total: {5}(\d+)\n {2}Passed: {4}(\d+)\n {2}Skipped: {3}(\d+)\n {2}Duration: /gm;

/** Undefined without a summary, or with more than one: then it is unknown what ran. */
export function readSummary(output: string): Summary | undefined {
  const [found, ...more] = [...withoutColour(output).matchAll(SUMMARY)];
  if (found === undefined || more.length > 0) return undefined;
  const [total, passed, skipped] = found.slice(1).map(Number);
  if (total === undefined || passed === undefined || skipped === undefined || passed > total)
    return undefined;
  return { passed, failed: total - passed, skipped };
}

/**
 * The result of a finished test process. Its summary and exit code must agree, and at least one test must have run;
 * anything else counts as one failure, with the reason.
 */
export function judge(output: string, exitCode: number | null): Summary & { readonly trouble?: string } {
  const summary = readSummary(output);
  const nothing = { passed: 0, failed: 1, skipped: 0 };
  if (summary === undefined) {
    return { ...nothing, trouble: `ended without a summary (exit code ${exitCode ?? 'none: killed'})` };
  }
  if (summary.passed + summary.failed + summary.skipped === 0) return { ...nothing, trouble: 'has no tests' };
  if (exitCode !== 0 && summary.failed === 0) {
    return {
      ...summary,
      failed: 1,
      trouble: `exit code ${exitCode ?? 'none: killed'} although no test failed`,
    };
  }
  if (exitCode === 0 && summary.failed > 0)
    return { ...summary, trouble: 'exit code 0 although a test failed' };
  return summary;
}

function withoutColour(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours are control characters
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}
