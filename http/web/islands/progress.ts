/** Long jobs: shows how far each is in the words of its box (`{through} of {rows} devices`), and reloads the page when one is done. */

const POLL_INTERVAL_MS = 500;
const number = new Intl.NumberFormat(document.documentElement.dataset.locale);

interface Progress {
  readonly state: string;
  readonly rows: number;
  readonly through: number;
}

async function poll(box: HTMLElement): Promise<void> {
  const response = await fetch(box.dataset.progress ?? '', { headers: { accept: 'application/json' } });
  if (!response.ok) return location.reload();
  const { state, rows, through }: Progress = await response.json();
  const bar = box.querySelector('progress');
  const text = box.querySelector<HTMLElement>('[data-progress-text]');
  if (bar) bar.value = through;
  if (text)
    text.textContent = (box.dataset.words ?? '')
      .replace('{through}', () => number.format(through))
      .replace('{rows}', () => number.format(rows));
  if (['TRYING', 'RUNNING', 'CANCELLING'].includes(state)) setTimeout(again, POLL_INTERVAL_MS, box);
  else location.reload();
}

/** Polls again later when the server cannot be reached: the job continues once it is back. */
function again(box: HTMLElement): void {
  poll(box).catch(() => setTimeout(again, 4 * POLL_INTERVAL_MS, box));
}

for (const box of document.querySelectorAll<HTMLElement>('[data-progress]')) again(box);

export {};
