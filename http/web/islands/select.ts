/** The table of devices: how many are selected, all of the page at once, and from a box to the actions by Enter. */
import type { SelectScriptWords } from '../pages/select-words.ts';

const form = document.querySelector<HTMLFormElement>('[data-select]');
const boxes = [...(form?.querySelectorAll<HTMLInputElement>('input[name=id]') ?? [])];
const all = form?.querySelector<HTMLInputElement>('input[name=all]');
const page = form?.querySelector<HTMLAnchorElement>('[data-page]');
const told = form?.querySelector<HTMLElement>('[data-told]');
const words: SelectScriptWords = JSON.parse(
  form?.querySelector<HTMLElement>('[data-words]')?.dataset.words ?? '{}',
);
const number = new Intl.NumberFormat(document.documentElement.dataset.locale);

function tell(): void {
  const selected = boxes.filter(({ checked }) => checked).length;
  const how = all?.checked ? Number(all.dataset.total) : selected;
  if (told) told.textContent = words.selected.replace('{count}', () => number.format(how));
  if (page) page.textContent = selected === boxes.length ? words.none : words.page;
}

form?.addEventListener('change', (event) => {
  // All that fit, or these: not both.
  if (event.target === all && all?.checked) for (const box of boxes) box.checked = true;
  else if (event.target !== all && all) all.checked = false;
  if (event.target === all && !all?.checked) for (const box of boxes) box.checked = false;
  tell();
});

page?.addEventListener('click', (event) => {
  event.preventDefault();
  const checked = boxes.some((box) => !box.checked);
  for (const box of boxes) box.checked = checked;
  if (all) all.checked = false;
  tell();
});

form?.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !(event.target instanceof HTMLInputElement)) return;
  event.preventDefault();
  form.querySelector<HTMLButtonElement>('.bar button')?.focus();
});

if (form) tell();
