/** Pages that ask before they do what cannot be undone, or not easily: GET shows the question, POST does it. */
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import type { User } from '../session.ts';

interface Question {
  readonly title: string;
  /** The name of what it is about. */
  readonly what: string;
  readonly consequence: string;
  readonly yes: string;
  /** Default: keep it as it is. */
  readonly no?: string;
  /** Where to go on who does not want it. */
  readonly back: string;
}

interface Steps<Subject> {
  find(visit: SignedIn): Promise<Subject>;
  ask(subject: Subject): Question;
  carryOut(visit: SignedIn, subject: Subject): Promise<PageReply>;
}

/** @param path with one parameter, `:id` */
export function confirmPage<Subject extends { readonly id: { readonly id: string } }>(
  path: string,
  roles: readonly User['authority'][],
  { find, ask, carryOut }: Steps<Subject>,
): Page {
  return memberPage(path, roles, {
    async get(visit) {
      const subject = await find(visit);
      const { title, what, consequence, yes, no = 'Keep it as it is', back } = ask(subject);
      return {
        type: 'page',
        title,
        narrow: true,
        body: (
          <div class="card">
            <h1>{title}</h1>
            <p class="big">{what}</p>
            <p>{consequence}</p>
            <form method="post" action={path.replace(':id', subject.id.id)} class="row">
              <button type="submit" class="danger">
                {yes}
              </button>
              <a class="button" href={back}>
                {no}
              </a>
            </form>
          </div>
        ),
      };
    },
    post: async (visit) => carryOut(visit, await find(visit)),
  });
}
