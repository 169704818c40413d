/** Replaces generated text between two marker lines of a handwritten document. */
export function betweenMarkers(text: string, begin: string, end: string, made: string): string {
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`the document has lost its ${begin}`);
  return `${before}${begin}\n${made}\n${end}${after}`;
}
