/** Which mails about devices somebody gets: a card of the account page. */
import type { z } from 'zod';
import { CUSTOMER } from '../../auth/principal.ts';
import { mailNoticesView } from '../../routes/mail-notices.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type SignedIn, saidAt } from '../page.ts';
import type { TextKey } from '../texts/catalogues.ts';

type Choices = z.output<typeof mailNoticesView>;

const LABELS = {
  takeOver: 'mails.takeOver',
  taken: 'mails.taken',
  reset: 'mails.reset',
  givenBack: 'mails.givenBack',
  offered: 'mails.offered',
  claimed: 'mails.claimed',
} as const satisfies Readonly<Record<keyof Choices, TextKey>>;

const KINDS = Object.entries(LABELS);

/** Undefined where nobody gets any. */
export async function noticesOf({ api, user, settings }: SignedIn): Promise<Choices | undefined> {
  if (!settings.mails || user.authority !== 'CUSTOMER_USER') return undefined;
  return api.get('/api/user/mailNotices', mailNoticesView);
}

export function NoticesCard({ choices, locale: { say } }: { choices: Choices | undefined; locale: Locale }) {
  if (choices === undefined) return null;
  const chosen = new Map<string, boolean>(Object.entries(choices));
  return (
    <section class="card" aria-labelledby="notices">
      <h2 id="notices">{say('mails.title')}</h2>
      <p>{say('mails.lead')}</p>
      <form method="post" action="/account/notices">
        {KINDS.map(([kind, label]) => (
          <label class="check">
            <input type="checkbox" name={kind} value="on" checked={chosen.get(kind) === true} /> {say(label)}
          </label>
        ))}
        <button type="submit">{say('mails.save')}</button>
      </form>
    </section>
  );
}

export const noticePages: readonly Page[] = [
  memberPage('/account/notices', CUSTOMER, {
    async post({ api, form, locale }) {
      const choices = Object.fromEntries(KINDS.map(([kind]) => [kind, form.text(kind) === 'on']));
      const saved = await api.act('POST', '/api/user/mailNotices', choices);
      return saidAt('/account', saved, locale.say('mails.saved'), locale);
    },
  }),
];
