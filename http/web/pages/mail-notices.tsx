/** Which mails about devices somebody gets: a card of the account page. */
import type { z } from 'zod';
import { CUSTOMER } from '../../auth/principal.ts';
import { mailNoticesView } from '../../routes/mail-notices.ts';
import { memberPage, type Page, resultAt, type SignedIn } from '../page.ts';

type Choices = z.output<typeof mailNoticesView>;

const LABELS: Readonly<Record<keyof Choices, string>> = {
  takeOver: 'somebody wants to take it over, while you can object',
  taken: 'somebody took it over',
  reset: 'it was reset, and is not ours any more',
  givenBack: 'it was given back, or an administrator took it out of our account',
  offered: 'it is offered to us',
  claimed: 'it was claimed, or came to us in another way',
};

const KINDS = Object.entries(LABELS);

/** Undefined where nobody gets any. */
export async function noticesOf({ api, user, settings }: SignedIn): Promise<Choices | undefined> {
  if (!settings.mails || user.authority !== 'CUSTOMER_USER') return undefined;
  return api.get('/api/user/mailNotices', mailNoticesView);
}

export function NoticesCard({ choices }: { choices: Choices | undefined }) {
  if (choices === undefined) return null;
  const chosen = new Map<string, boolean>(Object.entries(choices));
  return (
    <section class="card" aria-labelledby="notices">
      <h2 id="notices">Mails about devices</h2>
      <p>Send me a mail about a device when</p>
      <form method="post" action="/account/notices">
        {KINDS.map(([kind, label]) => (
          <label class="check">
            <input type="checkbox" name={kind} value="on" checked={chosen.get(kind) === true} /> {label}
          </label>
        ))}
        <button type="submit">Save</button>
      </form>
    </section>
  );
}

export const noticePages: readonly Page[] = [
  memberPage('/account/notices', CUSTOMER, {
    async post({ api, form }) {
      const choices = Object.fromEntries(KINDS.map(([kind]) => [kind, form.text(kind) === 'on']));
      const saved = await api.act('POST', '/api/user/mailNotices', choices);
      return resultAt('/account', saved, 'Your choice is saved.');
    },
  }),
];
