/** A page as data: where it is, who may see it, what it shows and what it does. The dispatch is in `web.tsx`. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Role } from '../auth/principal.ts';
import type { Api } from './api.ts';
import type { Assets } from './assets.ts';
import type { Locale } from './locale.ts';
import type { Pair, Session, User } from './session.ts';
import type { WebSettings } from './settings.ts';

export type Node = JSX.Element;

/** What was sent: a request for a page, by somebody known or not. */
export interface Visit {
  /** Undefined on pages for everybody, where nobody is signed in. */
  readonly session: Session | undefined;
  /** Asks as nobody. */
  readonly anonymous: Api;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** How this server was addressed, e.g. `https://claim.example.org`. */
  readonly origin: string;
  readonly locale: Locale;
  readonly settings: WebSettings;
  readonly assets: Assets;
  readonly nowMs: number;
  /** The fields of the form that was sent; empty for GET. */
  readonly form: Form;
}

export type SignedIn = Visit & { readonly user: User; readonly api: Api };

export interface Form {
  text(name: string): string;
  all(name: string): readonly string[];
  /** The text of a file that was sent along. */
  file(name: string): Promise<string | undefined>;
}

export type PageReply =
  | {
      readonly type: 'page';
      readonly title: string;
      readonly body: Node;
      readonly status?: 200 | 400 | 403 | 404 | 409 | 429 | 503;
      /** Islands that the page needs, by their files. */
      readonly islands?: readonly string[];
      /** A page with one narrow column. */
      readonly narrow?: boolean;
      /** Without script the page loads itself again after so many seconds. */
      readonly refreshSeconds?: number;
    }
  | {
      readonly type: 'see-other';
      readonly to: string;
      readonly notice?: Notice;
      readonly signIn?: Pair;
      readonly signOut?: true;
    }
  /** Something else than a page: a file, progress, events. */
  | { readonly type: 'stream'; readonly response: Response };

/** What was done, shown once on the next page. */
export interface Notice {
  readonly kind: 'good' | 'bad';
  readonly text: string;
}

/** Who may see a page; whoever may not, though signed in, is told so. */
interface Common {
  readonly path: string;
}

export interface Page extends Common {
  readonly roles: readonly Role[];
  readonly get?: (visit: Visit) => Promise<PageReply> | PageReply;
  readonly post?: (visit: Visit) => Promise<PageReply> | PageReply;
  /** Its form has a file in it, and may be large. */
  readonly takesFile?: true;
}

/** A page for those who are signed in. */
export function memberPage(
  path: string,
  roles: readonly Exclude<Role, 'PUBLIC'>[],
  does: {
    get?: (visit: SignedIn) => Promise<PageReply> | PageReply;
    post?: (visit: SignedIn) => Promise<PageReply> | PageReply;
    takesFile?: true;
  },
): Page {
  const { get, post, takesFile } = does;
  return {
    path,
    roles,
    ...(takesFile ? { takesFile } : {}),
    ...(get === undefined ? {} : { get: (visit: Visit) => get(signedIn(visit)) }),
    ...(post === undefined ? {} : { post: (visit: Visit) => post(signedIn(visit)) }),
  };
}

function signedIn(visit: Visit): SignedIn {
  if (visit.session === undefined) throw new Error('a page for members was reached by nobody');
  return { ...visit, ...visit.session };
}

export const seeOther = (to: string, good?: string): PageReply =>
  good === undefined
    ? { type: 'see-other', to }
    : { type: 'see-other', to, notice: { kind: 'good', text: good } };
export const refusedTo = (to: string, text: string): PageReply => ({
  type: 'see-other',
  to,
  notice: { kind: 'bad', text },
});
