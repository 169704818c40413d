/**
 * Makes a `Config` from the YAML file, the environment and the command line; the later one wins.
 *
 * Unknown keys and flags, bad values, and two names of one option with different values are problems. All are reported
 * together, so that the operator can fix them in one go. Unknown environment variables belong to other programs: only
 * one that is nearly a name of ours gets a warning.
 */
import { readFileSync } from 'node:fs';
import type { parseDocument } from 'yaml';
import type { ServerOption } from '../../http/routes/server-options.ts';
import type { Memory } from './memory.ts';
import { notHere } from './not-here.ts';
import { defaultOf, fileVariable, followsMemory, isSecret, type Option, parseOption } from './option.ts';
import { ALL_OPTIONS, type Config, contradictions, type PlacedOption } from './schema.ts';
import { type Origin, shownOption } from './shown.ts';
import { nearest } from './spelling.ts';
import { warningsOf } from './warnings.ts';

export interface Sources {
  /** The YAML file, if there is one; and who reads it, which without one is not loaded. */
  readonly file?: {
    readonly name: string;
    readonly text: string;
    readonly parseDocument: typeof parseDocument;
  };
  readonly env: { readonly [name: string]: string | undefined };
  /** `--KEY=VALUE` of the command line, in order; a later one of the same key wins. */
  readonly flags: readonly { readonly key: string; readonly value: string }[];
  /** What some defaults follow from. Undefined: those options have a fixed one. */
  readonly memory?: Memory;
}

export type Loaded =
  | {
      readonly type: 'config';
      readonly config: Config;
      readonly warnings: readonly string[];
      /** Each option as it may be shown, with where it comes from. */
      readonly shown: readonly ServerOption[];
    }
  /** One sentence each, for a person. They contain no secrets. */
  | { readonly type: 'problems'; readonly problems: readonly string[] };

/** A value and where it comes from: `server.port in config/claimd.yml`. */
interface Setting {
  readonly from: string;
  readonly source: Origin['source'];
  readonly value: unknown;
}

const BY_KEY: ReadonlyMap<string, PlacedOption> = new Map(
  ALL_OPTIONS.flatMap((placed) =>
    [placed.option.key, ...(placed.option.aliases ?? [])].map((key) => [key, placed]),
  ),
);
const ENV_NAMES = ALL_OPTIONS.flatMap(({ option }) => [option.env, fileVariable(option) ?? []].flat());

export function loadConfig(sources: Sources): Loaded {
  const problems: string[] = [];
  const fromFile = sources.file ? readFile(sources.file, sources.env, problems) : new Map<string, unknown>();
  const fromFlags = new Map(sources.flags.map(({ key, value }) => [key, value]));
  const fileName = sources.file?.name ?? '';
  for (const key of fromFile.keys()) complainIfUnknown(key, `in ${fileName}`, problems);
  for (const key of fromFlags.keys())
    complainIfUnknown(key, 'on the command line (--help lists them)', problems);

  const config: { [section: string]: { [name: string]: unknown } } = {};
  const given = new Map<Option, Origin>();
  for (const { section, name, option } of ALL_OPTIONS) {
    const settings = [
      oneOf(
        option,
        settingsIn(fromFile, option, 'FILE', (key) => `${key} in ${fileName}`),
        problems,
      ),
      oneOf(option, settingsInEnv(sources.env, option, problems), problems),
      oneOf(
        option,
        settingsIn(fromFlags, option, 'COMMAND_LINE', (key) => `--${key}`),
        problems,
      ),
    ];
    let effective: unknown = defaultOf(option);
    for (const candidate of settings) {
      if (candidate === undefined) continue;
      given.set(option, { source: candidate.source, where: candidate.from });
      const parsed = parseOption(option, candidate.value);
      if (parsed.type === 'value') effective = parsed.value;
      else problems.push(`${candidate.from} must be ${parsed.expected}${shown(option, candidate.value)}`);
    }
    config[section] = { ...config[section], [name]: effective };
  }
  if (problems.length > 0) return { type: 'problems', problems };

  const { install, system } = config as Config; // built from the schema that the type is inferred from
  if (install.loadDemo && !install.demoPublic) {
    for (const { section, name, option } of ALL_OPTIONS) {
      if (option.type !== 'text' || option.demoDefault === undefined || given.has(option)) continue;
      config[section] = { ...config[section], [name]: option.demoDefault };
    }
  }

  if (sources.memory !== undefined) {
    for (const { section, name, option } of ALL_OPTIONS) {
      if (!followsMemory(option) || given.has(option)) continue;
      config[section] = { ...config[section], [name]: option.byMemory(sources.memory, system.workers) };
    }
  }

  const complete = config as Config;
  const contradicted = contradictions(complete);
  if (contradicted.length > 0) return { type: 'problems', problems: contradicted };
  return {
    type: 'config',
    config: complete,
    warnings: [...nearMisses(sources.env), ...notHere(sources.env), ...warningsOf(complete)],
    shown: shownOptions(config, given, install.loadDemo && !install.demoPublic),
  };
}

function shownOptions(
  config: { readonly [section: string]: { readonly [name: string]: unknown } },
  given: ReadonlyMap<Option, Origin>,
  demo: boolean,
): ServerOption[] {
  return ALL_OPTIONS.map(({ section, title, name, option }) => {
    const ofDemo = demo && option.type === 'text' && option.demoDefault !== undefined;
    return shownOption(
      option,
      title,
      config[section]?.[name],
      given.get(option),
      ofDemo ? 'DEMO' : 'DEFAULT',
    );
  });
}

/** Reads the file into dotted keys. Nested maps, dotted keys and mixtures of both are the same. */
function readFile(
  file: NonNullable<Sources['file']>,
  env: Sources['env'],
  problems: string[],
): Map<string, unknown> {
  const document = file.parseDocument(file.text, { prettyErrors: true });
  for (const error of document.errors) {
    problems.push(`${file.name} is not valid YAML: ${error.message.split('\n')[0]?.replace(/:$/, '')}`);
  }
  const values = new Map<string, unknown>();
  if (document.errors.length > 0) return values;
  const root: unknown = document.toJS({ maxAliasCount: 100 });
  if (root === null || root === undefined) return values; // an empty file
  if (typeof root !== 'object' || Array.isArray(root)) {
    problems.push(`${file.name} must be a YAML map of options`);
    return values;
  }
  flatten(root, '', (key, value) => {
    const resolved = resolvePlaceholders(value, env);
    if (values.has(key) && values.get(key) !== resolved) {
      problems.push(`${key} is given twice in ${file.name}, with different values`);
    }
    values.set(key, resolved);
  });
  return values;
}

function flatten(node: object, path: string, emit: (key: string, value: unknown) => void): void {
  for (const [name, value] of Object.entries(node)) {
    const key = path === '' ? name : `${path}.${name}`;
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !BY_KEY.has(key)) {
      flatten(value, key, emit);
    } else if (value !== null) {
      emit(key, value); // `key:` without a value sets nothing
    }
  }
}

/** `"${HTTP_BIND_PORT:8080}"`, as in ThingsBoard's own file: the environment variable, or what follows the colon. */
function resolvePlaceholders(value: unknown, env: Sources['env']): unknown {
  if (typeof value !== 'string') return value;
  return value.replace(
    /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}/g,
    (whole, name: string, fallback: string | undefined) => env[name] ?? fallback ?? whole,
  );
}

function settingsIn(
  values: ReadonlyMap<string, unknown>,
  option: Option,
  source: Origin['source'],
  from: (key: string) => string,
): Setting[] {
  return [option.key, ...(option.aliases ?? [])]
    .filter((key) => values.has(key))
    .map((key) => ({ from: from(key), source, value: values.get(key) }));
}

/** An empty variable is none: compose files and CI systems pass unset variables that way. */
/**
 * Where `NAME_FILE` is `-`, the secret is what standard input has: read once, and then a variable, for workers too.
 * @param read gives all of standard input
 * @returns the variables that change by that
 */
export function fromStandardInput(env: Sources['env'], read: () => string): Readonly<Record<string, string>> {
  const placed = ALL_OPTIONS.find(({ option }) => env[fileVariable(option) ?? ''] === '-');
  if (placed === undefined) return {};
  return { [`${placed.option.env}_FILE`]: '', [placed.option.env]: read().replace(/\r?\n$/, '') };
}

function settingsInEnv(env: Sources['env'], option: Option, problems: string[]): Setting[] {
  const source = 'ENVIRONMENT' as const;
  const value = env[option.env];
  const named =
    value === undefined || value === '' ? [] : [{ from: `${option.env} in the environment`, source, value }];
  const variable = fileVariable(option);
  const path = variable === undefined ? undefined : env[variable];
  if (variable === undefined || path === undefined || path === '') return named;
  const content = secretIn(path, variable, problems);
  return content === undefined
    ? named
    : [...named, { from: `the file of ${variable}`, source, value: content }];
}

/** Without the end of its last line, which editors and `echo` write. */
function secretIn(path: string, variable: string, problems: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    problems.push(`the file that ${variable} names cannot be read: ${why}`);
    return undefined;
  }
}

function oneOf(option: Option, settings: readonly Setting[], problems: string[]): Setting | undefined {
  const [first, ...others] = settings;
  const different = others.find((other) => String(other.value) !== String(first?.value));
  if (first !== undefined && different !== undefined) {
    const values = isSecret(option) ? '' : ` (${String(first.value)} and ${String(different.value)})`;
    problems.push(
      `${first.from} and ${different.from} are the same option with different values${values}: give one`,
    );
  }
  return first;
}

function complainIfUnknown(key: string, where: string, problems: string[]): void {
  if (BY_KEY.has(key)) return;
  const meant = nearest(key, [...BY_KEY.keys()]);
  problems.push(`there is no option ${key} ${where}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}

function shown(option: Option, value: unknown): string {
  if (isSecret(option)) return ' (the value is not shown)';
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return `, not ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`;
}

function nearMisses(env: Sources['env']): string[] {
  return Object.keys(env).flatMap((name) => {
    if (name.length < 8 || ENV_NAMES.includes(name)) return [];
    const meant = nearest(name, ENV_NAMES, 2);
    return meant === undefined
      ? []
      : [`the environment variable ${name} means nothing here; did you mean ${meant}?`];
  });
}
