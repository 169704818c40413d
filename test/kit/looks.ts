/** Goes through the pages of a scene in several tabs of one browser, as the people who are signed in there. */
import type { Browser, Page } from 'playwright-core';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser, PAGE_BROWSER, Person, PHONE } from './browser.ts';
import { findProgram } from './programs.ts';
import { startWebScene, type WebScene, type Who } from './web-scene.ts';

/** Tabs that are open at once: while one waits for the server, another is drawn. */
const TABS = 3;

/** People who stay signed in in a tab of their own each, from one page to the next. */
type Tab = Map<Who, Person>;

export interface Looking {
  readonly scene: WebScene;
  /**
   * Goes through the pages, and looks at each with `at`, which returns what is wrong. All flaws of all pages are told at
   * the end, and not the first one alone.
   */
  lookAtAll(
    looks: readonly Look[],
    at: (person: Person, look: Look) => Promise<readonly string[]>,
  ): Promise<void>;
}

/** A scene and a browser for all tests of a file, from its first to its last; without a browser on this machine, neither. */
export function withScene(test: Test): Looking {
  let scene: WebScene | undefined;
  let browser: Browser | undefined;
  // A new tab costs as much as some pages.
  const tabs = Array.from({ length: TABS }, (): Tab => new Map());
  test.before(async () => {
    if (findProgram(PAGE_BROWSER) === undefined) return;
    scene = await startWebScene();
    browser = await launchBrowser([], PAGE_BROWSER);
  });
  test.after(async () => {
    await browser?.close();
    await scene?.stop();
  });
  const there = <Thing>(thing: Thing | undefined): Thing => {
    if (thing === undefined) throw new Error('it is there while tests run');
    return thing;
  };
  return {
    get scene() {
      return there(scene);
    },
    async lookAtAll(looks, at) {
      const waiting = [...looks];
      const flaws: string[] = [];
      const lookWith = async (people: Tab) => {
        for (let look = waiting.shift(); look !== undefined; look = waiting.shift()) {
          const person = people.get(look.who) ?? (await signedIn(there(browser), there(scene), look.who));
          people.set(look.who, person);
          const { name, path } = look;
          // A page that differs from the one before in its fragment alone would not be loaded.
          if (path.includes('#')) await person.goto('/favicon.svg');
          await person.goto(path);
          await look.then?.(person.page);
          for (const flaw of await at(person, look)) flaws.push(`${name} (${path}): ${flaw}`);
        }
      };
      await Promise.all(tabs.map(lookWith));
      assert.equal(flaws, []);
    },
  };
}

export interface Look {
  readonly who: Who;
  readonly name: string;
  readonly path: string;
  /** What is done on the page of this path before it is looked at: for pages that a form leads to. */
  readonly then?: ((page: Page) => Promise<void>) | undefined;
}

export const looksOf = ({ pages }: WebScene, ...people: readonly Who[]): Look[] =>
  people.flatMap((who) => pages[who].map(([name, path, then]) => ({ who, name, path, then })));

/** The same pages in a language, named by its tag. */
export function inLanguage({ url }: WebScene, language: string, looks: readonly Look[]): Look[] {
  return looks.map((look) => {
    const { pathname, searchParams, hash } = new URL(look.path, url);
    searchParams.set('lang', language);
    return { ...look, path: `${pathname}?${searchParams}${hash}` };
  });
}

function signedIn(browser: Browser, { cookies, url }: WebScene, who: Who): Promise<Person> {
  const forAll = { domain: '127.0.0.1', path: '/', expires: -1, httpOnly: true, secure: false } as const;
  const storageState = {
    cookies: [...cookies[who]].map(([name, value]) => ({
      name,
      value,
      ...forAll,
      sameSite: 'Lax' as const,
    })),
    origins: [],
  };
  // Colours that fade would be looked at half way.
  const still = { serviceWorkers: 'block', reducedMotion: 'reduce' } as const;
  return Person.open(browser, url, PHONE, { storageState, ...still });
}
