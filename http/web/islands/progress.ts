/** A long job: shows how far it is, and reloads the page when it is done. */

const POLL_INTERVAL_MS = 500;
const box = document.querySelector<HTMLElement>('[data-progress]');
const bar = box?.querySelector('progress');
const text = box?.querySelector<HTMLElement>('[data-progress-text]');
const what = box?.dataset.what ?? 'rows';
const number = new Intl.NumberFormat(document.documentElement.dataset.locale);

interface Progress {
  readonly state: string;
  readonly rows: number;
  readonly through: number;
}

async function poll(): Promise<void> {
  const response = await fetch(box?.dataset.progress ?? '', { headers: { accept: 'application/json' } });
  if (!response.ok) return location.reload();
  const { state, rows, through }: Progress = await response.json();
  if (bar) bar.value = through;
  if (text) text.textContent = `${number.format(through)} of ${number.format(rows)} ${what}`;
  if (['TRYING', 'RUNNING', 'CANCELLING'].includes(state)) setTimeout(again, POLL_INTERVAL_MS);
  else location.reload();
}

/** Polls again later when the server cannot be reached: the job continues once it is back. */
function again(): void {
  poll().catch(() => setTimeout(again, 4 * POLL_INTERVAL_MS));
}

if (box) again();

export {};
