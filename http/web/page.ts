/** A page as data: its path, who may see it, what it shows and what its form does. `serve.tsx` runs it. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Language } from '../../actors/texts/languages.ts';
import type { Role } from '../auth/principal.ts';
import type { Api, Result } from './api.ts';
import type { Form } from './form.ts';
import type { Locale } from './locale.ts';
import type { Notice } from './notice.ts';
import { refusalWords } from './refusal-words.ts';
import type { Attempt, Session, TokenPair, User } from './session.ts';
import type { WebSettings } from './settings.ts';

export type Element = JSX.Element;

export interface Page {
  /** A path of Hono, e.g. `/devices/:id`. */
  readonly path: string;
  /** Who may see it. Other roles get 403; people who are not signed in are led to the sign-in page. */
  readonly roles: readonly Role[];
  readonly get?: PageHandler;
  readonly post?: PageHandler;
  /** Its form has a file in it, and may be large. */
  readonly takesFile?: true;
}

/**
 * By how many segments the path of the page that a form is on is shorter than the form's own: 0 where it is the same, as
 * `/offers` for `/offers/code` 1. Somebody reloads, comes back later or signs in again, and then asks for an address that
 * only takes a form.
 */
export function segmentsBelow({ path, get }: Page, pages: readonly Page[]): number {
  if (get !== undefined) return 0;
  const shapeOf = (pattern: string) => pattern.replace(/:\w+/g, ':');
  const shown = new Set(pages.filter((page) => page.get !== undefined).map((page) => shapeOf(page.path)));
  const segments = shapeOf(path).split('/');
  let count = 1;
  while (count < segments.length - 1 && !shown.has(segments.slice(0, -count).join('/'))) count += 1;
  return count;
}

export type PageHandler = (visit: Visit) => Promise<PageReply> | PageReply;

/** A request for a page. */
export interface Visit {
  /** Undefined when nobody is signed in, which only public pages get to see. */
  readonly session: Session | undefined;
  /** The API without a token. */
  readonly anonymous: Api;
  /** The API with a token that is not that of the session: of a login that is not complete. */
  readonly withToken: (token: string) => Api;
  /** The parameters of the page's path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly locale: Locale;
  readonly settings: WebSettings;
  readonly nowMs: number;
  /** What links to this server begin with, e.g. `https://claim.example.org`. */
  readonly linkBase: string;
  /** The path of this page and its query, for who comes back to it; `/` where it cannot be asked for. */
  readonly here: string;
  /** What the browser keeps of a sign-in with this provider, by its state. */
  readonly attempt: (state: string) => Attempt | undefined;
  /** What the browser keeps for signing out at the provider; shown below that page's path alone. */
  readonly logoutHint: string | undefined;
  /** Empty for GET. */
  readonly form: Form;
}

/** A request by somebody who is signed in. Its `api` acts with that person's token. */
export type SignedIn = Visit & Session;

export type PageReply =
  | {
      readonly type: 'page';
      readonly title: string;
      readonly body: Element;
      readonly status?: 200 | 400 | 403 | 404 | 429 | 503;
      /** The islands it needs, by their file names. */
      readonly islands?: readonly string[];
      /** One narrow column. */
      readonly narrow?: boolean;
      /** Without script the page reloads itself after this many seconds. */
      readonly refreshSeconds?: number;
    }
  | {
      readonly type: 'see-other';
      readonly to: string;
      readonly notice?: Notice;
      readonly signIn?: TokenPair;
      /** The attempt is over: the browser forgets it. */
      readonly attemptEnds?: string;
      /** For signing out at the provider later; the browser keeps it. */
      readonly logoutHint?: string;
      readonly signOut?: true;
      /** Signing out forgets what a label said, unless somebody goes on with it. */
      readonly keepsClaim?: true;
      /** The browser keeps it. */
      readonly language?: Language;
    }
  /** To an identity provider; the browser keeps the attempt, or without one forgets what it kept for signing out. */
  | { readonly type: 'leave'; readonly to: string; readonly attempt?: Attempt }
  /** A file, progress or events, as the API or the page answered it. */
  | { readonly type: 'stream'; readonly response: Response };

type MemberHandler = (visit: SignedIn) => Promise<PageReply> | PageReply;

/** A page for people who are signed in. */
export function memberPage(
  path: string,
  roles: readonly User['authority'][],
  handlers: { get?: MemberHandler; post?: MemberHandler; takesFile?: true },
): Page {
  const { get, post, takesFile } = handlers;
  return {
    path,
    roles,
    ...(takesFile ? { takesFile } : {}),
    ...(get === undefined ? {} : { get: (visit: Visit) => get(signedIn(visit)) }),
    ...(post === undefined ? {} : { post: (visit: Visit) => post(signedIn(visit)) }),
  };
}

function signedIn(visit: Visit): SignedIn {
  if (visit.session === undefined) throw new Error('a page for members was served to nobody');
  return { ...visit, ...visit.session };
}

/** To another page, which shows what was done. */
export const seeOther = (to: string, good?: string): PageReply =>
  good === undefined
    ? { type: 'see-other', to }
    : { type: 'see-other', to, notice: { kind: 'good', text: good } };

/** To another page, which shows why nothing was done. */
export const refusedTo = (to: string, text: string): PageReply => ({
  type: 'see-other',
  to,
  notice: { kind: 'bad', text },
});

/** To another page, which shows what was done or why it was refused. @param refusedAt another one for refusals */
export const saidAt = (
  to: string,
  result: Result<unknown>,
  good: string,
  { say }: Locale,
  refusedAt = to,
): PageReply => (result.type === 'ok' ? seeOther(to, good) : refusedTo(refusedAt, refusalWords(result, say)));
