/**
 * Signing up by mail: somebody who has no account becomes a customer of a tenant that the operator names. Until the link in the
 * mail is opened and a password chosen there is nothing but the mail; from then on it is as after signing up by a provider.
 */
import type { AccountAnswer, Accounts, User } from '../accounts/accounts.ts';
import type { Clock } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import type { Secrets } from '../base/secret.ts';
import type { Directory } from '../fleet/devices.ts';
import { OWN_CUSTOMER } from '../providers/model.ts';
import { domainOf, markOf, signUp } from '../providers/sign-up.ts';
import type { Store } from '../store/store.ts';
import type { Mails } from './model.ts';
import { type OpenedSignUp, openSignUpToken, type SignUpWish } from './sign-up-links.ts';
import { openUsedLinks } from './used-links.ts';

export interface SignUpSettings {
  /** Whose customers people may become; the first one's where nothing else is said. None: nobody signs up. */
  readonly tenants: readonly TenantId[];
  /** `%{email}` is a customer of its own for everybody, `%{domain}` stands for the domain of the address in a shared one's title. */
  readonly customerPattern: string;
  /** Domains of addresses, in lower case, that may sign up; empty: all. */
  readonly emailDomains: readonly string[];
}

interface SignUpNeeds {
  readonly store: Store;
  readonly accounts: Accounts;
  readonly directory: Pick<Directory, 'ofCustomer'>;
  readonly secrets: Secrets;
  readonly mails: Pick<Mails, 'ask'>;
  readonly clock: Clock;
}

/** What the person says of itself, besides the address. */
interface Chosen {
  readonly password: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
}

type Asked =
  /** Whoever has the address, or nobody. */
  | 'asked'
  /** Nobody becomes a customer of this tenant by itself. */
  | 'not-offered'
  /** Such addresses may not sign up. */
  | 'other-domain'
  | 'too-many';

export interface SignUps {
  /** Has a link mailed. Rejects with `StoreUnavailable`. @param from the address in the network */
  ask(wish: Partial<SignUpWish> & Pick<SignUpWish, 'email'>, from: string): Promise<Asked>;
  /** Makes the customer and the user. `link-ended`: it is not ours, too old, or was used. */
  complete(token: string, chosen: Chosen): Promise<AccountAnswer<User> | { readonly type: 'link-ended' }>;
}

export function createSignUps(
  { tenants, customerPattern, emailDomains }: SignUpSettings,
  { store, accounts, directory, secrets, mails, clock }: SignUpNeeds,
): SignUps {
  const used = openUsedLinks(store, clock);
  const isOffered = (tenantId: TenantId | undefined): tenantId is TenantId =>
    tenantId !== undefined && tenants.includes(tenantId);
  const mayHave = (email: string) => emailDomains.length === 0 || emailDomains.includes(domainOf(email));

  /** What the link says, where the operator's settings are still what they were. */
  function opened(token: string): OpenedSignUp | undefined {
    const wish = openSignUpToken(secrets, clock, token);
    return wish !== undefined && isOffered(wish.tenantId) && mayHave(wish.email) ? wish : undefined;
  }

  return {
    async ask({ tenantId = tenants[0], email, language = null }, from) {
      if (!isOffered(tenantId)) return 'not-offered';
      if (!mayHave(email)) return 'other-domain';
      const asked = await mails.ask({ type: 'sign-up', tenantId, email, language }, from);
      return asked === 'kept' ? 'asked' : 'too-many';
    },

    async complete(token, { password, firstName, lastName }) {
      const wish = opened(token);
      if (wish === undefined || (await used.has(wish.id))) return { type: 'link-ended' };
      const { tenantId, email, language } = wish;
      if ((await accounts.tenants.find(tenantId)) === undefined) return { type: 'link-ended' };
      if ((await accounts.users.findByEmail(email)) !== undefined) return { type: 'link-ended' };
      // Before a customer is made for it.
      const names = {
        email,
        firstName,
        lastName,
        membership: { authority: 'TENANT_ADMIN', tenantId } as const,
      };
      const wrong = await accounts.users.wrongPassword(password, names);
      if (wrong !== undefined) return { type: 'refused', refusal: wrong };
      const isOwn = customerPattern === OWN_CUSTOMER;
      const made = await signUp(
        { ...accounts, directory },
        {
          tenantId,
          title: isOwn ? email : customerPattern.replaceAll('%{domain}', domainOf(email)),
          ownOf: isOwn ? markOf(secrets, tenantId, `mail ${email.toLowerCase()}`) : null,
          email,
          firstName,
          lastName,
          password,
          additionalInfo: language === null ? null : { lang: language },
          news: { action: 'ADDED', data: { signUp: 'mail' } },
        },
      );
      switch (made.type) {
        case 'done':
          // Behind the user: until then what is broken off is finished by the same link, and the address is taken by now.
          await used.add(wish.id, wish.expiresAt);
          return { type: 'done', value: made.user };
        case 'unavailable':
          return { type: 'unavailable', reason: 'overloaded' };
        case 'refused':
          // Somebody was faster with the same link, or has the customer of this name.
          return made.refusal === undefined || made.refusal.reason === 'email-taken'
            ? { type: 'link-ended' }
            : { type: 'refused', refusal: made.refusal };
      }
    },
  };
}
