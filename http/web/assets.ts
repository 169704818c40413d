/**
 * What pages load besides themselves: the stylesheet, the islands (small modules for the browser, compiled from `islands/`), the
 * decoder that one of them loads when somebody wants the camera, the logo. Their path holds a digest of them all, so browsers
 * keep them for a year and never show an old one.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Context } from 'hono';
import { stylesheet } from './parts/style.ts';
import type { WebSettings } from './settings.ts';

export interface Assets {
  /** An asset's URL; undefined where there is none, as for islands that were not built. */
  url(name: string): string | undefined;
  find(path: string): Sent | undefined;
  /** What is in an asset that is text. */
  text(name: string): string | undefined;
}

interface Asset {
  readonly type: string;
  readonly body: string | Buffer;
}

/** An asset as it is sent: compressed where that is text, and the browser takes it. */
interface Sent extends Asset {
  readonly gzipped: () => Buffer | undefined;
}

const FOLDER = fileURLToPath(new URL('./islands', import.meta.url));
const DIGEST_LENGTH = 12;
const JAVASCRIPT = 'text/javascript;charset=UTF-8';
const YEAR_S = 365 * 24 * 60 * 60;

export function loadAssets({ accent, logo }: WebSettings): Assets {
  const files = new Map<string, Asset>([
    ['style.css', { type: 'text/css;charset=UTF-8', body: stylesheet(accent) }],
  ]);
  if (logo !== null) files.set('logo', logo);
  for (const name of existsSync(FOLDER) ? readdirSync(FOLDER) : []) {
    if (!name.endsWith('.js')) continue;
    // Browsers know no packages: their modules are assets beside the islands.
    const body = readFileSync(`${FOLDER}/${name}`, 'utf8').replaceAll("'qr/", "'./qr/");
    files.set(name, { type: JAVASCRIPT, body });
  }
  for (const name of ['decode.js', 'index.js']) {
    const body = readFileSync(new URL(name, import.meta.resolve('qr')), 'utf8');
    files.set(`qr/${name}`, { type: JAVASCRIPT, body });
  }
  const hash = createHash('sha256');
  for (const [name, { body }] of files) hash.update(name).update(body);
  const sent = new Map<string, Sent>();
  for (const [name, asset] of files) {
    sent.set(name, { ...asset, gzipped: compressedOnce(asset) });
  }
  const base = `/assets/${hash.digest('hex').slice(0, DIGEST_LENGTH)}/`;
  return {
    url: (name) => (files.has(name) ? `${base}${name}` : undefined),
    text(name) {
      const body = files.get(name)?.body;
      return typeof body === 'string' ? body : undefined;
    },
    find: (path) => (path.startsWith(base) ? sent.get(path.slice(base.length)) : undefined),
  };
}

/** When it is first sent: a start does not wait for it. */
function compressedOnce({ type, body }: Asset): Sent['gzipped'] {
  if (!type.startsWith('text/')) return () => undefined;
  let made: Buffer | undefined;
  return () => {
    made ??= gzipSync(body);
    return made;
  };
}

export function serveAsset(c: Context, assets: Assets): Response | Promise<Response> {
  const asset = assets.find(c.req.path);
  if (asset === undefined) return c.notFound();
  const headers = {
    'Content-Type': asset.type,
    'Cache-Control': `public, max-age=${YEAR_S}, immutable`,
    'X-Content-Type-Options': 'nosniff',
    // A logo may be an SVG with scripts in it: opened by itself, it runs none.
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
  };
  const gzipped = asset.gzipped();
  if (gzipped !== undefined) {
    c.header('Vary', 'Accept-Encoding');
    if (takesGzip(c.req.header('accept-encoding')))
      return c.body(new Uint8Array(gzipped), 200, { ...headers, 'Content-Encoding': 'gzip' });
  }
  return c.body(typeof asset.body === 'string' ? asset.body : new Uint8Array(asset.body), 200, headers);
}

function takesGzip(acceptEncoding: string | undefined): boolean {
  return /(^|,)\s*gzip\s*($|,|;\s*q=(?!0(\.0*)?\s*($|,)))/i.test(acceptEncoding ?? '');
}
