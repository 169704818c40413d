/** Shown instead of a page that cannot be: why, and where to go on. */
import type { Role } from '../../auth/principal.ts';
import type { Locale } from '../locale.ts';
import type { Page } from '../page.ts';
import type { User } from '../session.ts';

/** Kept by the browser for when there is no connection; the same for everybody. */
export const offlinePages: readonly Page[] = [
  {
    path: '/offline',
    roles: ['PUBLIC'],
    get: ({ locale: { say } }) => ({
      type: 'page',
      title: say('problem.offline'),
      narrow: true,
      islands: ['again.js'],
      body: (
        <div class="card">
          <h1>{say('problem.offline')}</h1>
          <p>{say('problem.offlineText')}</p>
          <p role="status" class="muted" data-again>
            {say('problem.again')}
          </p>
          <p>
            <a class="button" href="/">
              {say('problem.start')}
            </a>
          </p>
        </div>
      ),
    }),
  },
];

/** Why a page is not for this user: only where it is for another role. */
export function otherRoleText({ email, authority }: User, roles: readonly Role[], { say }: Locale): string {
  return say('problem.otherRole', { email, role: authority, page: roles[0] ?? '' });
}

interface Props {
  readonly status: 400 | 403 | 404 | 429 | 503;
  readonly message: string | undefined;
  readonly home: string;
  /** The page tries again by itself. */
  readonly again: boolean;
  readonly locale: Locale;
}

export function ProblemPage(props: Props) {
  const { say } = props.locale;
  return (
    <div class="card">
      <h1>{say(`problem.${props.status}`)}</h1>
      <p>{props.message ?? say(`problem.${props.status}Text`)}</p>
      {props.again ? (
        <p role="status" class="muted" data-again>
          {say('problem.again')}
        </p>
      ) : null}
      <p>
        <a class="button" href={props.home}>
          {say('problem.start')}
        </a>
      </p>
    </div>
  );
}
