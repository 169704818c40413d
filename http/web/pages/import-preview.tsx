/**
 * What was read of a file before it is an import: the first rows, and what each column is, by guess or by hand. The file comes
 * back with the form, compressed, so the server keeps nothing of a file that nobody confirmed.
 */

import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type Column, type Table as CsvTable, unreadIn } from '../csv.ts';
import type { Locale } from '../locale.ts';
import type { PageReply, SignedIn } from '../page.ts';
import { Back, Head, Note, Refusal } from '../parts/elements.tsx';
import { Table } from '../parts/table.tsx';

const COLUMNS = [
  ['name', 'import.isName'],
  ['type', 'new.type'],
  ['label', 'import.isLabel'],
  ['accessToken', 'new.token'],
  ['mqttClientId', 'import.isClientId'],
  ['mqttUserName', 'import.isUserName'],
  ['mqttPassword', 'import.isPassword'],
  ['certificate', 'import.isCertificate'],
  ['secretKey', 'import.isKey'],
  ['kit', 'import.isKit'],
] as const satisfies readonly (readonly [Column, string])[];
const ROWS_SHOWN = 4;
const CELL_SHOWN = 60;

/** What a form says that a column is; undefined: nobody reads it. */
export const columnNamed = (text: string): Column | undefined =>
  COLUMNS.find(([column]) => column === text)?.[0];

/** What the file calls a column, as much of it as is shown; a column without a title is told by its number. */
function titleOf({ head }: Pick<CsvTable, 'head'>, at: number, { say }: Locale): string {
  return shortened(head[at]?.trim() || say('import.nameless', { nth: at + 1 }));
}

/** Titles of columns in quotation marks, one after the other: each in its own direction, their list in that of the sentence. */
interface Names {
  readonly list: string;
}

export function named(columns: readonly number[], table: CsvTable, locale: Locale): Names {
  const names = columns.map((at) => locale.say('import.quoted', { name: titleOf(table, at, locale) }));
  return { list: new Intl.ListFormat(locale.tag, { type: 'unit', style: 'short' }).format(names) };
}

/** A sentence with names in it. */
export const sentenceOf = (pieces: readonly (string | Names)[]): string =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : piece.list)).join('');

interface Preview {
  readonly table: CsvTable;
  readonly columns: readonly (Column | undefined)[];
  /** The file, as `packed` makes it. */
  readonly content: string;
  readonly refusal?: string;
}

export function previewReply({ locale }: SignedIn, { table, columns, content, refusal }: Preview): PageReply {
  const { say } = locale;
  const rows = table.records.length;
  const unread = unreadIn(table, columns);
  return {
    type: 'page',
    title: say('import.title'),
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/devices/import" label={say('import.another')} />
        <Head title={say('import.columns')} lead={say('import.wereRead', { count: rows })} />
        <Refusal text={refusal} />
        {unread.length === 0 ? null : (
          <Note kind="warn">
            {sentenceOf(
              say.pieces('import.unread', { count: unread.length, names: named(unread, table, locale) }),
            )}
          </Note>
        )}
        <form method="post" action="/devices/import" enctype="multipart/form-data">
          <input type="hidden" name="content" value={content} />
          <FileColumns table={table} columns={columns} locale={locale} />
          <label class="check">
            <input type="checkbox" name="keys" value="yes" checked /> {say('import.makeKeys')}
          </label>
          <button type="submit" name="do" value="check" class="primary">
            {say('import.check')}
          </button>
        </form>
      </>
    ),
  };
}

interface WithLocale {
  readonly locale: Locale;
}

/** A row for each column of the file: its title, what it is, and what is in it. */
function FileColumns({ table, columns, locale }: Pick<Preview, 'table' | 'columns'> & WithLocale) {
  const { say } = locale;
  const titleAt = (at: number) => titleOf(table, at, locale);
  return (
    <Table
      caption={say('import.columnsOf')}
      shown
      columns={[
        { title: say('import.column'), kind: 'row', cell: titleAt },
        {
          title: say('import.whatItIs'),
          kind: 'bare',
          cell: (at) => <Choice at={at} title={titleAt(at)} chosen={columns[at]} locale={locale} />,
        },
        { title: say('import.firstRows'), kind: 'bare', cell: (at) => <FirstCells table={table} at={at} /> },
      ]}
      rows={table.head.map((_, at) => at)}
    />
  );
}

interface ChoiceProps extends WithLocale {
  readonly at: number;
  readonly title: string;
  readonly chosen: Column | undefined;
}

function Choice({ at, title, chosen, locale: { say } }: ChoiceProps) {
  return (
    <select name={`column${at}`} aria-label={say('import.whatIs', { column: title })}>
      <option value="" selected={chosen === undefined}>
        {say('import.leftOut')}
      </option>
      {COLUMNS.map(([value, text]) => (
        <option value={value} selected={value === chosen}>
          {say(text)}
        </option>
      ))}
    </select>
  );
}

function FirstCells({ table, at }: { table: CsvTable; at: number }) {
  const cells = table.records.slice(0, ROWS_SHOWN).map((record) => shortened(record[at]?.trim() || '–'));
  return (
    <ol class="cells">
      {cells.map((cell) => (
        <li>
          <bdi>{cell}</bdi>
        </li>
      ))}
    </ol>
  );
}

function shortened(text: string): string {
  const letters = Array.from(text);
  return letters.length > CELL_SHOWN ? `${letters.slice(0, CELL_SHOWN).join('')}…` : text;
}

/** As large as a form with a file may be, so that nobody sends a small text that becomes an endless one. */
const TEXT_BYTES_MAX = 32 * 1024 * 1024;
/** Lists whose rows say the same in long cells become 140 times as small; nothing that people write more than this. */
const RATIO_MAX = 256;
const SMALL_BYTES = 65_536;

export async function packed(text: string): Promise<string> {
  return (await promisify(gzip)(text)).toString('base64');
}

/** Undefined: it is not what `packed` made. */
export async function unpacked(content: string): Promise<string | undefined> {
  try {
    const compressed = Buffer.from(content, 'base64');
    const maxOutputLength = Math.min(TEXT_BYTES_MAX, SMALL_BYTES + RATIO_MAX * compressed.length);
    const bytes = await promisify(gunzip)(compressed, { maxOutputLength });
    return bytes.length === 0 ? undefined : bytes.toString();
  } catch {
    return undefined; // no form of ours
  }
}
