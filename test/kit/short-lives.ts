/** Workers whose first lives end early, at an instant and in a way that a test chooses. */
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
