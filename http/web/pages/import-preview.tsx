/**
 * What was read of a file before it is an import: the first rows, and what each column is, by guess or by hand. The file comes
 * back with the form, compressed, so the server keeps nothing of a file that nobody confirmed.
 */

import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type Column, type Table as CsvTable, titleOf, unreadIn } from '../csv.ts';
import type { PageReply, SignedIn } from '../page.ts';
import { Back, Head, Note, Refusal } from '../parts/elements.tsx';
import { Table } from '../parts/table.tsx';

const COLUMNS: readonly (readonly [Column, string])[] = [
  ['name', 'Name of the device'],
  ['type', 'Type'],
  ['label', 'Label'],
  ['accessToken', 'Access token'],
  ['mqttClientId', 'MQTT client id'],
  ['mqttUserName', 'MQTT user name'],
  ['mqttPassword', 'MQTT password'],
  ['certificate', 'X.509 certificate (PEM)'],
  ['secretKey', 'Key for claiming'],
  ['kit', 'Kit: devices that are claimed together'],
];
const ROWS_SHOWN = 4;
const CELL_SHOWN = 60;

/** What a form says that a column is; undefined: nobody reads it. */
export const columnNamed = (text: string): Column | undefined =>
  COLUMNS.find(([column]) => column === text)?.[0];

export const quoted = (names: readonly string[]): string => names.map((name) => `“${name}”`).join(', ');

interface Preview {
  readonly table: CsvTable;
  readonly columns: readonly (Column | undefined)[];
  /** The file, as `packed` makes it. */
  readonly content: string;
  readonly refusal?: string;
}

export function previewReply({ locale }: SignedIn, { table, columns, content, refusal }: Preview): PageReply {
  const { number } = locale;
  const rows = table.records.length;
  const unread = unreadIn(table, columns);
  return {
    type: 'page',
    title: 'Import devices',
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/devices/import" label="Choose another file" />
        <Head
          title="What is in the columns?"
          lead={`${number(rows)} row${rows === 1 ? '' : 's'} ${rows === 1 ? 'was' : 'were'} read. Nothing is changed yet.`}
        />
        <Refusal text={refusal} />
        {unread.length === 0 ? null : (
          <Note kind="warn">
            Nobody reads {quoted(unread)}: say below what {unread.length === 1 ? 'it is' : 'they are'}, or{' '}
            {unread.length === 1 ? 'it is' : 'they are'} left out.
          </Note>
        )}
        <form method="post" action="/devices/import" enctype="multipart/form-data">
          <input type="hidden" name="content" value={content} />
          <FileColumns table={table} columns={columns} />
          <label class="check">
            <input type="checkbox" name="keys" value="yes" checked /> Make keys for the labels of rows that
            have none
          </label>
          <button type="submit" name="do" value="check" class="primary">
            Check the rows
          </button>
        </form>
      </>
    ),
  };
}

/** A row for each column of the file: its title, what it is, and what is in it. */
function FileColumns({ table, columns }: Pick<Preview, 'table' | 'columns'>) {
  const titleAt = (at: number) => shortened(titleOf(table, at));
  return (
    <Table
      caption="Columns of the file"
      shown
      columns={[
        { title: 'Column', kind: 'row', cell: titleAt },
        {
          title: 'What it is',
          kind: 'bare',
          cell: (at) => <Choice at={at} title={titleAt(at)} chosen={columns[at]} />,
        },
        { title: 'First rows', kind: 'bare', cell: (at) => <FirstCells table={table} at={at} /> },
      ]}
      rows={table.head.map((_, at) => at)}
    />
  );
}

function Choice({ at, title, chosen }: { at: number; title: string; chosen: Column | undefined }) {
  return (
    <select name={`column${at}`} aria-label={`What “${title}” is`}>
      <option value="" selected={chosen === undefined}>
        Left out
      </option>
      {COLUMNS.map(([value, text]) => (
        <option value={value} selected={value === chosen}>
          {text}
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
        <li>{cell}</li>
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
