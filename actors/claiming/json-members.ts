/**
 * The members of a JSON object as they are written. `JSON.parse` makes 12345678901234567890 and 1.0 into numbers that no
 * longer say how they were written; a secret that a device sends as a number must keep every digit.
 */

/**
 * The text of each member's value, by the member's name; of two members of one name the last counts.
 * @param text JSON that `JSON.parse` has made an object of; anything else throws or means nothing
 */
export function jsonMembers(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let at = afterSpace(text, afterSpace(text, 0) + 1); // behind the brace
  while (text[at] !== '}') {
    const nameEnd = endOfString(text, at);
    const valueStart = afterSpace(text, afterSpace(text, nameEnd) + 1); // behind the colon
    const valueEnd = endOfValue(text, valueStart);
    members.set(JSON.parse(text.slice(at, nameEnd)), text.slice(valueStart, valueEnd));
    at = afterSpace(text, valueEnd);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
  return members;
}

function afterSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text[at])) at += 1;
  return at;
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t';
}

/** Lists and objects are skipped by counting brackets, however deep they are: no recursion. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    switch (text[at]) {
      case undefined:
        throw new RangeError('not a JSON object');
      case '"':
        at = endOfString(text, at);
        break;
      case '{':
      case '[':
        depth += 1;
        at += 1;
        break;
      case '}':
      case ']':
        depth -= 1;
        at += 1;
        break;
      case ' ':
      case '\n':
      case '\r':
      case '\t':
      case ',':
      case ':':
        at += 1; // only inside of a list or an object
        break;
      default:
        at = endOfWord(text, at);
    }
  } while (depth > 0);
  return at;
}

/** A number, `true`, `false` or `null`. */
function endOfWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isSpace(text[at]) && !',]}'.includes(text[at] ?? '')) at += 1;
  return at;
}

/** @param from where the opening quote is */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  throw new RangeError('not a JSON object');
}
