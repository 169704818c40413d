/** A film for Chromium's fake camera (`--use-file-for-fake-video-capture`): codes held before it, one after the other. */
import { writeFileSync } from 'node:fs';
import { encode } from 'uqr';

const WIDTH = 640;
const HEIGHT = 480;
const FRAMES_PER_SECOND = 5;
const SECONDS_EACH = 3;
/** Of a module of the code, in pixels. */
const MODULE = 6;
const [BLACK, WHITE, GREY] = [16, 235, 128];

/** Writes YUV4MPEG2, 4:2:0. */
export function writeFilm(file: string, texts: readonly string[]): void {
  const frame = Buffer.from('FRAME\n');
  const colourless = Buffer.alloc((WIDTH * HEIGHT) / 2, GREY);
  const frames = texts.flatMap((text) => {
    const picture = pictureOf(text);
    return Array.from({ length: FRAMES_PER_SECOND * SECONDS_EACH }, () => [
      frame,
      picture,
      colourless,
    ]).flat();
  });
  const head = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FRAMES_PER_SECOND}:1 Ip A1:1 C420jpeg\n`);
  writeFileSync(file, Buffer.concat([head, ...frames]));
}

function pictureOf(text: string): Buffer {
  const { data, size } = encode(text, { ecc: 'M', border: 4 });
  const picture = Buffer.alloc(WIDTH * HEIGHT, GREY);
  const [left, top] = [Math.floor((WIDTH - size * MODULE) / 2), Math.floor((HEIGHT - size * MODULE) / 2)];
  for (let y = 0; y < size * MODULE; y += 1) {
    const row = data[Math.floor(y / MODULE)] ?? [];
    for (let x = 0; x < size * MODULE; x += 1) {
      picture[(top + y) * WIDTH + left + x] = row[Math.floor(x / MODULE)] ? BLACK : WHITE;
    }
  }
  return picture;
}
