/** A page that could not be had: asks for it again until it can, and then shows it. */

const FIRST_MS = 2_000;
const LONGEST_MS = 30_000;
const TRIES = 40;

async function again(): Promise<void> {
  for (let nth = 0; nth < TRIES; nth += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(FIRST_MS * 2 ** nth, LONGEST_MS)));
    const status = await fetch(location.href).then(
      (response) => response.status,
      () => undefined,
    );
    if (status !== undefined && status < 500) return location.reload();
  }
}

// `offline` itself is shown for another address, unless somebody asked for it.
if (
  document.querySelector('[data-again]') &&
  location.pathname !== new URL('../../offline', import.meta.url).pathname
)
  void again();

export {};
