/** What the browser's part of the table of devices says: `islands/select.ts` gets it as JSON in the page, and fills in `{count}`. */
export type SelectScriptWords = Readonly<Record<'selected' | 'page' | 'none', string>>;
