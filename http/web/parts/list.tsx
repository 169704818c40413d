/** Lists that are searched and paged: what the query asks for, the search field, links to the pages beside. */
import { NEXT_PART, SEARCHED, TOTAL_IS } from '../../wire/totals.ts';
import type { Answer } from '../api.ts';
import type { Locale } from '../locale.ts';

/** The page that a query asks for, counted from 0. */
export function pageOf(query: URLSearchParams): number {
  const page = Number(query.get('page') ?? '0');
  return Number.isSafeInteger(page) && page >= 0 && page < 2 ** 31 ? page : 0;
}

/** How many entries a page of the API says there are, and whether it counted them all. */
interface Total {
  readonly totalElements: number;
  /** There may be more. */
  readonly atLeast?: boolean;
  /** At how many devices a search looked that did not look at all. */
  readonly searched?: number | undefined;
  /** The place at which such a search goes on. */
  readonly next?: string | undefined;
}

/** What the headers of a page of devices say about its total. */
export function totalOf({ headers }: Answer): Omit<Total, 'totalElements'> {
  const searched = headers.get(SEARCHED);
  const part = new URLSearchParams(headers.get(NEXT_PART) ?? '');
  return {
    atLeast: headers.get(TOTAL_IS) === 'at-least',
    searched: searched === null ? undefined : Number(searched),
    next: part.get('after') ?? undefined,
  };
}

/** `307 devices`; `at least 10,000 devices`; of a search also `found`, and how far it looked where it did not see all. */
export function deviceCount(
  { say }: Locale,
  { totalElements: count, atLeast, searched }: Total,
  filtered: boolean,
): string {
  if (!filtered) return say(atLeast ? 'fleet.atLeast' : 'mine.count', { count });
  if (searched === undefined) return say(atLeast ? 'fleet.foundAtLeast' : 'mine.found', { count });
  return say(atLeast ? 'fleet.foundAtLeastAmong' : 'fleet.foundAmong', { count, searched });
}

interface SearchProps {
  readonly path: string;
  readonly label: string;
  readonly button: string;
  readonly value: string;
}

/** A form with one search field, at the head of a list. */
export function Search({ path, label, button, value }: SearchProps) {
  return (
    <search>
      <form class="search" action={path}>
        <div>
          <label for="search">{label}</label>
          <input id="search" type="search" name="search" value={value} maxlength={255} />
        </div>
        <button type="submit">{button}</button>
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
    readonly hasNext: boolean;
  } & Total;
  readonly locale: Locale;
}

/** Which part of a list is shown, and links to the pages before and after; nothing where the list is empty and says so. */
export function Pager({ path, query, size, found, locale }: PagerProps) {
  if (found.totalElements === 0 && found.next === undefined) return null;
  const page = pageOf(query);
  const pages = Math.max(1, Math.ceil(found.totalElements / size));
  const linkTo = (target: number) => {
    const params = new URLSearchParams(query);
    if (target === 0) params.delete('page');
    else params.set('page', String(target));
    return `${path}?${params}`;
  };
  const furtherOn = new URLSearchParams(query);
  furtherOn.delete('page');
  if (found.next !== undefined) furtherOn.set('after', found.next);
  // Behind a place nobody knows how many were before.
  const isNumbered = !query.has('after') && (found.next === undefined || found.data.length > 0);
  return (
    <nav class="pager" aria-label={locale.say('list.pages')}>
      <span class="muted">
        {isNumbered ? rangeOf(locale, page * size + 1, found.data.length, found) : null}
      </span>
      <span class="row">
        {page === 0 ? null : (
          <a class="button" rel="prev" href={linkTo(Math.min(page, pages) - 1)}>
            {locale.say(page < pages ? 'list.previous' : 'list.toLast')}
          </a>
        )}
        {found.hasNext ? (
          <a
            class="button"
            rel="next"
            href={found.next === undefined ? linkTo(page + 1) : `${path}?${furtherOn}`}
          >
            {locale.say('list.next')}
          </a>
        ) : null}
      </span>
    </nav>
  );
}

/** `21–40 of 1,000`. After the end, where people come by an old link or when entries went away, it says so. */
function rangeOf({ say }: Locale, from: number, shown: number, { totalElements: total, atLeast }: Total) {
  if (shown === 0) return say('list.beyond', { total });
  return say(atLeast ? 'list.rangeAtLeast' : 'list.range', { from, to: from + shown - 1, total });
}

/** Why a list is empty: it ends before the page that was asked for, or `otherwise`. */
export function emptyText(
  { totalElements }: PagerProps['found'],
  otherwise: string,
  { say }: Locale,
): string {
  return totalElements > 0 ? say('list.empty') : otherwise;
}
