/**
 * The one table: a caption for who cannot see it, heads of columns, rows; on a phone each row is a card whose cells say
 * what they are.
 */
import type { Child } from 'hono/jsx';

export interface Column<Row> {
  readonly title: string;
  /**
   * `row`: names the row. `number`: written to the right. `bare`: says on a phone by itself what it is. `acts`: links and
   * buttons that say what they do, so that the title is read out alone. `pick`: a box to choose the row. `who`: an e-mail
   * address, which is not broken where there is room.
   */
  readonly kind?: 'row' | 'number' | 'bare' | 'acts' | 'pick' | 'who';
  readonly cell: (row: Row) => Child;
}

interface TableProps<Row> {
  readonly caption: Child;
  /** The caption is shown, and not only read out. */
  readonly shown?: boolean;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
}

/** Without a card around it. */
export function PlainTable<Row>({ caption, shown = false, columns, rows }: TableProps<Row>) {
  return (
    <table class="cards wrap">
      <caption {...(shown ? {} : { class: 'sr' })}>{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ title, kind }) => (
            <th scope="col" {...(kind === 'number' ? { class: 'num' } : {})}>
              {kind === 'acts' || kind === 'pick' ? <span class="sr">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr>
            {columns.map((column) => (
              <Cell column={column} row={row} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cell<Row>({ column: { title, kind, cell }, row }: { column: Column<Row>; row: Row }) {
  if (kind === 'row')
    return (
      <th scope="row">
        <bdi>{cell(row)}</bdi>
      </th>
    );
  if (kind === 'bare' || kind === 'acts') return <td>{cell(row)}</td>;
  if (kind === 'pick') return <td class="pick">{cell(row)}</td>;
  return (
    <td data-label={title} {...classOf(kind)}>
      {cell(row)}
    </td>
  );
}

function classOf<Row>(kind: Column<Row>['kind']): { class?: string } {
  if (kind === 'who') return { class: 'who' };
  return kind === 'number' ? { class: 'num' } : {};
}

export function Table<Row>(props: TableProps<Row>) {
  return (
    <div class="card tablecard">
      <PlainTable {...props} />
    </div>
  );
}
