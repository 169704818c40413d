/** Lists that are searched and paged: what the query asks for, the search field, links to the pages beside. */
import type { Locale } from '../locale.ts';

/** The page that a query asks for, counted from 0. */
export function pageOf(query: URLSearchParams): number {
  const page = Number(query.get('page') ?? '0');
  return Number.isSafeInteger(page) && page >= 0 && page < 2 ** 31 ? page : 0;
}

/** `1 device`, `20 devices`. */
export function count({ number }: Locale, how: number, one: string, many = `${one}s`): string {
  return `${number(how)} ${how === 1 ? one : many}`;
}

/** A form with one search field, at the head of a list. */
export function Search({ path, label, value }: { path: string; label: string; value: string }) {
  return (
    <search>
      <form class="search" action={path}>
        <div>
          <label for="search">{label}</label>
          <input id="search" type="search" name="search" value={value} maxlength={255} />
        </div>
        <button type="submit">Search</button>
      </form>
    </search>
  );
}

interface PagerProps {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of how many entries a page is. */
  readonly size: number;
  /** A page of the API. */
  readonly found: {
    readonly data: readonly unknown[];
    readonly totalElements: number;
    readonly hasNext: boolean;
  };
  readonly locale: Locale;
}

/** Which part of a list is shown, and links to the pages before and after. */
export function Pager({ path, query, size, found, locale }: PagerProps) {
  const page = pageOf(query);
  const pages = Math.max(1, Math.ceil(found.totalElements / size));
  const linkTo = (target: number) => {
    const params = new URLSearchParams(query);
    if (target === 0) params.delete('page');
    else params.set('page', String(target));
    return `${path}?${params}`;
  };
  return (
    <nav class="pager" aria-label="Pages">
      <span class="muted">{rangeOf(locale, page * size + 1, found.data.length, found.totalElements)}</span>
      <span class="row">
        {page === 0 ? null : (
          <a class="button" rel="prev" href={linkTo(Math.min(page, pages) - 1)}>
            {page < pages ? 'Previous' : 'To the last page'}
          </a>
        )}
        {found.hasNext ? (
          <a class="button" rel="next" href={linkTo(page + 1)}>
            Next
          </a>
        ) : null}
      </span>
    </nav>
  );
}

/** `21–40 of 1,000`. After the end, where people come by an old link or when entries went away, it says so. */
function rangeOf({ number }: Locale, from: number, shown: number, total: number): string {
  if (total === 0) return 'None';
  return shown === 0
    ? `The list ends before this page: it has ${number(total)}.`
    : `${number(from)}–${number(from + shown - 1)} of ${number(total)}`;
}

/** Why a list is empty: it ends before the page that was asked for, or `otherwise`. */
export function emptyText({ totalElements }: PagerProps['found'], otherwise: string): string {
  return totalElements > 0 ? 'There is nothing on this page.' : otherwise;
}
