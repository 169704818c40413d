/** Mails to people: what they are about, and what can be asked of whoever sends them. How they read is in `letters.ts`. */
import type { Instant } from '../base/clock.ts';
import type { MailId, TenantId, UserId } from '../base/ids.ts';
import type { Choices, Notice } from './choices.ts';
import type { SignUpWish } from './sign-up-links.ts';

/** What a mail is about. Whom it goes to and what it says is looked up when it is sent. */
export type Letter =
  /** Somebody has forgotten the password of the user with this address, if there is one. */
  | { readonly type: 'reset'; readonly email: string }
  /** To activate an account; where the address is that of another user, that one is told instead. */
  | { readonly type: 'activation'; readonly userId: UserId }
  | { readonly type: 'activated'; readonly userId: UserId }
  /** `byMail`: by the link of a mail, which removes the other ways in. */
  | { readonly type: 'password-changed'; readonly userId: UserId; readonly byMail?: true }
  /** Somebody signs in as the user by this identity provider, too. */
  | { readonly type: 'sign-in-added'; readonly userId: UserId; readonly provider: string }
  /** Somebody who has no account wants to become a customer; whoever has one with this address is told instead. */
  | ({ readonly type: 'sign-up' } & SignUpWish)
  /** The user has another address now; this one is told. */
  | { readonly type: 'address-changed'; readonly userId: UserId; readonly email: string }
  /** Something happened to a device. */
  | {
      readonly type: 'notice';
      readonly notice: Notice;
      readonly userId: UserId;
      readonly deviceName: string;
      /** Until when something can be done about it. */
      readonly until: Instant | null;
    }
  /** A device is offered to an address that has no account. */
  | { readonly type: 'offer'; readonly email: string; readonly deviceName: string; readonly until: Instant };

/** What becomes of a letter: it is kept until it is sent, or there are too many. */
export type Posted = 'kept' | 'too-many';

/** What the SMTP server did with a mail. `wrong-server`: it cannot be reached or used, whatever the mail is. */
export type Sent =
  | { readonly type: 'sent' }
  | { readonly type: 'refused' | 'later' | 'wrong-server'; readonly why: string };

/** A mail as it goes out. */
export interface Mail {
  /** Without angle brackets; the same each time this mail is tried. */
  readonly messageId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly language: string;
  readonly at: Date;
}

export interface Smtp {
  /** Never rejects for what the server does. */
  send(mail: Mail): Promise<Sent>;
  close(): void;
}

/** What is asked of mails, where there is an SMTP server. */
export interface Mails {
  /**
   * Keeps a letter until it is sent; a crash repeats a mail rather than loses it. Rejects with `StoreUnavailable`.
   * `too-many`: of the tenant, for the recipient, or that wait.
   * @param tenantId against whose limit it counts; null: nobody's
   * @param id of a letter that may be kept already
   */
  post(letter: Letter, tenantId: TenantId | null, id?: MailId): Promise<Posted>;
  /**
   * Keeps a letter that a stranger asks for, at most so many for one address of mail and one of the network. Whether
   * somebody has the address of mail changes neither the answer nor the time that it takes.
   * @param from the address in the network
   * @returns `too-many` where that is about who asks, or of whom customers are to be made, and not about the address of mail
   */
  ask(letter: Extract<Letter, { type: 'reset' | 'sign-up' }>, from: string): Promise<Posted>;
  choicesOf(user: UserId): Promise<Choices>;
  choose(user: UserId, choices: Partial<Choices>): Promise<Choices>;
  /** Sends a mail at once that says nothing but that mail works. */
  test(to: string, tag: string | undefined): Promise<Sent>;
}
