/** Labels without a server: the stock, lines of every script, what is on a label, and PDFs whose codes a decoder reads. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { builtInFonts } from '../../http/labels/fonts.ts';
import { drawLabel, type Labelled } from '../../http/labels/label.ts';
import { linesOf, type Run } from '../../http/labels/script.ts';
import { firstPageAsSvg, labelsAsPdf } from '../../http/labels/sheets.ts';
import { cornerOf, perPage, STOCKS } from '../../http/labels/stocks.ts';
import { claimLink, typedAddress } from '../../http/wire/links.ts';
import { decoded, readPdf, wordsOn } from '../kit/pdf-reader.ts';

const fonts = await builtInFonts();
const BASE = 'https://claim.example.org';
const MM = 72 / 25.4;

function label(name: string, secretKey = 'ABCD-EFGH-JKMN-PQRS'): Labelled {
  return { name, secretKey, url: claimLink(BASE, name, secretKey), address: typedAddress(BASE) };
}

async function pdf(labels: readonly Labelled[], options: Parameters<typeof labelsAsPdf>[1]): Promise<Buffer> {
  async function* each() {
    yield* labels;
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of labelsAsPdf(each(), options, fonts)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('labels: every place of every stock is on its page, and no two overlap', () => {
  for (const stock of STOCKS) {
    const corners = Array.from({ length: perPage(stock) }, (_, place) => cornerOf(stock, place));
    for (const [place, { x, y }] of corners.entries()) {
      const { width, height } = stock.label;
      assert.ok(x >= 0 && y >= 0, stock.id);
      assert.ok(x + width <= stock.page.width + 1e-9 && y + height <= stock.page.height + 1e-9, stock.id);
      for (const other of corners.slice(place + 1)) {
        const apart = Math.abs(other.x - x) > width - 1e-9 || Math.abs(other.y - y) > height - 1e-9;
        assert.ok(apart, stock.id);
      }
    }
  }
});

/** Letters of a line from left to right; brackets of what runs to the left are mirrored. */
const seenIn = (runs: readonly Run[]) =>
  runs.map(({ text, toTheLeft }) => (toTheLeft ? mirrored([...text].reverse().join('')) : text)).join('');
const mirrored = (text: string) =>
  text.replace(/[()[\]]/g, (bracket) => '()[]'['()[]'.indexOf(bracket) ^ 1] ?? '');
const asSeen = (text: string) => seenIn(linesOf(text)(0, text.length));
const idsOf = (text: string) => fonts.set(linesOf(text)(0, text.length)).map(({ id }) => id);

test('labels: a line is set as one sees it: Arabic joins, Hebrew runs to the left, numbers and Latin do not', () => {
  assert.is(asSeen('Zimní čerpadlo 7'), 'Zimní čerpadlo 7');
  assert.is(asSeen('שלום'), [...'שלום'].reverse().join(''));
  assert.is(asSeen('שלום 12.5'), `12.5 ${[...'שלום'].reverse().join('')}`);
  assert.is(asSeen('Unit שלום 7'), `Unit 7 ${[...'שלום'].reverse().join('')}`);
  assert.is(asSeen('שלום ABC 12 x'), `ABC 12 x ${[...'שלום'].reverse().join('')}`);
  assert.is(asSeen('(שלום)'), `(${[...'שלום'].reverse().join('')})`);
  // Brackets go with what is in them; what browsers show of the same texts is the same.
  const [pump, model] = ['משאבה', 'דגם'].map((word) => [...word].reverse().join(''));
  assert.is(asSeen('משאבה (דגם ABC-12) 7'), `7 (ABC-12 ${model}) ${pump}`);
  assert.is(asSeen('משאבה (ABC) 7'), `7 (ABC) ${pump}`);
  assert.is(asSeen('ABC (משאבה) 7'), `ABC (${pump}) 7`);
  assert.is(asSeen('ABC ([משאבה) x'), `ABC ([${pump}) x`);
  // A line of a text that runs to the left runs to the left, also where its own letters do not.
  const text = 'משאבה (דגם ABC-12) 7';
  const seen = linesOf(text);
  const middle = text.indexOf('ABC');
  assert.equal(
    [seenIn(seen(0, middle - 1)), seenIn(seen(middle, text.length))],
    [`${model}) ${pump}`, '7 (ABC-12'],
  );
  // Beh: at the end, in the middle, at the beginning; alone. Dal does not reach on. Lam and alef are one.
  const [end, middleForm, beginning] = idsOf('ببب');
  const [alone] = idsOf('ب');
  assert.is(new Set([end, middleForm, beginning, alone]).size, 4);
  assert.equal(idsOf('بب'), [end, beginning]);
  const [behindDal, dal] = idsOf('دب');
  assert.equal([behindDal, dal], [alone, idsOf('د')[0]]);
  assert.is(idsOf('لا').length, 1);
  assert.is(idsOf('بلا').length, 2);
});

test('labels: of every stock, code and lines are on the label, the key whole, whatever the name', () => {
  const names = [
    'A',
    'Pumpe im Keller 12',
    'W'.repeat(255),
    `${'of the annex '.repeat(19)}x`,
    'مضخة التدفئة رقم 7',
    '温度计',
  ];
  for (const stock of STOCKS) {
    for (const name of names) {
      const wanted = label(name);
      const drawn = drawLabel(wanted, stock, fonts);
      assert.ok(drawn, `${stock.id} ${name}`);
      const { code, lines } = drawn;
      const { width, height } = stock.label;
      const side = code.rows.length * code.module;
      const quiet = 4 * code.module;
      assert.ok(
        code.x >= quiet && code.y >= quiet - 1e-9 && code.y + side + quiet <= height + 1e-9,
        stock.id,
      );
      for (const line of lines) {
        assert.ok(line.x >= code.x + side + quiet - 1e-9, `${stock.id}: white between code and text`);
        assert.ok(line.x + line.width <= width, `${stock.id} ${name}: ${line.text}`);
        assert.ok(
          line.y - line.size * 0.8 >= 0 && line.y + line.size * 0.25 <= height,
          `${stock.id} ${name}`,
        );
      }
      const text = lines.map((line) => line.text).join('');
      assert.match(text, wanted.secretKey, stock.id);
      assert.match(text, 'claim.example.org/claim', stock.id);
    }
  }
});

test('labels: a long name that runs to the left is folded by halving, and no line could take one letter more', () => {
  const [stock] = STOCKS;
  const name = 'שלוםעליכם'.repeat(28);
  let looks = 0;
  const counting = {
    ...fonts,
    measure(text: string) {
      looks += text.length;
      return fonts.measure(text);
    },
  };
  const drawn = drawLabel(label(name), stock, counting);
  assert.ok(drawn);
  assert.ok(looks < 20_000, `${looks} letters were measured`);
  const hebrew = drawn.lines.filter(({ text }) => /\p{Script=Hebrew}/u.test(text));
  assert.ok(hebrew.length > 2);
  const room = Math.max(...drawn.lines.map(({ width }) => width));
  for (const { width, size } of hebrew.slice(0, -1))
    assert.ok(width + size > room - size, 'the line is full');
});

test('labels: what comes out badly is said', () => {
  const [sheet] = STOCKS;
  const small = STOCKS.find(({ id }) => id === 'avery-l7651') ?? sheet;
  const flaws = (name: string, key = 'ABCD', stock = sheet) =>
    drawLabel(label(name, key), stock, fonts)?.flaws;
  assert.equal(flaws('Pump 1'), []);
  assert.equal(flaws('温度计'), ['letters-missing']);
  assert.equal(flaws('W'.repeat(255), 'ABCD', small), ['fine-code', 'name-cut']);
  assert.equal(flaws('Pump', 'k'.repeat(300), small), ['fine-code', 'key-left-out']);
  assert.is(flaws('温'.repeat(255), 'k'.repeat(900)), undefined, 'no code holds so much');
});

test('labels: a PDF begins at the place that is free, and a decoder reads every code in it', async () => {
  const names = Array.from({ length: 50 }, (_, at) => `Gerät ${at} “мотор” & <x>`);
  const labels = [...names.map((name) => label(name)), label('مضخة 7'), label('W'.repeat(255))];
  for (const stock of STOCKS) {
    const first = Math.min(3, perPage(stock));
    const pages = readPdf(await pdf(labels, { stock, first }));
    assert.is(pages.length, Math.ceil((labels.length + first - 1) / perPage(stock)), stock.id);
    const codes = pages.flatMap((page) => page.codes.map((code) => ({ page, code })));
    assert.is(codes.length, labels.length);
    for (const [nth, { page, code }] of codes.entries()) {
      const { x, y } = cornerOf(stock, (nth + first - 1) % perPage(stock));
      const inside = code.x > x * MM && page.height - code.y > y * MM - 1e-3;
      assert.ok(inside && code.x < (x + stock.label.width) * MM, `${stock.id}, ${nth}`);
      if (nth % 7 === 0 || nth > 48) assert.is(decoded(code), labels[nth]?.url, stock.id);
    }
    // Lines are folded where labels are narrow.
    const words = wordsOn(pages).join('');
    assert.match(words, 'ABCD-EFGH-JKMN-PQRS');
    assert.match(words.replaceAll(' ', ''), 'Gerät0“мотор”');
  }
});

test('labels: a PDF without labels is one empty page, and the picture has outlines, and no text that is markup', async () => {
  const [stock] = STOCKS;
  assert.is(readPdf(await pdf([], { stock, first: 1 })).length, 1);
  const svg = await firstPageAsSvg([label('<script>"&')], 1, { stock, first: 1 }, fonts);
  assert.not.match(svg, 'script');
  assert.ok(svg.split('<use ').length > 8, 'its letters are drawn');
});

test.run();
