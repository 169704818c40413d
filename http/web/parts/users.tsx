/** Lists of users, and the form that adds one: of a customer, of a tenant, of the administrators. */
import { userView } from '../../views/user.ts';
import { toQuery } from '../api.ts';
import type { Locale } from '../locale.ts';
import { type PageReply, type SignedIn, seeOther } from '../page.ts';
import { refusalWords } from '../refusal-words.ts';
import type { User } from '../session.ts';
import { Field, Refusal, Time } from './elements.tsx';
import { type Column, PlainTable } from './table.tsx';

export function fullName({ firstName, lastName }: User): string {
  return [firstName, lastName].filter(Boolean).join(' ');
}

export function UsersTable({ users, locale }: { users: readonly User[]; locale: Locale }) {
  const { say } = locale;
  if (users.length === 0) return <p class="muted">{say('people.none')}</p>;
  const columns: readonly Column<User>[] = [
    {
      title: say('login.email'),
      kind: 'row',
      cell: ({ id, email }) => <a href={`/users/${id.id}`}>{email}</a>,
    },
    { title: say('people.name'), kind: 'bare', cell: (user) => <bdi>{fullName(user)}</bdi> },
    { title: say('people.since'), cell: ({ createdTime }) => <Time at={createdTime} locale={locale} /> },
  ];
  return <PlainTable caption={say('settings.people')} columns={columns} rows={users} />;
}

interface NewUserProps {
  readonly heading: string;
  readonly path: string;
  readonly visit: SignedIn;
  readonly refusal: string | undefined;
}

export function NewUser({ heading, path, visit, refusal }: NewUserProps) {
  const { form, locale } = visit;
  const { say } = locale;
  return (
    <section class="card" aria-labelledby="add">
      <h2 id="add">{heading}</h2>
      <form method="post" action={path}>
        <Refusal text={refusal} />
        <Field
          name="email"
          label={say('login.email')}
          type="email"
          value={form.text('email')}
          autocomplete="off"
          maxlength={254}
          required
        />
        <Field
          name="firstName"
          label={say('people.firstName')}
          value={form.text('firstName')}
          autocomplete="off"
          maxlength={255}
        />
        <Field
          name="lastName"
          label={say('people.lastName')}
          value={form.text('lastName')}
          autocomplete="off"
          maxlength={255}
        />
        <button type="submit">{say('people.add')}</button>
      </form>
    </section>
  );
}

/**
 * Creates the user that the form describes.
 * @param membership the role and what the user belongs to, as the API takes it
 * @param retry the page with the form once more, and why it was refused
 */
export async function addUser(
  visit: SignedIn,
  membership: Readonly<{ authority: User['authority']; [field: string]: unknown }>,
  retry: (visit: SignedIn, refusal: string) => Promise<PageReply>,
): Promise<PageReply> {
  const { api, form } = visit;
  const { say } = visit.locale;
  const [email, firstName, lastName] = ['email', 'firstName', 'lastName'].map((name) =>
    form.text(name).trim(),
  );
  const user = { email, firstName, lastName, ...membership };
  // The mail is asked for by itself: then it is known whether one is on its way.
  const created = await api.post('/api/user?sendActivationMail=false', user, userView);
  if (created.type === 'refused') return retry(visit, refusalWords(created, say, say('people.refused')));
  const page = `/users/${created.value.id.id}`;
  const mailed = visit.settings.mails && (await mailActivation(visit, created.value.email)).type === 'ok';
  if (mailed) return seeOther(page, say('users.mailed', { email: created.value.email }));
  const done = membership.authority === 'CUSTOMER_USER' ? 'people.userCreated' : 'people.adminCreated';
  return seeOther(page, say(done));
}

/** Asks for the mail with the activation link of a user who is not active yet. */
export const mailActivation = ({ api }: SignedIn, email: string) =>
  api.act('POST', `/api/user/sendActivationMail?${toQuery({ email })}`);
