/** The sheet of labels: shows the print button, which needs script. */

const button = document.querySelector<HTMLButtonElement>('[data-print]');
if (button) {
  button.hidden = false;
  button.addEventListener('click', () => window.print());
}

export {};
