/**
 * English as a language that nobody speaks: accents on every letter and 40 % longer, in brackets. Pages are looked at in
 * it, to see what would overflow, and what is in no catalogue. For tests and development alone.
 */

const FROM = 'aceilnorsuyzACEILNORSUYZ';
const TO = 'áçéíłñóŕšúýžÁÇÉÍŁÑÓŔŠÚÝŽ';
const LONGER = 0.4;
const FILL = ' lorem ipsum dolor sit amet';

export function pseudo(text: string): string {
  if (text.trim() === '') return text;
  const accented = [...text].map((letter) => TO[FROM.indexOf(letter)] ?? letter).join('');
  const more = Math.ceil(text.trim().length * LONGER);
  const fill = FILL.repeat(Math.ceil(more / FILL.length)).slice(0, more);
  const [, before = '', inner = '', after = ''] = /^(\s*)(.*?)(\s*)$/s.exec(accented) ?? [];
  return `${before}[${inner}${fill}]${after}`;
}
