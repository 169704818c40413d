/** Makes a customer's user of somebody who is not known yet: the one place for it, whoever vouches for the address. */
import {
  type AccountRefusal,
  type Accounts,
  type Customer,
  type News,
  NO_CONTACT,
  type User,
} from '../accounts/accounts.ts';
import type { TenantId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { type Secrets, sameDigest } from '../base/secret.ts';
import { hiddenIn } from '../base/text.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Directory } from '../fleet/devices.ts';

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
  /** That the user was made, and how. */
  readonly news: News;
}

interface SignUpNeeds extends Pick<Accounts, 'customers' | 'users'> {
  readonly directory: Pick<Directory, 'ofCustomer'>;
}

/** Customers of one person that were in use already: of more than these nobody signs up by the same title. */
const TITLES_MAX = 50;

/** Each time somebody else has come into the customer while the user was made, which takes as long as a password's hash. */
const TRIES_MAX = 3;

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

/**
 * Broken off, it is finished by asking again: a customer with the mark that nobody uses yet is taken as it is. One that has
 * users or devices is left alone: the address may be another's by now, or the tenant has shut the person out.
 */
export async function signUp(needs: SignUpNeeds, asked: SignUp): Promise<SignUpAnswer> {
  const { title, email } = asked;
  // What looks like another name is none; who vouches for the person did not see to that.
  if (hiddenIn(title) !== undefined || hiddenIn(email) !== undefined) return { type: 'refused' };
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const customer = await customerFor(needs, asked);
    if (customer === undefined) return { type: 'refused' };
    const answer = await userIn(needs, customer, asked);
    if (answer.type !== 'in-use') return answer;
  }
  return { type: 'unavailable' };
}

/**
 * That the address is free, and that nobody who signed up has the customer, is looked at in the commit that makes the user.
 * `in-use`: somebody has come into the customer since it was found empty.
 */
async function userIn(
  needs: SignUpNeeds,
  customer: Customer,
  asked: SignUp,
): Promise<SignUpAnswer | { readonly type: 'in-use' }> {
  const { users } = needs;
  const { tenantId, email, ownOf, password, news } = asked;
  const [firstName, lastName] = [visible(asked.firstName), visible(asked.lastName)];
  const fields = { email, firstName, lastName, phone: null, additionalInfo: asked.additionalInfo ?? null };
  const membership = { authority: 'CUSTOMER_USER', tenantId, customerId: customer.id } as const;
  const created = await made();
  switch (created.type) {
    case 'unavailable':
      return { type: 'unavailable' };
    case 'refused': {
      const isFree = created.refusal.reason === 'email-taken' && !(await users.findByEmail(email));
      return isFree && ownOf !== null ? { type: 'in-use' } : created;
    }
    case 'done':
      // What no key stands for: a device, or a user that an administrator made. Nobody has come in by this one yet.
      if (ownOf === null || !(await isInUse(needs, customer, 1)))
        return { type: 'done', user: created.value };
      await users.remove(created.value.id);
      return { type: 'in-use' };
    default:
      return unreachable(created);
  }

  // Unknowing: whether somebody has the address in another tenant is not to be found out by signing up at a provider.
  function made() {
    if (ownOf !== null) return users.createOwner(membership, fields, password, news);
    return password === undefined
      ? users.createUnknowing(membership, fields, news)
      : users.create(membership, fields, password, news);
  }
}

const visible = (name: string | null) => (name !== null && hiddenIn(name) === undefined ? name : null);

/** Whether a customer was made for this person and nobody else. */
export function isOwnOf({ additionalInfo }: Customer, mark: string): boolean {
  const there = additionalInfo?.[MARK];
  return typeof there === 'string' && sameDigest(there, mark);
}

async function customerFor(needs: SignUpNeeds, asked: SignUp): Promise<Customer | undefined> {
  const { title, ownOf } = asked;
  const first = await customerOf(needs, asked);
  if (ownOf === null || first === undefined || !(await isInUse(needs, first))) return first;
  for (let n = 2; n <= TITLES_MAX; n += 1) {
    const next = await customerOf(needs, { ...asked, title: `${title} (${n})` });
    if (next !== undefined && !(await isInUse(needs, next))) return next;
  }
  return undefined;
}

/** @param known how many users it may have */
async function isInUse(
  { users, directory }: SignUpNeeds,
  { id, tenantId }: Customer,
  known = 0,
): Promise<boolean> {
  const one = { page: 0, pageSize: 1 };
  const membership = { authority: 'CUSTOMER_USER', tenantId, customerId: id } as const;
  if ((await users.list(membership, one)).total > known) return true;
  return (await directory.ofCustomer(tenantId, id, one)).total > 0;
}

/** The customer of this very title, made where it is not there; undefined: it is somebody else's. */
async function customerOf(
  { customers }: SignUpNeeds,
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
