/** What an operator says in other words than we do: texts by language and key, laid over ours. */
import type { Language } from '../../../actors/texts/languages.ts';
import type { Catalogue } from '../../../actors/texts/messages.ts';
import type { TextKey } from './catalogues.ts';

/** Checked when the server starts: known keys, ICU form, the same places (see `faultsIn`). */
export type Overlays = Readonly<Partial<Record<Language, Partial<Catalogue<TextKey>>>>>;

export const NO_OVERLAYS: Overlays = {};
