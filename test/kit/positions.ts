/**
 * From positions in compiled files to those in their sources. Node does so by itself with --enable-source-maps, and reads a map
 * with every module that it loads: a sixth of what a test costs that loads much, for traces that hardly any prints.
 */
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** As in traces: a path or a file URL, with line and column. */
const POSITION = /(?:file:\/\/)?\/[^\s()'"<>]+?\.js:\d+:\d+/g;

/** The text with every position that has a map as it is in the source. */
export function asInSources(text: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return text.replace(POSITION, (position) => {
    const [, address = '', line = '', column = ''] = /^(.+):(\d+):(\d+)$/.exec(position) ?? [];
    const path = address.startsWith('file:') ? fileURLToPath(address) : address;
    if (!maps.has(path)) maps.set(path, mapOf(path));
    const entry = maps.get(path)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return position;
    const source = resolve(dirname(path), entry.originalSource);
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

function mapOf(path: string): SourceMap | undefined {
  const map = `${path}.map`;
  return existsSync(map) ? new SourceMap(JSON.parse(readFileSync(map, 'utf8'))) : undefined;
}
