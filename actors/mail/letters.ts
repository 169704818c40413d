/** Writes a letter as a mail, when it is sent: looks up whom it goes to, makes the link, and says it in the person's language. */
import type { Accounts, User } from '../accounts/accounts.ts';
import type { Clock, Instant } from '../base/clock.ts';
import type { MailId } from '../base/ids.ts';
import type { Secrets } from '../base/secret.ts';
import { unreachable } from '../base/unreachable.ts';
import { LANGUAGES, type Language } from '../texts/languages.ts';
import type { Say } from '../texts/messages.ts';
import { type MailTexts, sayIn } from './catalogues.ts';
import type { Notice } from './choices.ts';
import { type Content, htmlOf, type MailLook, nameInMail, textOf } from './layout.ts';
import type { Letter, Mail } from './model.ts';
import { SIGN_UP_LINK_MS, signUpToken } from './sign-up-links.ts';

export interface LetterNeeds {
  readonly users: Pick<Accounts['users'], 'find' | 'findByEmail' | 'activation' | 'beginReset'>;
  readonly providerLinks: Pick<Accounts['providerLinks'], 'list'>;
  readonly secrets: Pick<Secrets, 'digestForUser' | 'sealCredential'>;
  readonly clock: Clock;
  readonly look: MailLook;
  /** Where people reach this server: from the operator's settings alone, never from a request. */
  readonly baseUrl: string;
  /** The domain in Message-IDs. */
  readonly domain: string;
  /** Of who has not chosen one. */
  readonly language: Language;
  readonly resetLifeMs: number;
}

interface Draft {
  readonly to: string;
  readonly say: Say<MailTexts>;
  readonly content: Content;
}

const NOTICE_TEXTS = {
  claimed: { subject: 'claimed.subject', text: 'claimed.text' },
  givenBack: { subject: 'given-back.subject', text: 'given-back.text' },
  offered: { subject: 'offered.subject', text: 'offered.text' },
  takeOver: { subject: 'take-over.subject', text: 'take-over.text' },
  taken: { subject: 'lost.subject', text: 'lost.text' },
  reset: { subject: 'factory-reset.subject', text: 'factory-reset.text' },
} as const satisfies Readonly<
  Record<Notice, { readonly subject: keyof MailTexts; readonly text: keyof MailTexts }>
>;

/** In UTC, which a mail says: where its reader is nobody knows. */
function instantIn(language: Language, at: Instant): string {
  const form = { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' } as const;
  return `${new Intl.DateTimeFormat(LANGUAGES[language].formats, form).format(at)} UTC`;
}

const HOUR = 3_600_000;
const hoursOf = (ms: number) => Math.max(1, Math.round(ms / HOUR));

export function createLetters(needs: LetterNeeds) {
  const { users, secrets, clock, look, baseUrl } = needs;
  const { product } = look;
  const link = (path: `/${string}`, query: Readonly<Record<string, string>> = {}) => {
    const search = new URLSearchParams(query).toString();
    return `${baseUrl}${path}${search === '' ? '' : `?${search}`}`;
  };
  const sayTo = (user: User | undefined) => sayIn(user?.additionalInfo?.lang, needs.language);

  const activationAction = (say: Say<MailTexts>, activateToken: string) => ({
    label: say('activation.action'),
    url: link('/api/noauth/activate', { activateToken }),
  });
  const activationUntil = (say: Say<MailTexts>, expiresAt: Instant) =>
    say('activation.until', { hours: hoursOf(expiresAt - clock.now()) });

  const setPasswordAction = (say: Say<MailTexts>) => ({
    label: say('reset.action'),
    url: link('/login/resetPasswordRequest'),
  });

  /** A mail about the account that somebody has. */
  function aboutAccount(
    user: User,
    contentOf: (say: Say<MailTexts>) => Omit<Content, 'why'>,
    to = user.email,
  ): Draft {
    const say = sayTo(user);
    return { to, say, content: { ...contentOf(say), why: say('account.why', { product }) } };
  }

  const neverCameIn = async ({ id, activated }: User) =>
    !activated && (await needs.providerLinks.list(id)).length === 0;

  /**
   * The token follows from the mail, by a key that only this server has: it lies nowhere, and a mail that is tried again
   * has the same link.
   */
  async function passwordReset(id: MailId, email: string, askedAt: Instant): Promise<Draft | undefined> {
    const user = await users.findByEmail(email);
    if (user === undefined) return undefined;
    // Who has come in by a provider alone sets a first password so; who never came in is the administrator's to let in.
    if (!user.activated) {
      return user.enabled && !(await neverCameIn(user)) ? activation(user) : undefined;
    }
    const resetToken = secrets.digestForUser(user.id, `password reset ${id}`);
    const begun = await users.beginReset(user.id, {
      token: resetToken,
      email: user.email,
      askedAt,
      lifeMs: needs.resetLifeMs,
    });
    if (begun.type !== 'done') return undefined;
    return aboutAccount(user, (say) => ({
      subject: say('reset.subject'),
      before: [say('reset.text', { product })],
      action: { label: say('reset.action'), url: link('/api/noauth/resetPassword', { resetToken }) },
      after: [say('reset.until', { hours: hoursOf(needs.resetLifeMs) }), say('reset.not-you')],
    }));
  }

  async function activation(user: User): Promise<Draft | undefined> {
    const holder = await users.findByEmail(user.email);
    // Of another tenant: whoever made the user does not hear of it, but whose address it is does.
    if (holder !== undefined && holder.id !== user.id) return holder.activated ? taken(holder) : undefined;
    const made = await users.activation(user.id);
    if (made.type !== 'done') return undefined;
    const { token, expiresAt } = made.value;
    const say = sayTo(user);
    return {
      to: user.email,
      say,
      content: {
        subject: say('activation.subject', { product }),
        before: [say('activation.text', { product })],
        action: activationAction(say, token),
        after: [activationUntil(say, expiresAt)],
        why: say('asked.why', { product }),
      },
    };
  }

  /** To whom has no account; who has one is told so, or gets its own link. */
  async function signUp(
    id: MailId,
    letter: Extract<Letter, { type: 'sign-up' }>,
  ): Promise<Draft | undefined> {
    const holder = await users.findByEmail(letter.email);
    if (holder !== undefined) {
      const { membership, enabled, activated } = holder;
      const isOurs = membership.authority === 'CUSTOMER_USER' && membership.tenantId === letter.tenantId;
      if (isOurs && !activated && enabled) return activation(holder);
      return enabled && (await neverCameIn(holder)) ? waiting(holder, letter.language) : taken(holder);
    }
    const say = sayIn(letter.language, needs.language);
    const token = signUpToken(secrets, clock, id, letter);
    return {
      to: letter.email,
      say,
      content: {
        subject: say('sign-up.subject', { product }),
        before: [say('sign-up.text', { product })],
        action: {
          label: say('activation.action'),
          url: link('/login/signUp/complete', { token, tenant: letter.tenantId }),
        },
        after: [
          say('activation.until', { hours: hoursOf(SIGN_UP_LINK_MS) }),
          say('sign-up.same-browser'),
          say('sign-up.not-you'),
        ],
        why: say('asked.why', { product }),
      },
    };
  }

  const passwordChanged = (user: User, byMail: boolean): Draft =>
    aboutAccount(user, (say) => ({
      subject: say('changed.subject'),
      before: [
        say('changed.text', { product }),
        ...(byMail ? [say('changed.by-mail')] : []),
        say('changed.not-you'),
      ],
      action: setPasswordAction(say),
      after: [],
    }));

  /** Whoever it was not sets a password by a mail, which removes what was added. */
  const signInAdded = (user: User, provider: string): Draft =>
    aboutAccount(user, (say) => ({
      subject: say('sign-in-added.subject'),
      before: [
        say('sign-in-added.text', { product, provider: nameInMail(provider) }),
        say('changed.not-you'),
      ],
      action: setPasswordAction(say),
      after: [],
    }));

  const activated = (user: User): Draft =>
    aboutAccount(user, (say) => ({
      subject: say('activated.subject'),
      before: [say('activated.text', { product })],
      action: { label: say('activated.action', { product }), url: link('/') },
      after: [],
    }));

  /** To the address that was the user's before. */
  const addressChanged = (user: User, to: string): Draft =>
    aboutAccount(
      user,
      (say) => ({
        subject: say('address-changed.subject'),
        before: [say('address-changed.text', { product })],
        action: undefined,
        after: [say('address-changed.not-you', { product })],
      }),
      to,
    );

  const taken = (user: User): Draft =>
    aboutAccount(user, (say) => ({
      subject: say('taken.subject'),
      before: [say('taken.text', { product })],
      action: { label: say('taken.action'), url: link('/login') },
      after: [say('taken.not-you')],
    }));

  /**
   * Somebody asked for an account here, and another one waits for this address: an administrator made it, and nobody has been in
   * it yet. The mail does not name that administrator or its tenant, who may have made the account to draw people into it. It has
   * no link to an administrator's account: a mail that any stranger can ask for must not renew a link for whoever reads the
   * address by then.
   */
  async function waiting(user: User, language: string | null): Promise<Draft | undefined> {
    const made = user.membership.authority === 'CUSTOMER_USER' ? await users.activation(user.id) : undefined;
    // Somebody has just come in by it.
    if (made !== undefined && made.type !== 'done') return undefined;
    const say = sayIn(user.additionalInfo?.lang ?? language, needs.language);
    const notYou = say('waiting.not-you', { product });
    return {
      to: user.email,
      say,
      content: {
        subject: say('waiting.subject'),
        before: [
          say('waiting.text', { product }),
          made === undefined ? say('waiting.ask') : say('waiting.expected'),
        ],
        ...(made === undefined
          ? { action: undefined, after: [notYou] }
          : {
              action: activationAction(say, made.value.token),
              after: [activationUntil(say, made.value.expiresAt), notYou],
            }),
        why: say('asked.why', { product }),
      },
    };
  }

  function notice(user: User, letter: Extract<Letter, { type: 'notice' }>): Draft {
    const say = sayTo(user);
    const { subject, text } = NOTICE_TEXTS[letter.notice];
    const values = {
      device: nameInMail(letter.deviceName),
      product,
      until: letter.until === null ? '' : instantIn(say.language, letter.until),
    };
    return {
      to: user.email,
      say,
      content: {
        subject: say(subject, values),
        before: [say(text, values)],
        action: { label: say('notice.action'), url: link('/') },
        after: letter.notice === 'claimed' ? [] : [say('notice.not-you', { product })],
        why: `${say('notice.why', { product })} ${link('/account')}`,
      },
    };
  }

  function offer({ email, deviceName, until }: Extract<Letter, { type: 'offer' }>): Draft {
    const say = sayTo(undefined);
    const values = { device: nameInMail(deviceName), product, until: instantIn(say.language, until) };
    return {
      to: email,
      say,
      content: {
        subject: say('offered.subject', values),
        before: [say('offered.text', values), say('offered.no-account')],
        action: { label: say('taken.action'), url: link('/login') },
        after: [],
        why: say('asked.why', { product }),
      },
    };
  }

  async function draftOf(id: MailId, letter: Letter, askedAt: Instant): Promise<Draft | undefined> {
    if (letter.type === 'reset') return passwordReset(id, letter.email, askedAt);
    if (letter.type === 'offer') return offer(letter);
    if (letter.type === 'sign-up') return signUp(id, letter);
    const user = await users.find(letter.userId);
    if (user === undefined || !user.enabled) return undefined;
    switch (letter.type) {
      case 'activation':
        return activation(user);
      case 'activated':
        return activated(user);
      case 'password-changed':
        return passwordChanged(user, letter.byMail === true);
      case 'sign-in-added':
        return signInAdded(user, letter.provider);
      case 'notice':
        return notice(user, letter);
      case 'address-changed':
        return addressChanged(user, letter.email);
      default:
        return unreachable(letter);
    }
  }

  const mailOf = ({ to, say, content }: Draft, id: string, at: Instant): Mail => ({
    messageId: `${id}@${needs.domain}`,
    to,
    subject: content.subject,
    text: textOf(content),
    html: htmlOf(content, look, say.language),
    language: say.language,
    at: new Date(at),
  });

  return {
    async write(id: MailId, letter: Letter, askedAt: Instant): Promise<Mail | undefined> {
      const draft = await draftOf(id, letter, askedAt);
      return draft === undefined ? undefined : mailOf(draft, id, askedAt);
    },

    /** Says nothing but that mails arrive. */
    test(id: MailId, to: string, tag: string | undefined): Mail {
      const say = sayIn(tag, needs.language);
      const content: Content = {
        subject: say('test.subject', { product }),
        before: [say('test.text', { product })],
        action: undefined,
        after: [],
        why: say('account.why', { product }),
      };
      return mailOf({ to, say, content }, id, clock.now());
    },
  };
}
