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

/** What a finger has to hit; a link in a sentence is as high as its line. */
const SMALL = `[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest('.sr, .skip'))
  .filter((one) => one.tagName !== 'A' || getComputedStyle(one).display !== 'inline' || one.parentElement.innerText.trim() === one.innerText.trim())
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, { width, height }]) => width > 0 && Math.min(width, height) < 23.5)
  .map(([one, { width, height }]) => 'a target of ' + width + ' by ' + height + ' px: ' + one.outerHTML.slice(0, 160))`;

/** A closed list that does not show all of what is chosen in it. */
const CUT_CHOICE = `[...document.querySelectorAll('main select')].filter((one) => {
  const alone = one.cloneNode(false);
  alone.append(one.selectedOptions[0]?.cloneNode(true) ?? '');
  Object.assign(alone.style, { width: 'max-content', maxWidth: 'none' });
  one.after(alone);
  const needs = alone.offsetWidth;
  alone.remove();
  return one.offsetWidth > 0 && needs > one.offsetWidth + 1;
}).map((one) => 'a choice is cut off: ' + one.outerHTML.slice(0, 120))`;

/** What is drawn in orange, by what the browser computed, outside of a note that warns; then whether there is such a note. */
const ORANGE = `(() => {
  const isOrange = (colour) => {
    const [r, g, b, a = 1] = (colour.match(/[\\d.]+/g) ?? []).map(Number);
    const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)];
    if (a === 0 || most !== r || least !== b || most === least) return false;
    const [hue, vivid] = [60 * (g - b) / (most - least), (most - least) / (255 - Math.abs(most + least - 255))];
    return hue >= 20 && hue <= 50 && vivid > 0.4;
  };
  const drawn = (one) => {
    const { color, backgroundColor, fill, borderTopColor, borderTopWidth, borderInlineStartColor, borderInlineStartWidth } = getComputedStyle(one);
    return [color, backgroundColor, ...(one.closest('svg') ? [fill] : []), ...(borderTopWidth === '0px' ? [] : [borderTopColor]), ...(borderInlineStartWidth === '0px' ? [] : [borderInlineStartColor])];
  };
  const orange = [...document.body.querySelectorAll('*')].filter((one) => one.checkVisibility() && drawn(one).some(isOrange));
  return { warns: orange.some((one) => one.matches('.note.warn')),
    others: orange.filter((one) => one.closest('.note.warn') === null).map((one) => 'orange: ' + one.outerHTML.slice(0, 120)) };
})()`;

/** Where there is something to warn of: nothing else is orange, above all not what is healthy. */
const WARNING: readonly string[] = ['import-columns', 'labels', 'components'];
/** Words that said nothing to whoever read them. */
const OLD_WORDS = /What happened to it|\bTitle\b|Try it out/;

/** What item by item was small, and is no more: too small to hit, cut off, orange where all is well, words of old. */
async function smallFlaws({ page }: Person, { name }: Look): Promise<string[]> {
  const flaws = [
    ...((await page.evaluate(SMALL)) as string[]),
    ...((await page.evaluate(CUT_CHOICE)) as string[]),
  ]; // as they say above
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    const { warns, others } = (await page.evaluate(ORANGE)) as { warns: boolean; others: string[] }; // as it says above
    flaws.push(...others);
    if (warns !== WARNING.includes(name))
      flaws.push(`${colorScheme}: ${warns ? 'it warns' : 'it does not warn'}`);
  }
  const [old] = OLD_WORDS.exec((await page.textContent('main')) ?? '') ?? [];
  return old === undefined ? flaws : [...flaws, `it says “${old}”`];
}

journey(
  'no page has targets below 24 px, a choice that is cut off on a phone, orange where nothing warns, or words of old',
  () => here.lookAtAll(looksOf(here.scene, 'nobody', 'customer', 'tenant', 'system'), smallFlaws),
);

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
