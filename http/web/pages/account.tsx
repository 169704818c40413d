/** The account of the person who is signed in, and a new password for it. */
import { EVERYBODY } from '../../auth/principal.ts';
import { tokenPairView } from '../../views/user.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Field, Head, Refusal } from '../parts/elements.tsx';

const ROLES: Readonly<Record<SignedIn['user']['authority'], string>> = {
  CUSTOMER_USER: 'Customer',
  TENANT_ADMIN: 'Administrator of a tenant',
  SYS_ADMIN: 'System administrator',
};

const accountReply = ({ user }: SignedIn, refusal?: string): PageReply => ({
  type: 'page',
  title: 'Your account',
  narrow: true,
  status: refusal === undefined ? 200 : 400,
  body: (
    <>
      <Head title="Your account" />
      <div class="card">
        <dl>
          <dt>E-mail</dt>
          <dd>{user.email}</dd>
          <dt>Role</dt>
          <dd>{ROLES[user.authority]}</dd>
        </dl>
      </div>
      <div class="card">
        <h2>Change your password</h2>
        <Refusal text={refusal} />
        <form method="post" action="/account">
          <Field
            name="current"
            label="Current password"
            type="password"
            autocomplete="current-password"
            required
          />
          <Field name="password" label="New password" type="password" autocomplete="new-password" required />
          <Field
            name="again"
            label="The new one once more"
            type="password"
            autocomplete="new-password"
            required
          />
          <button type="submit" class="primary">
            Change the password
          </button>
        </form>
      </div>
      <p class="muted">
        For programs there is the <a href="/swagger-ui">REST API</a>.
      </p>
    </>
  ),
});

export const accountPages: readonly Page[] = [
  memberPage('/account', EVERYBODY, {
    get: (visit) => accountReply(visit),
    async post(visit) {
      const { form, api } = visit;
      const newPassword = form.text('password');
      if (newPassword !== form.text('again'))
        return accountReply(visit, 'The two new passwords are not the same.');
      const body = { currentPassword: form.text('current'), newPassword };
      const changed = await api.post('/api/auth/changePassword', body, tokenPairView);
      if (changed.type === 'refused') return accountReply(visit, changed.message);
      const notice = {
        kind: 'good',
        text: 'Your password was changed. Other devices have to sign in again.',
      } as const;
      return { type: 'see-other', to: '/account', signIn: changed.value, notice };
    },
  }),
];
