/** A long job: follows how far it is, and shows the page anew when it is through. */

const LOOK_EVERY_MS = 500;
const box = document.querySelector<HTMLElement>('[data-progress]');
const bar = box?.querySelector('progress');
const text = box?.querySelector<HTMLElement>('[data-progress-text]');
const number = new Intl.NumberFormat(document.documentElement.dataset.locale);

interface Progress {
  readonly state: string;
  readonly rows: number;
  readonly through: number;
}

async function look(): Promise<void> {
  const response = await fetch(box?.dataset.progress ?? '', { headers: { accept: 'application/json' } });
  if (!response.ok) return location.reload();
  const { state, rows, through }: Progress = await response.json();
  if (bar) bar.value = through;
  if (text) text.textContent = `${number.format(through)} of ${number.format(rows)} rows`;
  if (state === 'TRYING' || state === 'RUNNING') setTimeout(again, LOOK_EVERY_MS);
  else location.reload();
}

/** The server may be gone for a moment: it goes on when it is back. */
function again(): void {
  look().catch(() => setTimeout(again, 4 * LOOK_EVERY_MS));
}

if (box) again();

export {};
