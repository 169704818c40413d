/** Lists of users, and the form that adds one: of a customer, of a tenant, of the administrators. */
import { userView } from '../../views/user.ts';
import type { Locale } from '../locale.ts';
import { type PageReply, type SignedIn, seeOther } from '../page.ts';
import type { User } from '../session.ts';
import { Field, Refusal, Time } from './elements.tsx';
import { type Column, PlainTable } from './table.tsx';

export function fullName({ firstName, lastName }: User): string {
  return [firstName, lastName].filter(Boolean).join(' ');
}

export function UsersTable({ users, locale }: { users: readonly User[]; locale: Locale }) {
  if (users.length === 0) return <p class="muted">Nobody yet. Add somebody by e-mail.</p>;
  const columns: readonly Column<User>[] = [
    { title: 'E-mail', kind: 'row', cell: ({ id, email }) => <a href={`/users/${id.id}`}>{email}</a> },
    { title: 'Name', kind: 'bare', cell: fullName },
    { title: 'Since', cell: ({ createdTime }) => <Time at={createdTime} locale={locale} /> },
  ];
  return <PlainTable caption="People" columns={columns} rows={users} />;
}

interface NewUserProps {
  readonly heading: string;
  readonly path: string;
  readonly visit: SignedIn;
  readonly refusal: string | undefined;
}

export function NewUser({ heading, path, visit: { form }, refusal }: NewUserProps) {
  return (
    <section class="card" aria-labelledby="add">
      <h2 id="add">{heading}</h2>
      <form method="post" action={path}>
        <Refusal text={refusal} />
        <Field
          name="email"
          label="E-mail"
          type="email"
          value={form.text('email')}
          autocomplete="off"
          maxlength={254}
          required
        />
        <Field
          name="firstName"
          label="First name"
          value={form.text('firstName')}
          autocomplete="off"
          maxlength={255}
        />
        <Field
          name="lastName"
          label="Last name"
          value={form.text('lastName')}
          autocomplete="off"
          maxlength={255}
        />
        <button type="submit">Add</button>
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
  const [email, firstName, lastName] = ['email', 'firstName', 'lastName'].map((name) =>
    form.text(name).trim(),
  );
  const user = { email, firstName, lastName, ...membership };
  const created = await api.post('/api/user?sendActivationMail=false', user, userView);
  if (created.type === 'refused') return retry(visit, created.message);
  const who = membership.authority === 'CUSTOMER_USER' ? 'user' : 'administrator';
  return seeOther(`/users/${created.value.id.id}`, `The ${who} is created. Hand over the activation link.`);
}
