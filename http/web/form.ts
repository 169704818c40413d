/** What a form sent: fields and a file, read within bounds that the dispatch has kept already. */
import type { Form } from './page.ts';

export const EMPTY_FORM: Form = { text: () => '', all: () => [], file: async () => undefined };

/** What can not be read as a form is an empty one: required fields are missing then, and the page says so. */
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
