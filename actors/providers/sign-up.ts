/** Makes a customer's user of somebody who is not known yet: the one place for it, whoever vouches for the address. */
import {
  type AccountRefusal,
  type Accounts,
  type Customer,
  NO_CONTACT,
  type User,
} from '../accounts/accounts.ts';
import type { TenantId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { type Secrets, sameDigest } from '../base/secret.ts';
import { hiddenIn } from '../base/text.ts';

interface SignUp {
  readonly tenantId: TenantId;
  /** Of the customer, which is made where it is not there. */
  readonly title: string;
  /** Marks a customer that belongs to one person; null: it is one for many. */
  readonly ownOf: string | null;
  /** Somebody has checked that it is the person's. */
  readonly email: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  /** Set by who has read a mail to the address: the user is active at once. Absent: it signs in by a provider. */
  readonly password?: string;
  readonly additionalInfo?: JsonObject | null;
}

/** Where the mark is, in a customer's `additionalInfo`, which the tenant writes too. */
const MARK = 'signedUp';

/**
 * What marks the customer of one person: under a key that only this server has, so that nobody else makes one for a person
 * who is still to come. @param person the id of a subject of a provider, or what else names one person
 */
export function markOf(secrets: Pick<Secrets, 'digestForUser'>, tenantId: TenantId, person: string): string {
  return secrets.digestForUser(tenantId, `signed up ${person}`);
}

export type SignUpAnswer =
  | { readonly type: 'done'; readonly user: User }
  /** The address is somebody's, or the customer is somebody else's, or what is wrong with the user's fields. */
  | { readonly type: 'refused'; readonly refusal?: AccountRefusal }
  | { readonly type: 'unavailable' };

/** Broken off, it is finished by asking again: a customer with the mark is taken as it is. */
export async function signUp({ customers, users }: Accounts, asked: SignUp): Promise<SignUpAnswer> {
  const { tenantId, title, email } = asked;
  // What looks like another name is none; who vouches for the person did not see to that.
  if (hiddenIn(title) !== undefined || hiddenIn(email) !== undefined) return { type: 'refused' };
  const customer = await customerFor(customers, asked);
  if (customer === undefined) return { type: 'refused' };
  const [firstName, lastName] = [visible(asked.firstName), visible(asked.lastName)];
  const fields = { email, firstName, lastName, phone: null, additionalInfo: asked.additionalInfo ?? null };
  const membership = { authority: 'CUSTOMER_USER', tenantId, customerId: customer.id } as const;
  // Unknowing: whether somebody has the address in another tenant is not to be found out by signing up at a provider.
  const created =
    asked.password === undefined
      ? await users.createUnknowing(membership, fields)
      : await users.create(membership, fields, asked.password);
  if (created.type === 'done') return { type: 'done', user: created.value };
  return created.type === 'unavailable' ? { type: 'unavailable' } : created;
}

const visible = (name: string | null) => (name !== null && hiddenIn(name) === undefined ? name : null);

/** Whether a customer was made for this person and nobody else. */
export function isOwnOf({ additionalInfo }: Customer, mark: string): boolean {
  const there = additionalInfo?.[MARK];
  return typeof there === 'string' && sameDigest(there, mark);
}

async function customerFor(
  customers: Accounts['customers'],
  { tenantId, title, ownOf }: SignUp,
): Promise<Customer | undefined> {
  const there = await customers.findByTitle(tenantId, title);
  if (there === undefined) {
    const additionalInfo = ownOf === null ? null : { [MARK]: ownOf };
    const made = await customers.create(tenantId, { title, contact: NO_CONTACT, additionalInfo });
    if (made.type === 'done') return made.value;
  }
  const customer = there ?? (await customers.findByTitle(tenantId, title));
  // Found by how a title looks; whoever signs up comes to the customer of this very title.
  const isMeant = customer?.title.normalize('NFC') === title.normalize('NFC');
  return isMeant && (ownOf === null || isOwnOf(customer, ownOf)) ? customer : undefined;
}

export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase();
}
