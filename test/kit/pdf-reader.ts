/**
 * Reads PDFs as far as labels need it, from the bytes alone: by its cross-reference table as viewers do, each page with its
 * texts and with the rectangles that are filled. A code is painted into pixels from these, and a decoder reads it.
 */
import { inflateSync } from 'node:zlib';
import decodeQR from 'qr/decode.js';
import * as assert from 'uvu/assert';

interface ReadText {
  readonly text: string;
  /** Points, from the lower left corner. */
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

interface ReadCode {
  readonly x: number;
  /** Of its upper edge. */
  readonly y: number;
  /** Of one module, in points. */
  readonly module: number;
  /** Column, row and width of its bars, in modules. */
  readonly bars: readonly (readonly number[])[];
}

interface ReadPage {
  readonly width: number;
  readonly height: number;
  readonly texts: readonly ReadText[];
  readonly codes: readonly ReadCode[];
}

/** What pages say, as a viewer would copy it. */
export const wordsOn = (pages: readonly ReadPage[]): readonly string[] =>
  pages.flatMap(({ texts }) => texts.map(({ text }) => text));

export function readPdf(bytes: Buffer): readonly ReadPage[] {
  const file = bytes.toString('latin1');
  assert.ok(file.startsWith('%PDF-1.'), 'it begins as a PDF');
  const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(file)?.[1]);
  const table = file.slice(start);
  const entries = [...table.matchAll(/^(\d{10}) 00000 n $/gm)].map(([, offset]) => Number(offset));
  assert.is(Number(/\/Size (\d+)/.exec(table)?.[1]), entries.length + 1);
  const object = (number: number): string => {
    const from = entries[number - 1] ?? -1;
    const head = `${number} 0 obj\n`;
    assert.is(file.slice(from, from + head.length), head, 'the table leads to the object');
    return file.slice(from + head.length, file.indexOf('\nendobj\n', from));
  };
  const stream = (number: number): string => {
    const body = object(number);
    const length = Number(/\/Length (\d+)/.exec(body)?.[1]);
    const from = body.indexOf('stream\n') + 'stream\n'.length;
    assert.ok(body.slice(from + length).startsWith('\nendstream'), 'its length is right');
    return inflateSync(Buffer.from(body.slice(from, from + length), 'latin1')).toString('latin1');
  };
  const reference = (text: string, name: string) =>
    Number(new RegExp(`/${name}\\[?\\s*(\\d+) 0 R`).exec(text)?.[1]);

  const pages = object(reference(object(reference(table, 'Root')), 'Pages'));
  const kids = [...(/\/Kids\[([^\]]*)\]/.exec(pages)?.[1] ?? '').matchAll(/(\d+) 0 R/g)];
  assert.is(Number(/\/Count (\d+)/.exec(pages)?.[1]), kids.length);
  let fonts: Fonts | undefined;
  return kids.map(([, kid]) => {
    const page = object(Number(kid));
    fonts ??= fontsIn(object(reference(page, 'Resources')));
    const [width = 0, height = 0] = (/\/MediaBox\[0 0 ([\d.]+) ([\d.]+)\]/.exec(page) ?? [])
      .slice(1)
      .map(Number);
    return { width, height, ...contentOf(stream(reference(page, 'Contents')), fonts) };
  });

  function fontsIn(resources: string): Fonts {
    return Array.from(resources.matchAll(/\/F\d+ (\d+) 0 R/g), ([, number]) => {
      const font = object(Number(number));
      const procedures = [...font.matchAll(/\/g\d+ (\d+) 0 R/g)].map(([, glyph]) => stream(Number(glyph)));
      const widths = (/\/Widths\[([^\]]*)\]/.exec(font)?.[1] ?? '').split(' ').map(Number);
      assert.is(Number(/\/LastChar (\d+)/.exec(font)?.[1]), procedures.length - 1);
      for (const [at, procedure] of procedures.entries()) {
        const [, width, outline = ''] =
          /^(\S+) 0 -?\d+ -?\d+ -?\d+ -?\d+ d1\n([\s\S]*)f$/.exec(procedure) ?? [];
        assert.is(Number(width), widths[at], 'a glyph says how wide it is');
        for (const line of outline.split('\n'))
          assert.match(line, /^$|^h$|^(-?[\d.]+ ){2}[ml]$|^(-?[\d.]+ ){6}c$/, 'an outline');
      }
      return lettersIn(stream(reference(font, 'ToUnicode')));
    });
  }
}

/** Of each font: code → text. */
type Fonts = readonly ReadonlyMap<string, string>[];

const unpacked = (hex: string) => Buffer.from(hex, 'hex').swap16().toString('utf16le');

/** Glyph → text, as the PDF says it. */
function lettersIn(toUnicode: string): ReadonlyMap<string, string> {
  return new Map(
    [...toUnicode.matchAll(/^<([\da-f]{2})> <([\da-f]+)>$/gm)].map(([, glyph = '', text = '']) => [
      glyph,
      unpacked(text),
    ]),
  );
}

/** What operators of text there are, with what they are given. */
const OPERATOR =
  /1 0 0 1 (?<x>\S+) (?<y>\S+) Tm|\/F(?<font>\d+) (?<size>\S+) Tf|\/Span<<\/ActualText<feff(?<said>[\da-f]*)>>>BDC|(?<end>EMC)|\[(?<shown>[^\]]*)\]TJ/g;

function textsOf(content: string, fonts: Fonts): ReadText[] {
  const texts: { text: string; x: number; y: number; size: number }[] = [];
  let letters: ReadonlyMap<string, string> | undefined;
  let isSaid = false;
  for (const { groups = {} } of content.matchAll(OPERATOR)) {
    const { x, y, font, size, said, end, shown } = groups;
    if (x !== undefined) texts.push({ text: '', x: Number(x), y: Number(y), size: 0 });
    const text = texts.at(-1);
    assert.ok(text, 'a text has a place');
    if (font !== undefined) {
      letters = fonts[Number(font)];
      text.size = Number(size);
    }
    if (said !== undefined) text.text += unpacked(said);
    isSaid = said !== undefined || (isSaid && end === undefined);
    const codes = [...(shown ?? '').matchAll(/<([\da-f]*)>/g)].flatMap(
      ([, some = '']) => some.match(/../g) ?? [],
    );
    if (!isSaid) text.text += codes.map((code) => letters?.get(code)).join('');
  }
  return texts;
}

function contentOf(content: string, fonts: Fonts): Pick<ReadPage, 'texts' | 'codes'> {
  const codes = [...content.matchAll(/q (\S+) 0 0 \S+ (\S+) (\S+) cm\n([^f]*)\nf Q/g)].map(
    ([, module, x, y, bars = '']) => ({
      module: Number(module),
      x: Number(x),
      y: Number(y),
      bars: bars.split('\n').map((bar) => bar.split(' ').slice(0, 3).map(Number)),
    }),
  );
  return { texts: textsOf(content, fonts), codes };
}

const PIXELS = 4;
const QUIET = 4;

/** What a decoder reads in a code; it throws where it reads nothing. */
export function decoded({ bars }: ReadCode): string {
  const size = Math.max(...bars.map(([x = 0, , width = 0]) => x + width));
  const side = (size + 2 * QUIET) * PIXELS;
  const data = new Uint8Array(side * side * 4).fill(255);
  for (const [x = 0, y = 0, width = 0] of bars) {
    for (let down = 0; down < PIXELS; down += 1) {
      const from = ((y + QUIET) * PIXELS + down) * side + (x + QUIET) * PIXELS;
      for (let at = from; at < from + width * PIXELS; at += 1) data.set([0, 0, 0], at * 4);
    }
  }
  return decodeQR({ width: side, height: side, data });
}
