/** How options are declared: one word per kind, so that a declaration reads like a manual's entry. */
import { TIMER_MAX_MS } from '../../actors/base/clock.ts';
import type { BooleanOption, ChoiceOption, IntegerOption, KeyOption, Option, TextOption } from './option.ts';

export const DAY_MS = 86_400_000;
export const KIB = 1024;
export const MIB = 1024 * KIB;

type Given<Declared extends { readonly type: string }> = Omit<Declared, 'type'>;

export const flag = (given: Given<BooleanOption>) => ({ type: 'boolean', ...given }) as const;
export const key = (given: Given<KeyOption>) => ({ type: 'key', ...given }) as const;
export const text = <const Declared extends Given<TextOption>>(given: Declared) =>
  ({ type: 'text', ...given }) as const;
export const choice = <const Choice extends string>(given: Given<ChoiceOption<Choice>>) =>
  ({ type: 'choice', ...given }) as const;
export const integer = (given: Given<IntegerOption>) => ({ type: 'integer', ...given }) as const;
export const count = (given: Omit<Given<IntegerOption>, 'unit'>) => integer({ unit: 'count', ...given });
export const bytes = (given: Omit<Given<IntegerOption>, 'unit'>) => integer({ unit: 'bytes', ...given });
/** A time span that a timer measures. */
export const millis = (given: Omit<Given<IntegerOption>, 'unit' | 'max'>) =>
  integer({ unit: 'ms', max: TIMER_MAX_MS, ...given });
export const port = (given: Omit<Given<IntegerOption>, 'unit' | 'min' | 'max'>) =>
  integer({ unit: 'port', min: 0, max: 65_535, ...given });

/** Options that belong together, under a title for documents. */
export const section = <const Options extends { readonly [name: string]: Option }>(
  title: string,
  options: Options,
) => ({ title, options });
