/** Reads device lists in CSV as spreadsheets write it: RFC 4180, also with semicolons or tabs. */

const BOM = '\ufeff';
const SEPARATORS = [',', ';', '\t'] as const;

/** U+FFFD stands where bytes were not UTF-8; NUL is in no text. */
const NOT_UTF8 = /[\ufffd\0]/;

/** The records with their cells, at most `recordsMax`. Empty lines are left out. */
export function parseCsv(text: string, recordsMax = Number.POSITIVE_INFINITY): string[][] | OpenQuote {
  const source = text.startsWith(BOM) ? text.slice(1) : text;
  const separator = separatorOf(source);
  const records: string[][] = [];
  let record: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let openedInLine = 1;
  const end = () => {
    record.push(cell);
    if (record.some((text) => text.trim() !== '')) records.push(record);
    record = [];
    cell = '';
  };
  for (let at = 0; at < source.length && records.length < recordsMax; at += 1) {
    const letter = source.charAt(at);
    if (letter === '\n' || (letter === '\r' && source.charAt(at + 1) !== '\n')) line += 1;
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (source.charAt(at + 1) === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (letter === '"' && cell === '') {
      quoted = true;
      openedInLine = line;
    } else if (letter === separator) {
      record.push(cell);
      cell = '';
    } else if (letter === '\n' || letter === '\r') end();
    else cell += letter;
  }
  if (records.length >= recordsMax) return records;
  if (quoted) return { openQuoteInLine: openedInLine };
  end();
  return records;
}

/** The separator that the first line has most of. */
function separatorOf(source: string): string {
  const [line = ''] = source.split(/\r?\n/, 1);
  const counted = SEPARATORS.map((separator) => [separator, line.split(separator).length] as const);
  return counted.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

/** A quotation mark that is never closed, so that nobody can say where its cell ends. */
interface OpenQuote {
  readonly openQuoteInLine: number;
}

/** One device of a list. Cells that are missing are empty. */
export interface ListedDevice {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly accessToken: string;
  readonly secretKey: string;
  readonly kit: string;
}

/** Names of columns, in any case, with or without spaces. */
const COLUMNS: Readonly<Record<string, keyof ListedDevice>> = {
  name: 'name',
  device: 'name',
  devicename: 'name',
  type: 'type',
  label: 'label',
  description: 'label',
  accesstoken: 'accessToken',
  token: 'accessToken',
  secretkey: 'secretKey',
  key: 'secretKey',
  kit: 'kit',
  order: 'kit',
};

/** What a file has that nobody reads: columns of other names, columns twice, and a row with more cells than columns. */
interface Unread {
  readonly unknown: readonly string[];
  readonly twice: readonly string[];
  /** Counted from 1, without the first line; undefined: none. */
  readonly longRow: number | undefined;
}

/**
 * The devices that a file lists, or why it cannot be read. `no-name`: its first line names no column for device names.
 * `not-utf8`: letters would be lost, or it is no text at all. Nothing is lost silently: what nobody would read is named.
 * @param max of more devices than this it returns `max + 1`
 * @param leaveOut whether columns of unknown names are left out
 */
export function devicesIn(
  text: string,
  max = Number.POSITIVE_INFINITY,
  leaveOut = false,
): ListedDevice[] | 'no-name' | 'not-utf8' | OpenQuote | Unread {
  if (NOT_UTF8.test(text)) return 'not-utf8';
  const parsed = parseCsv(text, max + 2);
  if (!Array.isArray(parsed)) return parsed;
  const [head = [], ...records] = parsed;
  const columns = head.map((title) => COLUMNS[title.toLowerCase().replace(/[^a-z]/g, '')]);
  if (!columns.includes('name')) return 'no-name';
  const unread = unreadIn(head, columns, records);
  const isLost = unread.twice.length > 0 || unread.longRow !== undefined;
  if (isLost || (unread.unknown.length > 0 && !leaveOut)) return unread;
  return records.map((cells) => {
    const cell = (wanted: keyof ListedDevice) => (cells[columns.indexOf(wanted)] ?? '').trim();
    return {
      name: cell('name'),
      type: cell('type'),
      label: cell('label'),
      accessToken: cell('accessToken'),
      secretKey: cell('secretKey'),
      kit: cell('kit'),
    };
  });
}

function unreadIn(
  head: readonly string[],
  columns: readonly (keyof ListedDevice | undefined)[],
  records: readonly (readonly string[])[],
): Unread {
  const isUsed = (at: number) => records.some((cells) => (cells[at] ?? '').trim() !== '');
  const named = (at: number) => head[at]?.trim() || `column ${at + 1}`;
  const all = columns.map((column, at) => ({ column, at }));
  const unknown = all
    .filter(({ column, at }) => column === undefined && isUsed(at))
    .map(({ at }) => named(at));
  const twice = all
    .filter(({ column, at }) => column !== undefined && columns.indexOf(column) < at)
    .map(({ at }) => named(at));
  const longRow = records.findIndex((cells) => cells.slice(head.length).some((cell) => cell.trim() !== ''));
  return { unknown, twice, longRow: longRow === -1 ? undefined : longRow + 1 };
}
