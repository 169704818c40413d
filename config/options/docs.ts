/** Makes the texts about options from the schema: the help, the example file, the table in config/README.md. */
import { USAGE } from './cli.ts';
import { defaultOf, expectation, fileVariable, followsMemory, type Option } from './option.ts';
import { ALL_OPTIONS, SCHEMA } from './schema.ts';

const WIDTH = 100;

/** `--help`. */
export function helpText(): string {
  const sections = Object.values(SCHEMA).map(({ title, options }) => {
    const entries = Object.values(options).map((option: Option) =>
      [`  --${option.key}=… (${option.env}; ${defaultText(option)})`, ...wrap(option.why, '      ')].join(
        '\n',
      ),
    );
    return `${title}\n${entries.join('\n')}`;
  });
  return `${USAGE}\n\n${sections.join('\n\n')}\n`;
}

/** `config/claimd.example.yml`, also what `--print-config` prints. Every option is there, commented out. */
export function exampleFile(): string {
  const head = [
    '# Every option of claimd with its default. Copy this file to config/claimd.yml (or name another with --config)',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is about placeholders
    '# and remove the # from the options that you change. Dotted and nested keys mean the same; "${NAME:default}" takes the',
    '# value of an environment variable. The environment overrides this file, the command line overrides both.',
    '#',
    '# Generated from config/options/schema.ts; a test checks that it is current.',
  ];
  const sections = Object.values(SCHEMA).map(({ title, options }) => {
    const entries = Object.values(options).map((option: Option) =>
      [
        ...wrap(option.why, '# '),
        `# ${capital(expectation(option))}. Environment: ${variablesOf(option)}.${alsoKnownAs(option)}`,
        `#${option.key}: ${yamlDefault(option)}`.trimEnd(),
      ].join('\n'),
    );
    return [`# ---- ${title} ${'-'.repeat(WIDTH - title.length - 8)}`, ...entries].join('\n\n');
  });
  return `${head.join('\n')}\n\n${sections.join('\n\n')}\n`;
}

/** The table in config/README.md. */
export function optionTable(): string {
  const rows = ALL_OPTIONS.map(({ option, title }, at) => {
    const first = ALL_OPTIONS[at - 1]?.title !== title;
    const also = (option.aliases ?? []).map((alias) => `<br>\`${alias}\``).join('');
    return [
      ...(first ? [`| **${title}** | | | |`] : []),
      `| \`${option.key}\`${also} | \`${option.env}\` | ${defaultCell(option)} | ${escapeCell(option.why)} |`,
    ].join('\n');
  });
  return ['| YAML key and flag | Environment | Default | Meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function defaultText(option: Option): string {
  if (followsMemory(option)) return 'default by memory';
  const value = defaultOf(option);
  return value === undefined ? 'no default' : `default ${value}${unitOf(option)}`;
}

function defaultCell(option: Option): string {
  if (followsMemory(option)) return 'by memory';
  const value = defaultOf(option);
  return value === undefined ? '–' : `\`${value}\`${unitOf(option)}`;
}

function unitOf(option: Option): string {
  return option.type === 'integer' && option.unit !== 'count' && option.unit !== 'port'
    ? ` ${option.unit}`
    : '';
}

function yamlDefault(option: Option): string {
  const value = followsMemory(option) ? undefined : defaultOf(option);
  if (value === undefined) return '';
  // Unquoted, YAML would read a comment, a map or a directive.
  return typeof value === 'string' && /^[#{%]/.test(value) ? `'${value}'` : String(value);
}

function variablesOf(option: Option): string {
  const file = fileVariable(option);
  return file === undefined ? option.env : `${option.env}, or ${file} with the path of a file`;
}

function alsoKnownAs(option: Option): string {
  return option.aliases === undefined ? '' : ` Also: ${option.aliases.join(', ')}.`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Breaks a text into indented lines of at most `WIDTH` characters. */
function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length + word.length > WIDTH && line !== indent) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
