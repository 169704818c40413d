/** Reads comma-separated values as spreadsheets write them (RFC 4180, also with semicolons or tabs). */

const BOM = '\ufeff';
const SEPARATORS = [',', ';', '\t'] as const;

/** Every record with its cells; empty lines are left out. */
export function parseCsv(text: string): string[][] {
  const source = text.startsWith(BOM) ? text.slice(1) : text;
  const separator = separatorOf(source);
  const records: string[][] = [];
  let record: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < source.length; at += 1) {
    const letter = source.charAt(at);
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (source.charAt(at + 1) === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (letter === '"' && cell === '') quoted = true;
    else if (letter === separator) {
      record.push(cell);
      cell = '';
    } else if (letter === '\n' || letter === '\r') {
      if (letter === '\r' && source.charAt(at + 1) === '\n') at += 1;
      records.push([...record, cell]);
      record = [];
      cell = '';
    } else cell += letter;
  }
  records.push([...record, cell]);
  return records.filter((cells) => cells.some((text) => text.trim() !== ''));
}

/** Whichever of them the first line has most. */
function separatorOf(source: string): string {
  const [line = ''] = source.split(/\r?\n/, 1);
  const counted = SEPARATORS.map((separator) => [separator, line.split(separator).length] as const);
  return counted.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

export interface DeviceRow {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly accessToken: string;
  readonly secretKey: string;
}

/** What a column may be called, whatever its case, with or without spaces. */
const COLUMNS: Readonly<Record<string, keyof DeviceRow>> = {
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
};

/** The devices that a file lists; undefined when its first line names no column for their names. */
export function devicesIn(text: string): DeviceRow[] | undefined {
  const [head = [], ...records] = parseCsv(text);
  const columns = head.map((title) => COLUMNS[title.toLowerCase().replace(/[^a-z]/g, '')]);
  if (!columns.includes('name')) return undefined;
  return records.map((cells) => {
    const cell = (wanted: keyof DeviceRow) => (cells[columns.indexOf(wanted)] ?? '').trim();
    return {
      name: cell('name'),
      type: cell('type'),
      label: cell('label'),
      accessToken: cell('accessToken'),
      secretKey: cell('secretKey'),
    };
  });
}
