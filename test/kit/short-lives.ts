/**
 * Workers whose first lives end early, at an instant and in a way that a test chooses; and workers whose start takes until the
 * test lets them go on.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from './folders.ts';

/**
 * Options for Node that end each of the first lives of a worker.
 *
 * @param lives how each ends: `code` is run after `ms`
 */
export function shortLives(
  worker: number,
  lives: readonly { readonly ms: number; readonly code: string }[],
): readonly string[] {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'lives'));
  const module = join(folder, 'short-lives.mjs');
  writeFileSync(
    module,
    `import { readdirSync, writeFileSync } from 'node:fs';
    if (process.env.CLAIMD_WORKER === '${worker}') {
      const folder = ${JSON.stringify(join(folder, 'lives'))};
      const before = readdirSync(folder).length;
      const life = ${JSON.stringify(lives)}[before];
      writeFileSync(folder + '/' + process.pid, '');
      const end = () => new Function('process', life.code)(process);
      if (life?.ms === 0) end(); else if (life !== undefined) setTimeout(end, life.ms);
    }`,
  );
  return ['--import', pathToFileURL(module).href];
}

/**
 * Options for Node that hold up each life of a worker in its start, from one on, until they are let go.
 *
 * @param from which of its lives is the first to be held; 0: the first of all
 */
export function heldLives(
  worker: number,
  from: number,
): { readonly nodeArgs: readonly string[]; readonly letGo: () => void } {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'lives'));
  const module = join(folder, 'held-lives.mjs');
  const sign = join(folder, 'go');
  writeFileSync(
    module,
    `import { existsSync, readdirSync, writeFileSync } from 'node:fs';
    if (process.env.CLAIMD_WORKER === '${worker}') {
      const folder = ${JSON.stringify(join(folder, 'lives'))};
      const isHeld = readdirSync(folder).length >= ${from};
      writeFileSync(folder + '/' + process.pid, '');
      while (isHeld && !existsSync(${JSON.stringify(sign)})) {
        if (!process.connected) process.exit(); // its supervisor is gone
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }`,
  );
  return { nodeArgs: ['--import', pathToFileURL(module).href], letGo: () => writeFileSync(sign, '') };
}
