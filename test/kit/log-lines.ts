/** The lines that the code logs, as they stand in it: how severe, and the constant message. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILES, PROJECT } from './documents.ts';

export interface LogLine {
  readonly severity: string;
  readonly message: string;
  readonly path: string;
}

/** Functions of this name warn with what they are given. */
const CALL =
  /\blog\s*\.(debug|info|warn|error)\(|\blog(?:Unavailable|Bounded)\(\s*[\w.#]+,\s*'(warn|error)',|\b(?:logLimit|reportFailure|cutFor)\(/g;
/** What rounds (`createRounds`) warn with. */
const AWAY = /\baway: '([^']+)'/g;

/**
 * Messages that stand in the call itself, or in a constant of the same file; those that a function is given are found where it is
 * called, by the name of the function, or not at all.
 */
export function logLines(): LogLine[] {
  const paths = FILES.filter((path) => /^(actors|transports|http|config)\/.*\.tsx?$/.test(path));
  return paths.flatMap((path) => {
    const text = readFileSync(join(PROJECT, path), 'utf8');
    const called = [...text.matchAll(CALL)].flatMap((call) => {
      const args = argumentsFrom(text, call.index + call[0].length);
      const message = lastText(args) ?? constantAtEnd(args, text);
      return message === undefined ? [] : [{ severity: call[1] ?? call[2] ?? 'warn', message, path }];
    });
    const away = [...text.matchAll(AWAY)].map(([, message = '']) => ({ severity: 'warn', message, path }));
    return [...called, ...away];
  });
}

/** What stands until the parenthesis closes that is open at `from`. */
function argumentsFrom(text: string, from: number): string {
  let open = 1;
  let quote = '';
  let at = from;
  for (; at < text.length && open > 0; at += 1) {
    const char = text.charAt(at);
    if (quote !== '') {
      if (char === '\\') at += 1;
      else if (char === quote) quote = '';
    } else if (char === "'" || char === '"' || char === '`') quote = char;
    else if (char === '(') open += 1;
    else if (char === ')') open -= 1;
  }
  return text.slice(from, at - 1);
}

/** What the constant says that is named at the end of the arguments. */
function constantAtEnd(args: string, text: string): string | undefined {
  const name = /\b([A-Za-z_]\w*),?\s*$/.exec(args)?.[1];
  const value =
    name === undefined ? undefined : new RegExp(`const ${name} =\\s*([\\s\\S]+?);\\n`).exec(text)?.[1];
  return value === undefined ? undefined : lastText(value);
}

/** The text at the end of the arguments, of one piece or several that are added. */
function lastText(args: string): string | undefined {
  const end = /((?:(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\s*\+?\s*)+),?\s*$/.exec(args)?.[1];
  if (end === undefined) return undefined;
  const pieces = end.match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g) ?? [];
  return pieces.map((piece) => piece.slice(1, -1).replaceAll(/\\(.)/g, '$1')).join('');
}
