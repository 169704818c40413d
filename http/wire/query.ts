/** Values of a query as Spring reads them, which ThingsBoard's clients are written for. */
import { z } from 'zod';

const TRUE = ['true', 'on', 'yes', '1'];
const FALSE = ['false', 'off', 'no', '0'];

/** A switch: true, on, yes, 1 and their opposites, in any case. Missing or empty: undefined. @param name in messages */
export function switched(name: string) {
  return z
    .string({ error: `${name} should be true or false!` })
    .optional()
    .transform((text, context) => {
      if (text === undefined || text === '') return undefined;
      const word = text.toLowerCase();
      if (TRUE.includes(word)) return true;
      if (FALSE.includes(word)) return false;
      context.addIssue({ code: 'custom', message: `${name} should be true or false!` });
      return z.NEVER;
    })
    .meta({ documentedAs: { type: 'boolean' } });
}

const texts = [z.string(), z.array(z.string())] as const;
const LIST_OF_TEXTS = { type: 'array', items: { type: 'string' } };

/** A list: separated by commas, as a parameter that is repeated, or both. Empty parts are left out. */
export function listed() {
  return z.union(texts).optional().transform(partsOf).meta({ documentedAs: LIST_OF_TEXTS });
}

/** The same, with at least one part. @param name in messages */
export function requiredList(name: string) {
  const missing = `${name} should be specified!`;
  return z
    .union(texts, { error: missing })
    .transform(partsOf)
    .refine((parts) => parts.length > 0, missing)
    .meta({ documentedAs: LIST_OF_TEXTS });
}

function partsOf(given: string | readonly string[] | undefined): string[] {
  const parts = [given ?? []].flat().flatMap((text) => text.split(','));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
