/** The code blocks of the documents: each is sound in its language, as far as this machine can tell. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import { parseDocument } from 'yaml';
import { DOCS, none, PROJECT } from '../kit/documents.ts';
import { findProgram } from '../kit/programs.ts';

/** What is wrong with a text in a language; undefined: nothing, or nobody here can tell. */
const CHECKS: Readonly<Record<string, (text: string) => string | undefined>> = {
  sh: (text) => refusedBy('bash', ['-n'], text),
  json(text) {
    try {
      JSON.parse(text);
      return undefined;
    } catch (error) {
      return String(error);
    }
  },
  yaml: (text) => parseDocument(text).errors[0]?.message,
  ts: (text) => refusedByBiome('block.ts', text),
  js: (text) => refusedByBiome('block.js', text),
  python: (text) => refusedBy('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], text),
  // Of these nothing is checked but that Java's is the client that runs.
  java: () => undefined,
  cpp: () => undefined,
  c: () => undefined,
  text: () => undefined,
};

function refusedBy(program: string, args: readonly string[], input: string): string | undefined {
  const found = findProgram(program);
  if (found === undefined) return undefined;
  const { status, stderr } = spawnSync(found, args, { input, encoding: 'utf8' });
  return status === 0 ? undefined : stderr;
}

function refusedByBiome(name: string, input: string): string | undefined {
  const biome = join(PROJECT, 'node_modules/@biomejs/biome/bin/biome');
  const { status, stderr } = spawnSync(process.execPath, [biome, 'format', `--stdin-file-path=${name}`], {
    input,
    encoding: 'utf8',
    cwd: PROJECT,
  });
  return status === 0 ? undefined : stderr;
}

test('documents: every code block is sound, and says what language it is in', () => {
  none(
    DOCS.flatMap(({ path, blocks }) =>
      blocks.flatMap(({ language, text, line }) => {
        const check = CHECKS[language];
        const problem = check === undefined ? `unknown language "${language}"` : check(text);
        return problem === undefined ? [] : [`${path}:${line}: ${problem}`];
      }),
    ),
  );
});

test.run();
