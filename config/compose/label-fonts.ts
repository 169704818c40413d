/** Reads the operator's own fonts for labels: a folder with TrueType and OpenType files, and collections of these. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { unreachable } from '../../actors/base/unreachable.ts';
import { type FontFile, type FontFlaw, type LabelFonts, openFonts } from '../../http/labels/fonts.ts';
import type { Config } from '../options/schema.ts';
import { StartRefused } from './refusal.ts';

const EXTENSIONS = ['.ttf', '.otf', '.ttc'];
const FILES_MAX = 32;
/** Of all together, as each process keeps them in its memory. Noto Sans CJK has 20 MB. */
const BYTES_MAX = 64 * 1024 * 1024;

/**
 * Undefined: there are none but ours. Throws `StartRefused` that names the file where something is wrong: labels with boxes are
 * found out when they are on the boxes.
 */
export async function readLabelFonts({ web }: Pick<Config, 'web'>): Promise<LabelFonts | undefined> {
  const { labelFonts: folder, language } = web;
  if (folder === undefined) return undefined;
  const { fonts, leftOut } = await openFonts(filesIn(folder), language);
  const [flaw] = leftOut;
  if (flaw !== undefined) throw refused(`${join(folder, flaw[0])} ${wordsFor(flaw[1])}`);
  return fonts;
}

const refused = (why: string) =>
  new StartRefused(`the fonts of labels (web.labelFonts) cannot be used: ${why}`);

function filesIn(folder: string): FontFile[] {
  const names = reading(() => readdirSync(folder))
    .filter((name) => EXTENSIONS.includes(extname(name).toLowerCase()))
    .sort();
  if (names.length === 0) throw refused(`${folder} has no ${EXTENSIONS.join(', ')} file`);
  if (names.length > FILES_MAX)
    throw refused(
      `${folder} has ${names.length} of them, more than ${FILES_MAX}. Link those that you need into a folder of their own`,
    );
  let left = BYTES_MAX;
  return names.map((name) => {
    const file = join(folder, name);
    const { size } = reading(() => statSync(file));
    left -= size;
    if (left < 0) throw refused(`with ${file} they have more than ${BYTES_MAX} bytes`);
    return { name, bytes: reading(() => readFileSync(file)) };
  });
}

function reading<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
}

function wordsFor(flaw: FontFlaw): string {
  switch (flaw) {
    case 'no-font':
      return 'is no TrueType or OpenType font';
    case 'cut-off':
      return 'is cut off: it has less than it says';
    case 'no-letters':
      return 'has no letters by their Unicode numbers';
    case 'no-outlines':
      return 'has letters without outlines: it is one of pictures, in colour or of dots, which labels cannot print';
    default:
      return unreachable(flaw);
  }
}
