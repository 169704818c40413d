/** Declares options: one function per kind, so that a declaration reads like an entry in a manual. */
import { TIMER_MAX_MS } from '../../../actors/base/clock.ts';
import type { BooleanOption, ChoiceOption, IntegerOption, KeyOption, Option, TextOption } from '../option.ts';

export const DAY_MS = 86_400_000;
export const KIB = 1024;
export const MIB = 1024 * KIB;

type Fields<Declared extends { readonly type: string }> = Omit<Declared, 'type'>;

export const flag = (fields: Fields<BooleanOption>) => ({ type: 'boolean', ...fields }) as const;
export const key = (fields: Fields<KeyOption>) => ({ type: 'key', ...fields }) as const;
export const text = <const Declared extends Fields<TextOption>>(fields: Declared) =>
  ({ type: 'text', ...fields }) as const;
export const choice = <const Choice extends string>(fields: Fields<ChoiceOption<Choice>>) =>
  ({ type: 'choice', ...fields }) as const;
export const integer = (fields: Fields<IntegerOption>) => ({ type: 'integer', ...fields }) as const;
export const count = (fields: Omit<Fields<IntegerOption>, 'unit'>) => integer({ unit: 'count', ...fields });
export const bytes = (fields: Omit<Fields<IntegerOption>, 'unit'>) => integer({ unit: 'bytes', ...fields });
/** A duration for a timer. */
export const millis = (fields: Omit<Fields<IntegerOption>, 'unit' | 'max'>) =>
  integer({ unit: 'ms', max: TIMER_MAX_MS, ...fields });
export const port = (fields: Omit<Fields<IntegerOption>, 'unit' | 'min' | 'max'>) =>
  integer({ unit: 'port', min: 0, max: 65_535, ...fields });

/** Options that are documented together under a title. */
export const section = <const Options extends { readonly [name: string]: Option }>(
  title: string,
  options: Options,
) => ({ title, options });
