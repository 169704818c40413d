/** Shown instead of a page that cannot be: why, and where to go on. */
import type { Role } from '../../auth/principal.ts';
import type { Page } from '../page.ts';
import type { User } from '../session.ts';

const TITLES: Readonly<Record<number, string>> = {
  400: 'That did not work',
  403: 'This is not yours',
  404: 'There is nothing here',
  429: 'Too many requests',
  503: 'Just a moment',
};

const TEXTS: Readonly<Record<number, string>> = {
  400: 'The request could not be understood.',
  403: 'It belongs to somebody else, or not to you any more.',
  404: 'What you were looking for does not exist, or not any more.',
  429: 'Please wait a little and try again.',
  503: 'The server cannot answer just now. Nothing was lost; please try again in a moment.',
};

/** Kept by the browser for when there is no connection; the same for everybody. */
export const offlinePages: readonly Page[] = [
  {
    path: '/offline',
    roles: ['PUBLIC'],
    get: () => ({
      type: 'page',
      title: 'No connection',
      narrow: true,
      islands: ['again.js'],
      body: (
        <div class="card">
          <h1>No connection</h1>
          <p>
            You are offline, or the server cannot be reached just now. Nothing is lost: what you scanned or
            typed is kept on this device.
          </p>
          <p role="status" class="muted" data-again>
            This page tries again by itself.
          </p>
          <p>
            <a class="button" href="/">
              Go to the start
            </a>
          </p>
        </div>
      ),
    }),
  },
];

export const problemTitle = (status: number): string => TITLES[status] ?? 'Something went wrong';

const ROLES: Readonly<Record<User['authority'], string>> = {
  CUSTOMER_USER: 'a customer',
  TENANT_ADMIN: 'an administrator',
  SYS_ADMIN: 'the system administrator',
};

/** Why a page is not for this user: only where it is for another role. */
export function otherRoleText({ authority, email }: User, roles: readonly Role[]): string {
  const whose = roles.flatMap((role) => (role === 'PUBLIC' ? [] : ROLES[role])).join(' or ');
  return `You are signed in as ${email}, ${ROLES[authority]}. This page is for ${whose}.`;
}

interface Props {
  readonly status: number;
  readonly message: string | undefined;
  readonly home: string;
  /** The page tries again by itself. */
  readonly again: boolean;
}

export function ProblemPage(props: Props) {
  return (
    <div class="card">
      <h1>{problemTitle(props.status)}</h1>
      <p>{props.message ?? TEXTS[props.status]}</p>
      {props.again ? (
        <p role="status" class="muted" data-again>
          This page tries again by itself.
        </p>
      ) : null}
      <p>
        <a class="button" href={props.home}>
          Go to the start
        </a>
      </p>
    </div>
  );
}
