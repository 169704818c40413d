/** Which mails about their devices people want. */
import type { UserId } from '../base/ids.ts';
import { openRecords } from '../records/records.ts';
import type { Store } from '../store/store.ts';

/** What happens to a device that its owner, or who is to be it, is told of. */
export const NOTICES = ['claimed', 'givenBack', 'offered', 'takeOver', 'taken', 'reset'] as const;
export type Notice = (typeof NOTICES)[number];

export type Choices = Readonly<Record<Notice, boolean>>;

/** All that others can do to an owner; what one does oneself is seen in the pages. */
const BY_DEFAULT: Choices = {
  claimed: false,
  givenBack: true,
  offered: true,
  takeOver: true,
  taken: true,
  reset: true,
};

export interface MailChoices {
  of(user: UserId): Promise<Choices>;
  set(user: UserId, choices: Partial<Choices>): Promise<Choices>;
  forget(user: UserId): Promise<void>;
}

export function openMailChoices(store: Pick<Store, 'records' | 'swap'>): MailChoices {
  const records = openRecords<{ readonly choices: Partial<Choices> }>(store, 'mail-choices');
  const whole = (chosen: Partial<Choices> | undefined): Choices => ({ ...BY_DEFAULT, ...chosen });
  return {
    of: async (user) => whole((await records.get(user))?.choices),
    async set(user, choices) {
      const stored = await records.update(user, (there) => ({ choices: { ...there?.choices, ...choices } }));
      return whole(stored?.choices);
    },
    forget: (user) => records.remove(user),
  };
}
