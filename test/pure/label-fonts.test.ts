/** Labels in the operator's own fonts: Chinese, Japanese, Korean, Thai and Hindi; what is read out of the PDF, and what stops the start. */
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readLabelFonts } from '../../config/compose/label-fonts.ts';
import { StartRefused } from '../../config/compose/refusal.ts';
import { loadConfig } from '../../config/options/load.ts';
import { builtInFonts, type FontFile, type LabelFonts, openFonts } from '../../http/labels/fonts.ts';
import { drawLabel } from '../../http/labels/label.ts';
import { linesOf } from '../../http/labels/script.ts';
import { firstPageAsSvg, labelsAsPdf } from '../../http/labels/sheets.ts';
import { STOCKS } from '../../http/labels/stocks.ts';
import { temporaryFolder } from '../kit/folders.ts';
import { readPdf, wordsOn } from '../kit/pdf-reader.ts';
import { turnsDuring } from '../kit/turns.ts';

const FOLDER = 'test/kit/fonts';
const FILES = ['cjk.otf', 'devanagari.ttf', 'thai.ttf'];
const fileOf = (name: string): FontFile => ({ name, bytes: readFileSync(join(FOLDER, name)) });
const open = async (language = 'en') => (await openFonts(FILES.map(fileOf), language)).fonts;

/** Names that the fonts of this folder have the letters of. */
const NAMES = ['温度计 3', 'ポンプ (骨)', '펌프 7', 'ปั๊มน้ำ 5', 'क्षेत्र हिन्दी 3', 'Pumpe ปั๊ม', 'משאבה (温度) 7'];

const labelled = (name: string) => ({
  name,
  secretKey: 'ABCD-EFGH',
  url: 'https://x.test/claim#d',
  address: 'x.test/claim',
});
const glyphs = (fonts: LabelFonts, text: string) => fonts.set(linesOf(text)(0, text.length));

async function pdfOf(fonts: LabelFonts, names: readonly string[]): Promise<Buffer> {
  async function* each() {
    for (const name of names) yield labelled(name);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of labelsAsPdf(each(), { stock: STOCKS[0], first: 1 }, fonts)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('fonts: ours alone lack these letters, which is said; with the operator’s none is missing', async () => {
  const [ours, all] = [await builtInFonts(), await open()];
  for (const name of NAMES) {
    const flaws = (fonts: LabelFonts) => drawLabel(labelled(name), STOCKS[0], fonts)?.flaws;
    assert.equal(flaws(ours), ['letters-missing'], name);
    assert.equal(flaws(all), [], name);
  }
  assert.ok(all.lacks('龘'), 'what no font has');
});

test('fonts: the PDF says every name as it is written, in a file much smaller than its fonts', async () => {
  const bytes = await pdfOf(await open(), NAMES);
  const said = wordsOn(readPdf(bytes));
  for (const name of NAMES) assert.ok(said.includes(name), `${name}: ${said.join(' | ')}`);
  assert.ok(bytes.length < 60_000, `${bytes.length} bytes`);
});

test('fonts: the picture before is of the same glyphs', async () => {
  const svg = await firstPageAsSvg(
    NAMES.map(labelled),
    NAMES.length,
    { stock: STOCKS[0], first: 1 },
    await open(),
  );
  const drawn = new Set([...svg.matchAll(/<path id="(glyph-\d+)" d="M/g)].map(([, id]) => id));
  const blank = new Set([...svg.matchAll(/<path id="(glyph-\d+)" d=""/g)].map(([, id]) => id));
  for (const [, id] of svg.matchAll(/href="#(glyph-\d+)"/g)) assert.ok(drawn.has(id) || blank.has(id), id);
  assert.ok(drawn.size > 30);
});

test('fonts: letters join and change places: Hindi has fewer glyphs than letters, and a vowel before its consonant', async () => {
  const fonts = await open();
  const one = (letters: string) => glyphs(fonts, letters).map(({ id }) => id);
  assert.is(one('क्षे').length, 2, 'ka, virama and ssa are one, with its vowel sign');
  const [vowel, consonant] = one('हि');
  assert.is(consonant, one('ह')[0]);
  assert.is.not(vowel, consonant);
  const marks = glyphs(fonts, 'น้ำ').filter(({ advance }) => advance === 0);
  assert.ok(marks.length > 0, 'a tone mark stands above its letter');
});

test('fonts: of a code point that Chinese and Japanese write differently, the form of the language', async () => {
  const [japanese, chinese] = [await open('ja'), await open('zh-Hans')];
  assert.is.not(glyphs(japanese, '骨')[0]?.id, glyphs(chinese, '骨')[0]?.id);
  assert.is(glyphs(japanese, '温')[0]?.id, glyphs(chinese, '温')[0]?.id);
});

test('fonts: a line breaks between words also where none has a space, and a letter keeps its marks', async () => {
  const fonts = await open();
  const narrow = STOCKS.find(({ id }) => id === 'avery-l7651') ?? STOCKS[0];
  const drawn = drawLabel(labelled('ปั๊มน้ำห้องเก็บของ'), narrow, fonts);

  const lines = drawn?.lines.map(({ text }) => text).filter((text) => /\p{Script=Thai}/u.test(text)) ?? [];
  assert.ok(lines.length > 1);
  assert.is(lines.join(''), 'ปั๊มน้ำห้องเก็บของ');
  const words = [...new Intl.Segmenter('th', { granularity: 'word' }).segment(lines.join(''))].map(
    ({ index }) => index,
  );
  let at = 0;
  for (const line of lines) {
    assert.ok(words.includes(at), `a word begins with ${line}`);
    at += line.length;
  }
});

test('fonts: the first of a collection is used', async () => {
  const { bytes } = fileOf('thai.ttf');
  const head = Buffer.from('ttcf\0\x01\0\0\0\0\0\x01\0\0\0\x10', 'latin1');
  const moved = Buffer.from(bytes);
  for (let entry = 12; entry < 12 + bytes.readUInt16BE(4) * 16; entry += 16)
    moved.writeUInt32BE(bytes.readUInt32BE(entry + 8) + head.length, entry + 8);
  const { fonts, leftOut } = await openFonts(
    [{ name: 'all.ttc', bytes: Buffer.concat([head, moved]) }],
    'th',
  );
  assert.is(leftOut.size, 0);
  assert.not(fonts.lacks('น้ำ'));
});

/** Where the entry of a table is in the directory of a font's tables. */
function entryOf(bytes: Buffer, tag: string): number {
  for (let entry = 12; entry < 12 + bytes.readUInt16BE(4) * 16; entry += 16)
    if (bytes.toString('latin1', entry, entry + 4) === tag) return entry;
  throw new Error(`no table ${tag}`);
}

const tableOf = (bytes: Buffer, tag: string): number => bytes.readUInt32BE(entryOf(bytes, tag) + 8);

/** The same font, in which some tables are not found. */
function without(bytes: Buffer, ...tags: readonly string[]): Buffer {
  const changed = Buffer.from(bytes);
  for (const tag of tags) changed.write('none', entryOf(bytes, tag), 'latin1');
  return changed;
}

/** The same font, in which a glyph has no outline, as where it is a picture. */
function blanked(bytes: Buffer, glyph: number): Buffer {
  const changed = Buffer.from(bytes);
  const isLong = bytes.readUInt16BE(tableOf(bytes, 'head') + 50) === 1;
  const size = isLong ? 4 : 2;
  const from = tableOf(bytes, 'loca') + glyph * size;
  bytes.copy(changed, from + size, from, from + size); // it ends where it begins
  return changed;
}

const GLYPHS_PER_FONT = 65_536;
const hasBox = (fonts: LabelFonts, text: string) => glyphs(fonts, text).some(({ id }) => id === 0);

test('fonts: a letter that a font has no outline of is missing, as one that it does not have', async () => {
  const { bytes } = fileOf('thai.ttf');
  const whole = (await openFonts([{ name: 'thai.ttf', bytes }], 'th')).fonts;
  const glyph = (glyphs(whole, 'ก')[0]?.id ?? 0) % GLYPHS_PER_FONT;
  assert.ok(glyph > 0);
  assert.not(whole.lacks('ก'));

  const { fonts, leftOut } = await openFonts([{ name: 'thai.ttf', bytes: blanked(bytes, glyph) }], 'th');
  assert.is(leftOut.size, 0);
  assert.ok(fonts.lacks('ก'));
  assert.ok(hasBox(fonts, 'ก'));
  assert.equal(drawLabel(labelled('บก 3'), STOCKS[0], fonts)?.flaws, ['letters-missing']);
  assert.not(fonts.lacks('บ 3'));
});

test('fonts: what is printed as a box is missing, and nothing else: also a mark that is in another font than its letter', async () => {
  const fonts = await open();
  const MIXED = ['Ж\u0e31', '1\u0e31', 'ก\u0301', 'a\u0301\u0e31 7', 'שָׁ\u0e31', 'а\u0483'];
  for (const name of [...NAMES, ...MIXED, 'ก\u0e31 Ж', '龘', '1\u20e3', 'a\u200db'])
    assert.is(fonts.lacks(name), hasBox(fonts, name), name);
  assert.ok(fonts.lacks('Ж\u0e31'), 'DejaVu has the letter, the font of Thai its mark');
  assert.not(fonts.lacks('Ж') || fonts.lacks('ก\u0e31'));
});

/** What is done counts the turns of the event loop: in how many of them it was done, of how many times. */
async function countingTurns(work: (slow: <Done>(done: Done) => Done) => Promise<unknown>) {
  const turns: number[] = [];
  await turnsDuring((passed) =>
    work((done) => {
      turns.push(passed());
      const until = performance.now() + 6;
      while (performance.now() < until); // longer than one may have the event loop for oneself
      return done;
    }),
  );
  return { times: turns.length, turns: new Set(turns).size };
}

test('fonts: outlines that take long, and labels, are made in many turns of the event loop, in the PDF and in the picture', async () => {
  const fonts = await open();
  const names = Array.from({ length: 10 }, (_, nth) => `ABCDEFGHIJ ${nth}`);
  const slowOutlines = (slow: <Done>(done: Done) => Done): LabelFonts => ({
    ...fonts,
    outlineOf: (id) => slow(fonts.outlineOf(id)),
  });
  const slowLabels = (slow: <Done>(done: Done) => Done): LabelFonts => ({
    ...fonts,
    lacks: (text) => slow(fonts.lacks(text)),
  });
  const picture = (some: LabelFonts) =>
    firstPageAsSvg(names.map(labelled), names.length, { stock: STOCKS[0], first: 1 }, some);
  for (const each of [
    await countingTurns((slow) => pdfOf(slowOutlines(slow), names)),
    await countingTurns((slow) => picture(slowOutlines(slow))),
    await countingTurns((slow) => picture(slowLabels(slow))),
  ]) {
    assert.ok(each.times >= 10);
    assert.ok(each.turns > each.times / 2, JSON.stringify(each));
  }
});

/** What the start says to a folder of fonts; nothing where nothing is wrong. */
async function saidTo(fill: (folder: string) => void): Promise<string> {
  const folder = join(temporaryFolder(), 'fonts');
  mkdirSync(folder);
  fill(folder);
  return saidOf(folder);
}

async function saidOf(folder: string): Promise<string> {
  const loaded = loadConfig({ env: { WEB_LABEL_FONTS: folder }, flags: [] });
  assert.is(loaded.type, 'config', JSON.stringify(loaded));
  if (loaded.type !== 'config') return '';
  try {
    const fonts = await readLabelFonts(loaded.config);
    assert.not(fonts?.lacks('น้ำ'));
    return '';
  } catch (error) {
    if (error instanceof StartRefused) return error.message;
    throw error;
  }
}

test('attack: files that are no fonts, are cut off or too large stop the start in words, whatever is in them', async () => {
  const thai = (folder: string) => copyFileSync(join(FOLDER, 'thai.ttf'), join(folder, 'thai.ttf'));
  assert.is(await saidTo(thai), '');
  const beside = (name: string, content: string | Buffer) => (folder: string) => {
    thai(folder);
    writeFileSync(join(folder, name), content);
  };
  assert.is(await saidTo(beside('notes.txt', 'x')), '', 'what has another ending is none of ours');
  assert.match(await saidTo(beside('a.ttf', '')), /a\.ttf is no TrueType or OpenType font/);
  assert.match(await saidTo(beside('a.otf', '<html>'.repeat(99))), /a\.otf is no TrueType/);
  const { bytes } = fileOf('devanagari.ttf');
  for (const length of [17, 60, 300, 9_000, bytes.length - 20])
    assert.match(
      await saidTo(beside('cut.ttf', bytes.subarray(0, length))),
      /cut\.ttf is cut off/,
      `${length}`,
    );
  assert.match(await saidTo(beside('mute.ttf', without(bytes, 'cmap'))), /mute\.ttf has no letters/);
  assert.match(
    await saidTo(beside('colour.ttf', without(bytes, 'glyf', 'loca'))),
    /colour\.ttf has letters without outlines/,
  );
  const many = (folder: string) => {
    for (let nth = 0; nth < 33; nth += 1) writeFileSync(join(folder, `${nth}.ttf`), '');
  };
  assert.match(await saidTo(many), /33 of them, more than 32/);
  const huge = (folder: string) => {
    writeFileSync(join(folder, 'huge.ttf'), '');
    truncateSync(join(folder, 'huge.ttf'), 65 * 1024 * 1024);
  };
  assert.match(await saidTo(huge), /huge\.ttf they have more than \d+ bytes/);
  assert.match(await saidTo(() => {}), /has no \.ttf, \.otf, \.ttc file/);
  assert.match(await saidOf('/nowhere/at/all'), /ENOENT/);
});

test('attack: a font with any bytes changed is refused, or prints something, and never ends the process', async () => {
  const { bytes } = fileOf('devanagari.ttf');
  let state = 7;
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % below;
  };
  for (let round = 0; round < 60; round += 1) {
    const broken = Buffer.from(bytes);
    for (let nth = 0; nth < 200; nth += 1) broken[12 + next(bytes.length - 12)] = next(256);
    const { fonts } = await openFonts([{ name: 'broken.ttf', bytes: broken }], 'hi');
    assert.match((await pdfOf(fonts, ['क्षेत्र हिन्दी 3'])).toString('latin1', 0, 8), '%PDF-1.7');
  }
});

test.run();
