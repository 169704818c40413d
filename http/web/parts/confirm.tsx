/** Pages that ask before they do what cannot be undone, or not easily: GET shows the question, POST does it. */
import { type Element, memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import type { User } from '../session.ts';

interface Question {
  readonly title: string;
  /** The name of what it is about. */
  readonly what: string;
  readonly consequence: string;
  readonly yes: string;
  /** It can be undone. */
  readonly mild?: boolean;
  /** What the answer says besides yes. */
  readonly fields?: Element;
  readonly no: string;
  /** Where to go on who does not want it. */
  readonly back: string;
}

interface Steps<Subject> {
  find(visit: SignedIn): Promise<Subject>;
  /** Without a `no` of its own: keep it as it is. */
  ask(subject: Subject, visit: SignedIn): Omit<Question, 'no'> & { readonly no?: string };
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
      const question = { no: visit.locale.say('part.keep'), ...ask(subject, visit) };
      return questionReply(question, path.replace(':id', subject.id.id));
    },
    post: async (visit) => carryOut(visit, await find(visit)),
  });
}

/** The question alone. @param action where the answer is sent */
export function questionReply(question: Question, action: string): PageReply {
  return {
    type: 'page',
    title: question.title,
    narrow: true,
    body: <QuestionCard question={question} action={action} />,
  };
}

export function QuestionCard({ question, action }: { question: Question; action: string }) {
  const { title, what, consequence, fields, yes, mild, no, back } = question;
  return (
    <div class="card">
      <h1>{title}</h1>
      <p class="big">
        <bdi>{what}</bdi>
      </p>
      <p>{consequence}</p>
      <form method="post" action={action}>
        {fields ?? null}
        <div class="row">
          <button type="submit" class={mild ? 'primary' : 'danger'}>
            {yes}
          </button>
          <a class="button" href={back}>
            {no}
          </a>
        </div>
      </form>
    </div>
  );
}
