/**
 * What a phone needs to put the pages on its home screen, and to show a page of ours without a connection: a manifest
 * (https://www.w3.org/TR/appmanifest/), icons, and the worker that keeps the page `/offline`. Nothing else is kept: pages
 * show what belongs to one person.
 */
import { Hono } from 'hono';
import type { App } from '../dispatch.ts';
import type { Env } from '../wire/asked.ts';
import type { Assets } from './assets.ts';
import { iconPng } from './parts/icon.ts';
import type { WebSettings } from './settings.ts';

/** In pixels: Apple's, and what Chrome asks for. */
const ICON_SIZES = [180, 192, 512] as const;
const SHORT_NAME_MAX = 12;
const DAY_S = 24 * 60 * 60;

export function installRoutes(settings: WebSettings, assets: Assets): App {
  const { accent } = settings;
  const app: App = new Hono<Env>();
  const manifest = manifestOf(settings);
  const forDay = { 'Cache-Control': `max-age=${DAY_S}` };
  app.get('/manifest.webmanifest', (c) =>
    c.body(manifest, 200, { ...forDay, 'Content-Type': 'application/manifest+json' }),
  );
  for (const size of ICON_SIZES) {
    let png: Uint8Array<ArrayBuffer> | undefined;
    app.get(`/icon-${size}.png`, (c) => {
      png ??= new Uint8Array(iconPng(size, accent));
      return c.body(png, 200, { ...forDay, 'Content-Type': 'image/png' });
    });
  }
  app.get('/worker.js', (c) => {
    const worker = assets.text('worker.js');
    if (worker === undefined) return c.notFound();
    // Browsers look for a newer one with each visit.
    return c.body(worker, 200, {
      'Cache-Control': 'no-cache',
      'Content-Type': 'text/javascript;charset=UTF-8',
    });
  });
  return app;
}

function manifestOf({ name, accent }: WebSettings): string {
  return JSON.stringify({
    name,
    short_name: [...name].slice(0, SHORT_NAME_MAX).join('').trim(),
    // From the manifest's own address, which may be below a proxy's prefix.
    start_url: '.',
    scope: '.',
    display: 'standalone',
    background_color: '#f5f6f8',
    theme_color: accent,
    icons: ICON_SIZES.map((size) => ({
      src: `icon-${size}.png`,
      sizes: `${size}x${size}`,
      type: 'image/png',
      purpose: 'any maskable',
    })),
  });
}
