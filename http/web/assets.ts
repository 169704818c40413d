/**
 * What pages load besides themselves: the stylesheet, the islands (small modules for the browser, compiled from
 * `islands/`), the logo. All of it lies under a path with a digest of the whole in it, so that browsers keep it for ever
 * and yet never have an old one.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stylesheet } from './parts/style.ts';
import type { WebSettings } from './settings.ts';

export interface Asset {
  readonly type: string;
  readonly body: string | Buffer;
}

export interface Assets {
  /** Where an asset is; undefined where there is none, as islands are before they were built. */
  url(name: string): string | undefined;
  find(path: string): Asset | undefined;
}

const FOLDER = fileURLToPath(new URL('./islands', import.meta.url));
const DIGEST_LENGTH = 12;

export function loadAssets({ accent, logo }: WebSettings): Assets {
  const files = new Map<string, Asset>([
    ['style.css', { type: 'text/css;charset=UTF-8', body: stylesheet(accent) }],
  ]);
  if (logo !== null) files.set('logo', logo);
  for (const name of existsSync(FOLDER) ? readdirSync(FOLDER) : []) {
    if (!name.endsWith('.js')) continue;
    files.set(name, {
      type: 'text/javascript;charset=UTF-8',
      body: readFileSync(`${FOLDER}/${name}`, 'utf8'),
    });
  }
  const hash = createHash('sha256');
  for (const [name, { body }] of files) hash.update(name).update(body);
  const base = `/assets/${hash.digest('hex').slice(0, DIGEST_LENGTH)}/`;
  return {
    url: (name) => (files.has(name) ? `${base}${name}` : undefined),
    find: (path) => (path.startsWith(base) ? files.get(path.slice(base.length)) : undefined),
  };
}
