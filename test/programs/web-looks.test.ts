/**
 * Every page as it is seen, read aloud and gone through by keyboard: on a phone, a tablet and a desk, in light and dark. Set CLAIMD_SCREENSHOTS to a
 * folder to look at the pictures.
 */
import { test } from 'uvu';
import { PAGE_BROWSER, type Person, PHONE, TABLET, WIDE } from '../kit/browser.ts';
import { type Look, looksOf, withScene } from '../kit/looks.ts';
import { needing } from '../kit/programs.ts';

const here = withScene(test);
const journey = needing([PAGE_BROWSER], test);

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
  () => here.lookAtAll(looksOf(here.scene, 'nobody', 'customer', 'tenant', 'system'), inEverySize),
);

/** What Tab has to reach, in the order of the page. Of radio buttons one stands for its group. */
const REACHABLE = `globalThis.reachable = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
  .filter((one) => !one.disabled && one.checkVisibility({ visibilityProperty: true }))
  .filter((one) => one.type !== 'radio' || one.checked || !document.querySelector('input[name="' + one.name + '"]:checked'));
// From the top, also where the page has put the focus on what is wanted next.
document.body.tabIndex = -1;
document.body.focus();
reachable.length`;
/** Where the focus is: the number of the element; -1: outside of the page. And what is wrong with it there. */
const FOCUSED = `(() => {
  const one = document.activeElement;
  if (one === document.body || one === null) return { at: -1, flaw: '' };
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  const { left, right, top, bottom } = one.getBoundingClientRect();
  const seen = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const flaw = outlineStyle === 'none' || Number.parseFloat(outlineWidth) < 2 ? 'the focus is not seen'
    : seen === null || !(one.contains(seen) || seen.contains(one)) ? 'what has the focus is covered or off the screen'
    : '';
  return { at: reachable.indexOf(one), flaw: flaw && flaw + ': ' + one.outerHTML.slice(0, 160) };
})()`;
/** A field for a date is several steps. */
const STEPS_OF_ONE = 6;

/** From the top to the bottom by Tab, as somebody without a mouse goes. */
async function byKeyboard({ page }: Person): Promise<string[]> {
  const count = Number(await page.evaluate(REACHABLE));
  const way: number[] = [];
  const flaws: string[] = [];
  for (let step = 0; step < count * STEPS_OF_ONE; step += 1) {
    await page.keyboard.press('Tab');
    const { at, flaw } = (await page.evaluate(FOCUSED)) as { at: number; flaw: string }; // as it says above
    if (at === -1 || (at === 0 && way.length > 1)) break;
    if (at === way.at(-1)) continue;
    way.push(at);
    if (flaw !== '') flaws.push(flaw);
  }
  const wanted = Array.from({ length: count }, (_, nth) => nth);
  if (way.join() !== wanted.join()) flaws.push(`Tab goes to ${way.join()} and not to 0 to ${count - 1}`);
  return flaws;
}

journey(
  'every page is gone through by Tab: all that can be used is reached, in order, seen, and left again',
  () => here.lookAtAll(looksOf(here.scene, 'nobody', 'customer', 'tenant', 'system'), byKeyboard),
);

test.run();
