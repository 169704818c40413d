/** The form by which somebody who has followed a link of a mail chooses a password. */
import type { PageReply, Visit } from '../page.ts';
import type { Say } from '../texts/say.ts';
import { Field, Refusal } from './elements.tsx';

interface Props {
  /** Where the form goes, and the field in which it shows the link's token. */
  readonly to: string;
  readonly field: string;
  readonly token: string;
  /** For a first password, or in place of a forgotten one. */
  readonly words: 'login' | 'forgot';
  readonly refusal: string | undefined;
}

/** The page with the form. */
export const choosePasswordReply = ({ locale: { say } }: Visit, props: Props): PageReply => ({
  type: 'page',
  title: say(`${props.words}.choose`),
  narrow: true,
  status: props.refusal === undefined ? 200 : 400,
  body: <ChoosePassword {...props} say={say} />,
});

function ChoosePassword({ to, field, token, words, refusal, say }: Props & { readonly say: Say }) {
  return (
    <div class="card">
      <h1>{say(`${words}.choose`)}</h1>
      <p class="lead">{say(`${words}.chooseLead`)}</p>
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
          {say(`${words}.set`)}
        </button>
      </form>
    </div>
  );
}
