/** What was measured and where: machine, Node, commit. */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../contract.ts';
import { diskFlushMs } from './disk.ts';

const HERE = fileURLToPath(new URL('./', import.meta.url));

export function machine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${release()}`,
    node: process.version,
    diskFlushMs: diskFlushMs(),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** The commit, with a plus if files were changed since; `unknown` without git. */
export function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: HERE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}
