/** The form by which somebody who has followed a link of a mail chooses a password. */
import type { Say } from '../texts/say.ts';
import { Field, Refusal } from './elements.tsx';

interface Props {
  /** Where the form goes, and the field in which it shows the link's token. */
  readonly to: string;
  readonly field: string;
  readonly token: string;
  readonly title: string;
  readonly lead: string;
  readonly submit: string;
  readonly refusal: string | undefined;
  readonly say: Say;
}

export function ChoosePassword({ to, field, token, title, lead, submit, refusal, say }: Props) {
  return (
    <div class="card">
      <h1>{title}</h1>
      <p class="lead">{lead}</p>
      <Refusal text={refusal} />
      <form method="post" action={to}>
        <input type="hidden" name={field} value={token} />
        <Field
          name="password"
          label={say('login.newPassword')}
          type="password"
          autocomplete="new-password"
          hint={say('login.newHint')}
          required
        />
        <Field name="again" label={say('login.again')} type="password" autocomplete="new-password" required />
        <button type="submit" class="primary wide">
          {submit}
        </button>
      </form>
    </div>
  );
}
