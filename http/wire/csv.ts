/** Lists as CSV (RFC 4180), for spreadsheets and programs. */

/** A byte order mark: spreadsheets take UTF-8 for something else without one. */
export const BOM = '\ufeff';

const FORMULA = /^\s*[=+\-@＝＋－＠]/;

/**
 * A text that a spreadsheet would run as a formula is quoted: a list may come from a supplier. Tokens and keys made
 * here never look like one, and the claim link holds name and key unchanged.
 */
export function noFormula(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/** Semicolons and tabs too: in some countries they separate cells. */
const SPECIAL = /[",;\t\r\n]/;

export function csvLine(cells: readonly string[]): string {
  const written = cells.map((text) => (SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text));
  return `${written.join(',')}\r\n`;
}
