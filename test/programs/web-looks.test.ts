/**
 * Every page as it is seen and read aloud: on a phone, a tablet and a desk, in light and dark. Set CLAIMD_SCREENSHOTS to a
 * folder to look at the pictures.
 */
import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import { BROWSER, launchBrowser, type Person, PHONE, TABLET, WIDE } from '../kit/browser.ts';
import { type Look, lookAtAll, looksOf } from '../kit/looks.ts';
import { findProgram, needing } from '../kit/programs.ts';
import { startWebScene, type WebScene } from '../kit/web-scene.ts';

let scene: WebScene;
let browser: Browser;

test.before(async () => {
  if (findProgram(BROWSER) === undefined) return;
  scene = await startWebScene();
  browser = await launchBrowser();
});
test.after(async () => {
  await browser?.close();
  await scene?.stop();
});

const journey = needing([BROWSER], test);

/** As somebody has it who turns a screen or moves a window: the page is loaded once. */
async function inEverySize(person: Person, { name }: Look): Promise<string[]> {
  const { page } = person;
  const flaws: string[] = [];
  for (const viewport of [PHONE, TABLET, WIDE]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await person.screenshot(`${name}-${viewport.width}-${colorScheme}`);
      const found = await flawsHere(person, viewport, colorScheme);
      flaws.push(...found.map((flaw) => `${viewport.width} px, ${colorScheme}: ${flaw}`));
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(PHONE);
  return flaws;
}

/** What differs: everything is looked for in both layouts, colours in both schemes, what does not fit in every width. */
function flawsHere(person: Person, viewport: typeof PHONE, scheme: 'light' | 'dark'): Promise<string[]> {
  if (viewport !== TABLET && scheme === 'light') return person.flaws();
  if (viewport === PHONE) return person.flaws('colours');
  return person.overflows();
}

journey(
  'every page has no flaw that axe finds, in light and dark, and fits a phone, a tablet and a desk',
  () => lookAtAll(browser, scene, looksOf(scene, 'nobody', 'customer', 'tenant', 'system'), inEverySize),
);

test.run();
