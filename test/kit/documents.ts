/** The documents of the project as their tests see them: prose, code blocks, and what is named in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';

/** The project's folder, seen from the compiled kit. */
export const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
export const ROOMS = ['actors', 'transports', 'http', 'test', 'bench', 'config', '.github', '.ci'];

interface Block {
  readonly language: string;
  readonly text: string;
  /** The file whose text this is, and the one that has it somewhere, where the line above says so. */
  readonly sameAs: string | undefined;
  readonly from: string | undefined;
  readonly line: number;
}

interface Doc {
  readonly path: string;
  readonly text: string;
  /** Without code blocks. */
  readonly prose: string;
  readonly blocks: readonly Block[];
  /** What stands between backticks. */
  readonly named: readonly string[];
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
    join(folder, name),
  );
}

/** Every file in the rooms, by its path in the project. */
export const FILES = ROOMS.flatMap(filesBelow);
export const DOCS = [
  ...readdirSync(PROJECT).filter((name) => name.endsWith('.md')),
  ...FILES.filter((path) => path.endsWith('.md')),
].map(read);

export function read(path: string): Doc {
  const text = readFileSync(join(PROJECT, path), 'utf8');
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: (Omit<Block, 'text'> & { readonly lines: string[]; readonly indent: string }) | undefined;
  let above = '';
  for (const [at, line] of text.split('\n').entries()) {
    const [, indent = '', language = ''] = /^( *)```(\w*)/.exec(line) ?? [];
    const fence = line.trimStart().startsWith('```');
    if (fence && open === undefined) {
      const sameAs = /<!-- the same as (\S+) -->/.exec(above)?.[1];
      const from = /<!-- from (\S+) -->/.exec(above)?.[1];
      open = { language, lines: [], indent, line: at + 1, sameAs, from };
    } else if (fence && open !== undefined) {
      const { lines, indent: _, ...block } = open;
      blocks.push({ ...block, text: `${lines.join('\n')}\n` });
      open = undefined;
    } else if (open !== undefined) open.lines.push(line.slice(open.indent.length));
    else prose.push(line);
    if (line.trim() !== '') above = line;
  }
  assert.is(open, undefined, `${path}: a code block is not closed`);
  const outside = prose.join('\n');
  const named = [...outside.matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name);
  return { path, text, prose: outside, blocks, named };
}

/** The anchors of a document, as GitHub makes them of headings. */
export function anchorsOf(doc: Doc): Set<string> {
  const seen = new Map<string, number>();
  const headings = [...doc.prose.matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) => {
      const slug = heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-');
      const before = seen.get(slug) ?? 0;
      seen.set(slug, before + 1);
      return before === 0 ? slug : `${slug}-${before}`;
    }),
  );
}

/** Fails with all that is wrong, not with the first of it. */
export function none(problems: readonly string[]): void {
  assert.equal(problems, []);
}
