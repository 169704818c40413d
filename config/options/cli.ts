/** The command line: what is asked for. Every option of the schema is a flag too, as `--KEY=VALUE` or `--KEY VALUE`. */
import { ALL_OPTIONS } from './schema.ts';
import { nearest } from './spelling.ts';

export type Command =
  | {
      readonly type: 'serve';
      /** `--config FILE`; undefined: the default file, if it is there. */
      readonly configFile: string | undefined;
      readonly flags: readonly { readonly key: string; readonly value: string }[];
    }
  | { readonly type: 'help' | 'version' | 'print-config' }
  | { readonly type: 'misuse'; readonly problems: readonly string[] };

/** Words that say all by themselves. */
const SWITCHES = {
  help: 'Tells what you read here',
  version: 'Prints the version',
  'print-config': 'Prints a config file with every option, its default and its reason',
  demo: "Adds ThingsBoard's demo data: the same as --install.load_demo=true",
} as const;
const SHORT: { readonly [flag: string]: string } = { '-h': '--help', '-v': '--version', '-c': '--config' };

const isSwitch = (name: string): name is keyof typeof SWITCHES => Object.hasOwn(SWITCHES, name);

/** @param argv what stands behind the program's name */
export function parseArguments(argv: readonly string[]): Command {
  const problems: string[] = [];
  const flags: { key: string; value: string }[] = [];
  let configFile: string | undefined;
  let printed: 'help' | 'version' | 'print-config' | undefined;

  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    const long = SHORT[word] ?? word;
    if (!long.startsWith('--')) {
      problems.push(`${JSON.stringify(word)} is not understood: options begin with --`);
      continue;
    }
    const equals = long.indexOf('=');
    const name = long.slice(2, equals === -1 ? undefined : equals);
    if (isSwitch(name)) {
      if (equals !== -1) problems.push(`--${name} takes no value`);
      if (name === 'demo') flags.push({ key: 'install.load_demo', value: 'true' });
      else printed ??= name;
      continue;
    }
    if (name !== 'config' && !isOptionKey(name)) {
      problems.push(unknownFlag(name));
      // What follows without dashes was meant as its value: complaining of that too would only confuse.
      if (equals === -1 && !(argv[at + 1] ?? '--').startsWith('-')) at++;
      continue;
    }
    const value = equals === -1 ? argv[++at] : long.slice(equals + 1);
    if (value === undefined || value === '' || (equals === -1 && value.startsWith('--'))) {
      problems.push(`--${name} needs a value: --${name}=${name === 'config' ? 'FILE' : 'VALUE'}`);
      if (equals === -1 && value !== undefined && value !== '') at--; // the next flag is one of its own
    } else if (name === 'config') {
      configFile = value;
    } else {
      flags.push({ key: name, value });
    }
  }
  if (printed === 'help') return { type: 'help' };
  if (problems.length > 0) return { type: 'misuse', problems };
  return printed === undefined ? { type: 'serve', configFile, flags } : { type: printed };
}

function isOptionKey(name: string): boolean {
  return ALL_OPTIONS.some(({ option }) => option.key === name || (option.aliases ?? []).includes(name));
}

function unknownFlag(name: string): string {
  const known = [
    ...Object.keys(SWITCHES),
    'config',
    ...ALL_OPTIONS.flatMap(({ option }) => [option.key, ...(option.aliases ?? [])]),
  ];
  const meant = nearest(name, known);
  return `there is no option --${name}${meant === undefined ? ' (--help lists them)' : `; did you mean --${meant}?`}`;
}

/** The head of `--help`; the options follow from the schema. */
export const USAGE = [
  "claimd: a device-claiming server that speaks ThingsBoard's wire protocols.",
  '',
  'Usage: npm start -- [FLAGS]        or: node dist/config/process/main.js [FLAGS]',
  '',
  '  --config FILE          Reads options from this YAML file instead of config/claimd.yml',
  ...Object.entries(SWITCHES).map(([name, what]) => `  --${name.padEnd(20)} ${what}`),
  '',
  'Options come from the YAML file, then the environment, then the command line; the later one wins.',
].join('\n');
