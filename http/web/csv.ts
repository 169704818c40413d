/** Reads device lists in CSV as spreadsheets write it: RFC 4180, also with semicolons or tabs. */

import { nextTurn } from '../../actors/base/slices.ts';

const BOM = '\ufeff';
const SEPARATORS = [',', ';', '\t'] as const;

/** U+FFFD stands where bytes were not UTF-8; NUL is in no text. */
const NOT_UTF8 = /[\ufffd\0]/;

/** What of a file is read; a small one, unpacked, may be millions of commas. */
interface Limits {
  /** Of more than these, this many are read. */
  readonly records: number;
  /** Columns of one record. */
  readonly columns: number;
  /** Of all records, and of the empty lines. */
  readonly cells: number;
}

const ANY = Number.POSITIVE_INFINITY;
const NO_LIMITS: Limits = { records: ANY, columns: ANY, cells: ANY };
/** Letters that are read before others get their turn: some milliseconds. */
const LETTERS_PER_TURN = 100_000;

/** The records with their cells. Empty lines are left out. */
export function parseCsv(text: string): string[][] | OpenQuote | TooLarge {
  return whole(parsing(text, NO_LIMITS));
}

/** What a generator ends with, without giving way. */
function whole<Result>(steps: Generator<void, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Gives way where it yields. */
function* parsing(text: string, limits: Limits): Generator<void, string[][] | OpenQuote | TooLarge> {
  const source = text.startsWith(BOM) ? text.slice(1) : text;
  const separator = separatorOf(source);
  const records: string[][] = [];
  let record: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let openedInLine = 1;
  let cells = 0;
  let pause = LETTERS_PER_TURN;
  const end = () => {
    record.push(cell);
    cells += record.length;
    if (record.some((text) => text.trim() !== '')) records.push(record);
    record = [];
    cell = '';
  };
  for (let at = 0; at < source.length && records.length < limits.records; at += 1) {
    if (record.length >= limits.columns) return { wideLine: line };
    if (cells > limits.cells) return { cellsMax: limits.cells };
    if (at >= pause) {
      yield;
      pause = at + LETTERS_PER_TURN;
    }
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
  if (records.length >= limits.records) return records;
  if (quoted) return { openQuoteInLine: openedInLine };
  end();
  return records;
}

/** The separator that the first line has most of. */
function separatorOf(source: string): string {
  const counts = new Map<string, number>(SEPARATORS.map((separator) => [separator, 0]));
  for (let at = 0; at < Math.min(source.length, LETTERS_PER_TURN); at += 1) {
    const letter = source.charAt(at);
    if (letter === '\n') break;
    const count = counts.get(letter);
    if (count !== undefined) counts.set(letter, count + 1);
  }
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

/** A line with more columns, or a file with more cells, than are read. */
type TooLarge = { readonly wideLine: number } | { readonly cellsMax: number };

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
  readonly mqttClientId: string;
  readonly mqttUserName: string;
  readonly mqttPassword: string;
  readonly certificate: string;
  readonly secretKey: string;
  readonly kit: string;
}

export type Column = keyof ListedDevice;

/** Names of columns, in any case, with or without spaces; also those of ThingsBoard's import. */
const NAMES: Readonly<Record<string, Column>> = {
  name: 'name',
  device: 'name',
  devicename: 'name',
  serialnumber: 'name',
  type: 'type',
  devicetype: 'type',
  deviceprofile: 'type',
  label: 'label',
  description: 'label',
  accesstoken: 'accessToken',
  token: 'accessToken',
  credentials: 'accessToken',
  mqttclientid: 'mqttClientId',
  clientid: 'mqttClientId',
  mqttusername: 'mqttUserName',
  username: 'mqttUserName',
  mqttpassword: 'mqttPassword',
  password: 'mqttPassword',
  x509: 'certificate',
  x509certificate: 'certificate',
  certificate: 'certificate',
  secretkey: 'secretKey',
  key: 'secretKey',
  claimkey: 'secretKey',
  kit: 'kit',
  order: 'kit',
};

/** The Things Stack names devices by `id`, and calls what people read `name`. Its claim codes open devices. */
const THINGS_STACK: Readonly<Record<string, Column>> = {
  id: 'name',
  name: 'label',
  claimauthenticationcode: 'secretKey',
  claimauthenticationcodevalue: 'secretKey',
};
const THINGS_STACK_KNOWN_BY = ['id', 'deveui'];

/** What each column seems to be; undefined: nobody knows, or one before it is that already. */
export function guessed(head: readonly string[]): (Column | undefined)[] {
  const plain = head.map((title) => title.toLowerCase().replace(/[^a-z]/g, ''));
  const withDigits = head.map((title) => title.toLowerCase().replace(/[^a-z0-9]/g, ''));
  const names = THINGS_STACK_KNOWN_BY.every((name) => plain.includes(name)) ? THINGS_STACK : NAMES;
  const named = (title: string) => (Object.hasOwn(names, title) ? names[title] : undefined);
  const columns = plain.map((title, at) => named(withDigits[at] ?? '') ?? named(title));
  return columns.map((column, at) => (columns.indexOf(column) < at ? undefined : column));
}

/** A file as it was read: what the first line says, and the lines after it. */
export interface Table {
  readonly head: readonly string[];
  readonly records: readonly (readonly string[])[];
}

/** A row with more cells than there are columns, which would be lost. Counted from 1, without the first line. */
interface LongRow {
  readonly longRow: number;
}

type Unread = 'not-utf8' | OpenQuote | LongRow | TooLarge;

/**
 * The table of a file, or why it cannot be read: letters would be lost (`not-utf8`), or it is no text at all. Gives way to
 * others while it reads.
 */
export async function tableIn(text: string, limits = NO_LIMITS): Promise<Table | Unread> {
  if (NOT_UTF8.test(text)) return 'not-utf8';
  const steps = parsing(text, limits);
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) await nextTurn();
  const parsed = step.value;
  if (!Array.isArray(parsed)) return parsed;
  const [head = [], ...records] = parsed;
  const longRow = records.findIndex((cells) => cells.slice(head.length).some((cell) => cell.trim() !== ''));
  return longRow === -1 ? { head, records } : { longRow: longRow + 1 };
}

/** The columns that have something in them and are read by nobody, counted from 0. */
export function unreadIn(table: Table, columns: readonly (Column | undefined)[]): number[] {
  const isUsed = (at: number) => table.records.some((cells) => (cells[at] ?? '').trim() !== '');
  return [...table.head.keys()].filter((at) => columns[at] === undefined && isUsed(at));
}

/**
 * The devices of a table. @param columns what each column is; undefined: it is left out
 * @returns why there are none: no column has names (`no-name`), or the columns that are the same as one before them (`twice`, counted from 0)
 */
export function devicesIn(
  table: Table,
  columns: readonly (Column | undefined)[],
): ListedDevice[] | 'no-name' | { readonly twice: readonly number[] } {
  if (!columns.includes('name')) return 'no-name';
  const twice = [...columns.entries()].filter(
    ([at, column]) => column !== undefined && columns.indexOf(column) < at,
  );
  if (twice.length > 0) return { twice: twice.map(([at]) => at) };
  return table.records.map((cells) => {
    const cell = (wanted: Column) => (cells[columns.indexOf(wanted)] ?? '').trim();
    return {
      name: cell('name'),
      type: cell('type'),
      label: cell('label'),
      accessToken: cell('accessToken'),
      mqttClientId: cell('mqttClientId'),
      mqttUserName: cell('mqttUserName'),
      // Spaces around a password may be a part of it.
      mqttPassword: cell('mqttPassword') === '' ? '' : (cells[columns.indexOf('mqttPassword')] ?? ''),
      certificate: cell('certificate'),
      secretKey: cell('secretKey'),
      kit: cell('kit'),
    };
  });
}
