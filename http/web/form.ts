/** The fields of a form that was sent, and its file. The size was checked before. */

export interface Form {
  /** The field's text; empty when it is missing. */
  text(name: string): string;
  /** All texts of a field that may be there several times. */
  all(name: string): readonly string[];
  /** The text of a file; undefined when none was chosen, or an empty one. */
  file(name: string): Promise<string | undefined>;
}

export const EMPTY_FORM: Form = { text: () => '', all: () => [], file: async () => undefined };

/** A body that is no form reads as an empty one: required fields are missing then, and the page says so. */
export async function readForm(bytes: Uint8Array, contentType: string | undefined): Promise<Form> {
  let data: FormData;
  try {
    const copy = new Uint8Array(bytes);
    data = await new Response(copy, { headers: { 'content-type': contentType ?? '' } }).formData();
  } catch {
    return EMPTY_FORM;
  }
  return {
    text(name) {
      const value = data.get(name);
      return typeof value === 'string' ? value : '';
    },
    all: (name) => data.getAll(name).filter((value) => typeof value === 'string'),
    async file(name) {
      const value = data.get(name);
      return value === null || typeof value === 'string' || value.size === 0 ? undefined : value.text();
    },
  };
}

/** The lines of a text field that are not empty. */
export function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
