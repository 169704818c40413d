/** Buttons that copy what is in a field. Browsers allow it over HTTPS and on localhost; elsewhere the field is selected. */

type Field = HTMLInputElement | HTMLTextAreaElement;

/** How long the button says what happened. */
const SAID_MS = 4000;

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-copy]')) {
  const field = document.querySelector<Field>(`#${button.dataset.copy}`);
  const label = button.textContent;
  if (field === null) continue;
  button.hidden = false;
  button.addEventListener('click', () => {
    field.select();
    copy(field.value)
      .then(() => {
        button.textContent = button.dataset.copied ?? '';
      })
      .catch(() => {
        button.textContent = button.dataset.selected ?? '';
      })
      .finally(() => {
        setTimeout(() => {
          button.textContent = label;
        }, SAID_MS);
      });
  });
}

async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}

export {};
