/**
 * A real browser (Debian's Chromium) for journeys through the web application. A test fails when a page it
 * looks at has script errors, violations of the content security policy, requests to other hosts, columns wider than
 * the screen, texts that are cut off. Pictures of every page that is looked at go to the folder CLAIMD_SCREENSHOTS, where
 * that is set: they take a third of the time. One of a page that failed is kept in any case.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { PATIENCE_MS } from './patience.ts';
import { findProgram } from './programs.ts';

export const PHONE = { width: 360, height: 740 };
export const TABLET = { width: 820, height: 1180 };
export const DESK = { width: 1280, height: 800 };
export const WIDE = { width: 1440, height: 900 };

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A camera that shows a test picture.
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
];
/** Playwright's limits do not stretch on a busy machine, so they are long. */
const LIMIT_MS = 5 * PATIENCE_MS;
const STARTS_MAX = 3;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const PICTURES = process.env.CLAIMD_SCREENSHOTS;

/** What another language can change: which one it says it is, names that are missing or alike, and how large things are. */
const WORD_RULES = [
  'html-has-lang',
  'html-lang-valid',
  'valid-lang',
  'document-title',
  'button-name',
  'link-name',
  'input-button-name',
  'label',
  'select-name',
  'summary-name',
  'aria-command-name',
  'aria-input-field-name',
  'aria-meter-name',
  'aria-progressbar-name',
  'aria-toggle-field-name',
  'image-alt',
  'role-img-alt',
  'svg-img-alt',
  'empty-heading',
  'empty-table-header',
  'landmark-unique',
  'scrollable-region-focusable',
  'target-size',
];

/** What axe looks for: everything; what a colour scheme changes; what a language changes. */
type Looking = 'everything' | 'colours' | 'words';
const RULES: Readonly<Record<Looking, object>> = {
  everything: { runOnly: TAGS },
  colours: { runOnly: ['color-contrast'] },
  words: { runOnly: WORD_RULES },
};

/** Elements whose text sticks out of them or is cut off; not what can be scrolled, and not what is there for reading aloud. */
const CUT = `[...document.querySelectorAll('h1, h2, h3, p, li, td, th, dt, dd, label, small, summary, button, .button, .chip, .state, .brand span, .me a, nav a')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest('.sr, .skip'))
  .filter((one) => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1)
  .filter((one) => { while (one !== null && getComputedStyle(one).clipPath === 'none') one = one.parentElement; return one === null; })
  .map((one) => 'text is cut off: ' + one.outerHTML.slice(0, 200))
  .concat([...document.querySelectorAll('main select')].filter((one) => {
    const { width } = one.style, has = one.offsetWidth;
    one.style.width = 'max-content';
    const needs = one.offsetWidth;
    one.style.width = width;
    return has > 0 && needs > has + 1;
  }).map((one) => 'a choice is cut off: ' + one.id))`;

/** The browser that people have. */
export const BROWSER = 'chromium';
/**
 * Draws and runs pages by the same engine, without the window around them: a page costs half the work, a new visitor a
 * quarter. For what a page is, and not for what a browser does with it (cameras, downloads).
 */
const SHELL = 'chromium-headless-shell';
/** The browser for many pages. */
export const PAGE_BROWSER = findProgram(SHELL) === undefined ? BROWSER : SHELL;

/**
 * @param more arguments beside the usual ones
 * @param program a name of a program that is installed
 */
export async function launchBrowser(more: readonly string[] = [], program = BROWSER): Promise<Browser> {
  const executablePath = findProgram(program);
  if (executablePath === undefined) throw new Error(`${program} is not installed`);
  for (let tries = 1; ; tries += 1) {
    try {
      return await chromium.launch({ executablePath, args: [...ARGUMENTS, ...more], timeout: LIMIT_MS });
    } catch (error) {
      // Now and then one does not get up, which says nothing about our pages.
      if (tries === STARTS_MAX) throw error;
      process.stdout.write(`\n# ${program} did not start, and is started again: ${String(error)}\n`);
    }
  }
}

export interface Loaded {
  readonly bytes: number;
  readonly gzipped: number;
}

/** One person's browser: own cookies, one page at a time. */
export class Person {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly #url: string;
  readonly #complaints: string[] = [];
  #loading: Promise<Buffer | undefined>[] = [];

  private constructor(context: BrowserContext, page: Page, url: string, alsoAsked: readonly string[]) {
    this.context = context;
    this.page = page;
    this.#url = url;
    page.setDefaultTimeout(LIMIT_MS);
    page.on('pageerror', (error) => this.#complaints.push(`script: ${error.message}`));
    page.on('console', (message) => {
      const text = message.text();
      // A refused form is answered 4xx, which browsers note here.
      if (message.type() === 'error' && !text.startsWith('Failed to load resource'))
        this.#complaints.push(text);
    });
    const asked = [url, 'blob:', ...alsoAsked];
    page.on('request', (request) => {
      if (!asked.some((one) => request.url().startsWith(one))) {
        this.#complaints.push(`another host was asked: ${request.url()}`);
      }
    });
    page.on('response', (response) => {
      if (response.headers()['content-type']?.includes('event-stream')) return;
      // Asked for at once, or it is gone with the page; a redirect has none.
      this.#loading.push(response.body().catch(() => undefined));
    });
  }

  /** @param alsoAsked what other addresses begin with that may be asked: those of an identity provider */
  static async open(
    browser: Browser,
    url: string,
    viewport: { width: number; height: number },
    more: Parameters<Browser['newContext']>[0] = {},
    alsoAsked: readonly string[] = [],
  ): Promise<Person> {
    const context = await browser.newContext({
      viewport,
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      ...more,
    });
    return new Person(context, await context.newPage(), url, alsoAsked);
  }

  async goto(path: string): Promise<void> {
    this.#loading = [];
    await this.page.goto(`${this.#url}${path}`);
  }

  /** By a button that the demo offers. */
  async signInAs(email: string): Promise<void> {
    await this.page.getByRole('button', { name: email }).click();
    await this.page.getByRole('button', { name: 'Sign out' }).waitFor();
  }

  /** What was loaded since the last `goto`. */
  async loaded(): Promise<Loaded> {
    const bodies = (await Promise.all(this.#loading)).filter((body) => body !== undefined);
    return {
      bytes: bodies.reduce((sum, body) => sum + body.length, 0),
      gzipped: bodies.reduce((sum, body) => sum + gzipSync(body).length, 0),
    };
  }

  /** From the beginning of the navigation until something was seen. */
  async firstPaintMs(): Promise<number> {
    const paint = await this.page.evaluate(
      "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1",
    );
    return Math.round(Number(paint));
  }

  /** Kept where pictures are wanted. */
  async screenshot(name: string): Promise<void> {
    if (PICTURES !== undefined) await this.#picture(PICTURES, name);
  }

  /** Kept in any case. @returns the file */
  failed(): Promise<string> {
    return this.#picture(PICTURES ?? join(tmpdir(), 'claimd-screenshots'), 'failed');
  }

  async #picture(folder: string, name: string): Promise<string> {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${name}.png`);
    await this.page.screenshot({ path, fullPage: true });
    return path;
  }

  /** What is wrong with the page that is shown: for those who see it, and for those who do not. */
  async flaws(looking: Looking = 'everything'): Promise<string[]> {
    // By the debugger, which no policy stops; once for each page, because it is long.
    if (await this.page.evaluate('globalThis.axe === undefined')) await this.page.evaluate(AXE);
    const run = `axe.run(document, ${JSON.stringify({ ...RULES[looking], resultTypes: ['violations'] })}).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ': ' + node.html + ' ' + node.failureSummary)))`;
    const violations = (await this.page.evaluate(run)) as string[]; // the line above says so
    return [...violations, ...(await this.overflows()), ...this.complaints()];
  }

  /** What does not fit: the page on the screen, a text in its place. */
  async overflows(): Promise<string[]> {
    const wide = Number(await this.page.evaluate('document.documentElement.scrollWidth - innerWidth'));
    const cut = (await this.page.evaluate(CUT)) as string[]; // the expression above says so
    return [...(wide > 0 ? [`the page is ${wide} px wider than the screen`] : []), ...cut];
  }

  /** Errors of scripts, violations of the policy, requests to other hosts, since the last time this was asked. */
  complaints(): string[] {
    return this.#complaints.splice(0);
  }

  close(): Promise<void> {
    return this.context.close();
  }
}

/** One person's visit. It fails when a page did what none should: script errors, requests to other hosts. */
export async function visitAs(person: Person, play: (person: Person) => Promise<void>): Promise<void> {
  try {
    await play(person);
    assert.equal(person.complaints(), []);
  } catch (error) {
    await person.failed().catch(() => {});
    throw error;
  } finally {
    await person.close();
  }
}

/** Takes a picture of the page, and fails on any flaw in it. */
export async function look(person: Person, name: string): Promise<void> {
  await person.screenshot(name);
  assert.equal(await person.flaws(), [], name);
}
