/**
 * What an option is: everything that is said about a setting is said once, as data. From this come the parser, the
 * help text, the example file and the table in config/README.md, so they can not drift apart.
 */

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
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export interface TextOption extends Described {
  readonly type: 'text';
  /** Undefined: nothing unless it is given. */
  readonly default: string | undefined;
  /** What a good value looks like; absent: any text. */
  readonly pattern?: RegExp;
  /** The pattern in words, for messages. */
  readonly expected?: string;
  /** Its value is never printed. */
  readonly secret?: boolean;
}

export interface ChoiceOption<Choice extends string> extends Described {
  readonly type: 'choice';
  readonly choices: readonly Choice[];
  readonly default: Choice;
}

/** A key of a cipher or a signature, base64 in every source; never printed. Without it one is made and kept. */
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
  /** What would have been right, as it continues the sentence "… must be". */
  | { readonly type: 'wrong'; readonly expected: string };

/**
 * Reads one given value. Text is understood wherever it comes from, since environment and command line have nothing
 * else and YAML placeholders yield it too; YAML's own numbers and booleans are taken as they are.
 */
export function parseOption(option: Option, given: unknown): Parsed {
  switch (option.type) {
    case 'boolean': {
      if (given === true || given === 'true') return value(true);
      if (given === false || given === 'false') return value(false);
      return wrong(option);
    }
    case 'integer': {
      const number = typeof given === 'string' && /^-?\d+$/.test(given.trim()) ? Number(given) : given;
      if (typeof number !== 'number' || !Number.isSafeInteger(number)) return wrong(option);
      return number >= option.min && number <= option.max ? value(number) : wrong(option);
    }
    case 'text': {
      if (typeof given !== 'string' && typeof given !== 'number') return wrong(option);
      const text = String(given);
      return option.pattern === undefined || option.pattern.test(text) ? value(text) : wrong(option);
    }
    case 'choice':
      return typeof given === 'string' && option.choices.includes(given) ? value(given) : wrong(option);
    case 'key': {
      if (typeof given !== 'string' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(given)) return wrong(option);
      const bytes = Buffer.from(given, 'base64'); // understands base64url as well
      return bytes.length >= option.minBytes ? value(bytes) : wrong(option);
    }
    default:
      return option satisfies never;
  }
}

function value(parsed: OptionValue): Parsed {
  return { type: 'value', value: parsed };
}

function wrong(option: Option): Parsed {
  return { type: 'wrong', expected: expectation(option) };
}

/** What values an option takes, in words: `a whole number of ms from 1 to 2147483647`. */
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
      return option satisfies never;
  }
}

/** Whether a value of this option may be shown to people. */
export function isSecret(option: Option): boolean {
  return option.type === 'key' || (option.type === 'text' && option.secret === true);
}

export function defaultOf(option: Option): OptionValue {
  return option.type === 'key' ? undefined : option.default;
}
