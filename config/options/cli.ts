/** Reads the command line. Every option of the schema is a flag, as `--KEY=VALUE` or `--KEY VALUE`. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { isSecretValue, type Option } from './option.ts';
import { ALL_OPTIONS } from './schema.ts';
import { nearest } from './spelling.ts';

export type Command =
  | {
      readonly type: 'serve';
      /** `--config FILE`; undefined: the default file, if there is one. */
      readonly configFile: string | undefined;
      readonly flags: readonly { readonly key: string; readonly value: string }[];
    }
  | {
      /** `backup FOLDER` */
      readonly type: 'backup';
      readonly folder: string;
      readonly configFile: string | undefined;
      readonly flags: readonly { readonly key: string; readonly value: string }[];
    }
  | {
      /** `verify [FILE]` */
      readonly type: 'verify';
      readonly heads: string | undefined;
      readonly configFile: string | undefined;
      readonly flags: readonly { readonly key: string; readonly value: string }[];
    }
  | {
      /** `drop-second-factor EMAIL` */
      readonly type: 'drop-second-factor';
      readonly email: string;
      readonly configFile: string | undefined;
      readonly flags: readonly { readonly key: string; readonly value: string }[];
    }
  | { readonly type: 'help' | 'version' | 'print-config' }
  | { readonly type: 'misuse'; readonly problems: readonly string[] };

/** Flags without a value. */
const SWITCHES = {
  help: 'Shows this text',
  version: 'Prints the version',
  'print-config': 'Prints a config file with every option, its default and what it is for',
  demo: "Adds ThingsBoard's demo data: the same as --install.load_demo=true",
  'demo-public': 'Lets others than this machine reach the demo: the same as --install.demo_public=true',
} as const;

/** By key and alias. */
const OPTIONS: ReadonlyMap<string, Option> = new Map(
  ALL_OPTIONS.flatMap(({ option }) =>
    [option.key, ...(option.aliases ?? [])].map((key): [string, Option] => [key, option]),
  ),
);

const KEYS = [...OPTIONS.keys()];

const FLAGS: NonNullable<ParseArgsConfig['options']> = {
  ...Object.fromEntries(Object.keys(SWITCHES).map((name) => [name, { type: 'boolean' }])),
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  config: { type: 'string', short: 'c' },
  ...Object.fromEntries(KEYS.map((key) => [key, { type: 'string' }])),
};

const COMMANDS = ['backup', 'verify', 'drop-second-factor'];

/** @param argv what stands behind the program's name */
export function parseArguments(argv: readonly string[]): Command {
  const problems: string[] = [];
  const flags: { key: string; value: string }[] = [];
  let configFile: string | undefined;
  let printed: 'help' | 'version' | 'print-config' | undefined;
  const words: string[] = [];
  let unknownBefore = false;

  for (const token of readTokens(argv)) {
    // A word behind an unknown flag was meant as its value. One complaint is enough.
    const isItsValue = unknownBefore && token.kind === 'positional';
    unknownBefore = token.kind === 'option' && !isFlag(token.name) && token.value === undefined;
    if (token.kind === 'positional' && !isItsValue) {
      // The command comes first, then its folder, file or user.
      const fits = words.length === 0 ? COMMANDS.includes(token.value) : words.length === 1;
      if (fits) words.push(token.value);
      else problems.push(words.length === 0 ? unknownCommand(token.value) : unknownWord(token.value));
    }
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (!isFlag(name)) problems.push(unknownFlag(rawName));
    else if (isSwitch(name)) {
      if (value !== undefined) problems.push(`--${name} takes no value`);
      if (name === 'demo') flags.push({ key: 'install.load_demo', value: 'true' });
      else if (name === 'demo-public') flags.push({ key: 'install.demo_public', value: 'true' });
      else printed ??= name;
    } else if (value === undefined || value === '') {
      problems.push(`--${name} needs a value: --${name}=${name === 'config' ? 'FILE' : 'VALUE'}`);
    } else if (name === 'config') configFile = value;
    else if (isSecretFlag(name, value)) problems.push(secretFlag(name));
    else flags.push({ key: name, value });
  }
  if (printed === 'help') return { type: 'help' };
  const [subcommand, about] = words;
  if (subcommand === 'backup' && about === undefined) problems.push('backup needs a folder: backup FOLDER');
  if (subcommand === 'drop-second-factor' && about === undefined)
    problems.push('drop-second-factor needs a user: drop-second-factor EMAIL');
  if (problems.length > 0) return { type: 'misuse', problems };
  if (printed !== undefined) return { type: printed };
  if (subcommand === 'verify') return { type: 'verify', heads: about, configFile, flags };
  if (about === undefined) return { type: 'serve', configFile, flags };
  if (subcommand === 'drop-second-factor')
    return { type: 'drop-second-factor', email: about, configFile, flags };
  return { type: 'backup', folder: about, configFile, flags };
}

/** Not strict, or the first problem would be thrown and the others never found. */
const scan = (argv: readonly string[]) =>
  parseArgs({ args: [...argv], options: FLAGS, strict: false, tokens: true }).tokens;

/** node:util takes a flag for the value of the flag before it. Here it is a flag, and the one before lacks its value. */
function readTokens(argv: readonly string[]): ReturnType<typeof scan> {
  const tokens = scan(argv);
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== 'option' || token.inlineValue !== false || !token.value.startsWith('--')) continue;
    const lacking = { ...token, value: undefined, inlineValue: undefined };
    return [...tokens.slice(0, at), lacking, ...readTokens(argv.slice(token.index + 1))];
  }
  return tokens;
}

const isFlag = (name: string): boolean => Object.hasOwn(FLAGS, name);
const isSwitch = (name: string): name is keyof typeof SWITCHES => Object.hasOwn(SWITCHES, name);

function isSecretFlag(name: string, value: string): boolean {
  const option = OPTIONS.get(name);
  return option !== undefined && isSecretValue(option, value);
}

function secretFlag(name: string): string {
  const env = OPTIONS.get(name)?.env ?? '';
  return `--${name} is a secret, and everybody on this machine can read the command line: give it as ${env}, or name a file as ${env}_FILE (- is standard input)`;
}

const unknownCommand = (word: string): string =>
  `there is no command ${JSON.stringify(word)} (there are ${COMMANDS.join(', ')}; without one it serves), and options begin with --`;

const unknownWord = (word: string): string =>
  `${JSON.stringify(word)} is not understood: options begin with --`;

/** @param rawName with its dashes */
function unknownFlag(rawName: string): string {
  const meant = nearest(rawName.replace(/^-+/, ''), Object.keys(FLAGS));
  return `there is no option ${rawName}${meant === undefined ? ' (--help lists them)' : `; did you mean --${meant}?`}`;
}

/** The head of `--help`; the options follow from the schema. */
export const USAGE = [
  "claimd: a device-claiming server that speaks ThingsBoard's wire protocols.",
  '',
  'Usage: npm start -- [FLAGS]        or: node dist/config/process/main.js [FLAGS]',
  '       npm start -- backup FOLDER [FLAGS]     copies the data into a new folder, also beside a running server',
  '       npm start -- verify [FILE] [FLAGS]     checks the audit trails and prints their heads; FILE has earlier ones',
  '       npm start -- drop-second-factor EMAIL [FLAGS]     takes the second factor of a user away',
  '',
  '  --config FILE          Reads options from this YAML file instead of config/claimd.yml',
  ...Object.entries(SWITCHES).map(([name, what]) => `  --${name.padEnd(20)} ${what}`),
  '',
  'Options come from the YAML file, then the environment, then the command line; the later one wins. Secrets are not',
  'taken from the command line: give them as environment variables, or as NAME_FILE=PATH (- is standard input).',
].join('\n');
