/**
 * What an option is. Each option is declared once, as data. The parser, the help text, the example file and the table in
 * config/README.md are made from that, so they cannot drift apart.
 */
import { unreachable } from '../../actors/base/unreachable.ts';
import type { Memory } from './memory.ts';

type Unit = 'ms' | 's' | 'bytes' | 'count' | 'port';

interface Described {
  /** Dotted YAML key, also the command line flag (`--server.port=8081`). ThingsBoard's where it has one. */
  readonly key: string;
  /** Other YAML keys for the same setting. */
  readonly aliases?: readonly string[];
  /** Environment variable. ThingsBoard's where it has one. */
  readonly env: string;
  /** What it does and when to change it, in one line. */
  readonly why: string;
}

export interface BooleanOption extends Described {
  readonly type: 'boolean';
  readonly default: boolean;
}

export interface IntegerOption extends Described {
  readonly type: 'integer';
  readonly unit: Unit;
  /** Where it follows from memory: only for who does not know how much there is. */
  readonly default: number;
  /** The default, where it follows from memory. */
  readonly byMemory?: (memory: Memory, workers: number) => number;
  readonly min: number;
  readonly max: number;
}

export interface TextOption extends Described {
  readonly type: 'text';
  /** Undefined: the option has no default. */
  readonly default: string | undefined;
  /** The default where the demo is loaded and not public. */
  readonly demoDefault?: string;
  /** Absent: any text. */
  readonly pattern?: RegExp;
  /** What the option becomes; undefined: the text is wrong after all. */
  readonly parse?: (text: string) => string | undefined;
  /** The pattern in words, for error messages. */
  readonly expected?: string;
  /** Its value is never printed. `in-url`: a URL that may have a password in it, or a key in its query. */
  readonly secret?: true | 'in-url';
}

export interface ChoiceOption<Choice extends string> extends Described {
  readonly type: 'choice';
  readonly choices: readonly Choice[];
  readonly default: Choice;
}

/** A key for encryption or signatures, in base64. Never printed. By default one is generated and kept. */
export interface KeyOption extends Described {
  readonly type: 'key';
  readonly minBytes: number;
}

export type Option = BooleanOption | IntegerOption | TextOption | ChoiceOption<string> | KeyOption;

/** The type that a loaded option has. */
export type ValueOf<Declared extends Option> = Declared extends BooleanOption
  ? boolean
  : Declared extends IntegerOption
    ? number
    : Declared extends ChoiceOption<infer Choice>
      ? Choice
      : Declared extends KeyOption
        ? Buffer | undefined
        : Declared extends { readonly default: string }
          ? string
          : string | undefined;

type OptionValue = boolean | number | string | Buffer | undefined;

export type Parsed =
  | { readonly type: 'value'; readonly value: OptionValue }
  /** What would be right, as the end of the sentence "… must be". */
  | { readonly type: 'wrong'; readonly expected: string };

/**
 * Parses a value. Numbers and booleans may be text, because the environment, the command line and YAML placeholders have
 * nothing else.
 */
export function parseOption(option: Option, raw: unknown): Parsed {
  switch (option.type) {
    case 'boolean': {
      if (raw === true || raw === 'true') return value(true);
      if (raw === false || raw === 'false') return value(false);
      return wrong(option);
    }
    case 'integer': {
      const number = typeof raw === 'string' && /^-?\d+$/.test(raw.trim()) ? Number(raw) : raw;
      if (typeof number !== 'number' || !Number.isSafeInteger(number)) return wrong(option);
      return number >= option.min && number <= option.max ? value(number) : wrong(option);
    }
    case 'text': {
      if (typeof raw !== 'string' && typeof raw !== 'number') return wrong(option);
      const text = String(raw);
      if (option.pattern !== undefined && !option.pattern.test(text)) return wrong(option);
      const parsed = option.parse === undefined ? text : option.parse(text);
      return parsed === undefined ? wrong(option) : value(parsed);
    }
    case 'choice':
      return typeof raw === 'string' && option.choices.includes(raw) ? value(raw) : wrong(option);
    case 'key': {
      if (typeof raw !== 'string' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(raw)) return wrong(option);
      const bytes = Buffer.from(raw, 'base64'); // also reads base64url
      return bytes.length >= option.minBytes ? value(bytes) : wrong(option);
    }
    default:
      return unreachable(option);
  }
}

function value(parsed: OptionValue): Parsed {
  return { type: 'value', value: parsed };
}

function wrong(option: Option): Parsed {
  return { type: 'wrong', expected: expectation(option) };
}

/** The values that an option takes, in words: `a whole number of ms from 1 to 2147483647`. */
export function expectation(option: Option): string {
  switch (option.type) {
    case 'boolean':
      return 'true or false';
    case 'integer': {
      const of = option.unit === 'port' || option.unit === 'count' ? '' : ` of ${option.unit}`;
      return `a whole number${of} from ${option.min} to ${option.max}`;
    }
    case 'text':
      return option.expected ?? 'a text';
    case 'choice':
      return `one of ${option.choices.join(', ')}`;
    case 'key':
      return `base64 of at least ${option.minBytes} bytes`;
    default:
      return unreachable(option);
  }
}

/** Whether values of this option must not be shown. */
export function isSecret(option: Option): boolean {
  return option.type === 'key' || (option.type === 'text' && option.secret !== undefined);
}

/**
 * Whether this value must not stand on the command line, which every process of the machine can read, shells remember
 * and supervisors log.
 */
export function isSecretValue(option: Option, value: string): boolean {
  if (option.type !== 'text' || option.secret !== 'in-url') return isSecret(option);
  return /^[a-z-]+:\/\/[^/]*:[^/]*@/iu.test(value) || value.includes('?');
}

/** The environment variable that names a file with the value, as containers have secrets; undefined: it has none. */
export function fileVariable(option: Option): string | undefined {
  return isSecret(option) ? `${option.env}_FILE` : undefined;
}

/** Whether its default follows from memory. */
export function followsMemory(
  option: Option,
): option is IntegerOption & Required<Pick<IntegerOption, 'byMemory'>> {
  return option.type === 'integer' && option.byMemory !== undefined;
}

export function defaultOf(option: Option): OptionValue {
  return option.type === 'key' ? undefined : option.default;
}

/** The items of a list that is one text. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
