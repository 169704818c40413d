/** The question before something that can not be undone, or not easily. */
import type { PageReply } from '../page.ts';

export interface Question {
  readonly title: string;
  /** What it is about. */
  readonly what: string;
  readonly consequence: string;
  readonly action: string;
  readonly yes: string;
  readonly back: string;
}

export function confirmReply({ title, what, consequence, action, yes, back }: Question): PageReply {
  return {
    type: 'page',
    title,
    narrow: true,
    body: (
      <div class="card">
        <h1>{title}</h1>
        <p class="big">{what}</p>
        <p>{consequence}</p>
        <form method="post" action={action} class="row">
          <button type="submit" class="danger">
            {yes}
          </button>
          <a class="button" href={back}>
            Keep it as it is
          </a>
        </form>
      </div>
    ),
  };
}
