/**
 * Keeps identity providers, and says who somebody is that has signed in with one.
 *
 * A provider vouches only for users below whoever set it up: a tenant's for users of its customers, the system's for
 * administrators of tenants too. So an administrator cannot become an equal by a provider that says whatever it is told to say.
 */
import type { Accounts, Membership, User } from '../accounts/accounts.ts';
import { isEnded, subjectId } from '../accounts/provider-links.ts';
import type { Clock } from '../base/clock.ts';
import { newId, type ProviderId, type TenantId } from '../base/ids.ts';
import { credentialOrNull, type Secrets } from '../base/secret.ts';
import { isEmail } from '../base/text.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Directory } from '../fleet/devices.ts';
import type { Counters } from '../limits/counters.ts';
import type { AddressFilter } from '../outbound/addresses.ts';
import { type Collection, createCollection, emptyList, type Kind } from '../records/collection.ts';
import type { Store } from '../store/store.ts';
import {
  type Claims,
  OWN_CUSTOMER,
  PROVIDERS_MAX,
  type Provider,
  type ProviderFields,
  type Providers,
  type SignedIn,
} from './model.ts';
import { domainOf, isOwnOf, markOf, signUp } from './sign-up.ts';

export interface ProviderNeeds {
  readonly store: Store;
  readonly accounts: Accounts;
  readonly directory: Pick<Directory, 'ofCustomer'>;
  readonly secrets: Secrets;
  readonly filter: Pick<AddressFilter, 'checkUrl'>;
  readonly counters: Counters;
  readonly clock: Clock;
  /** Whether the operator lets people become customers by themselves. */
  readonly allowSignUp: boolean;
}

const providersOf = (tenantId: TenantId | null) => `providers/${tenantId ?? 'system'}`;
const DAY_MS = 86_400_000;
/** New customers are made by strangers: this many in a day from an address, and by a provider. */
const SIGN_UPS_PER_ADDRESS = 20;
const SIGN_UPS_PER_PROVIDER = 2_000;

const kind: Kind<Provider> = {
  name: 'provider',
  keys: () => [],
  lists: ({ tenantId }) => [providersOf(tenantId)],
  title: ({ title }) => title,
};

/** Removes the providers of a tenant that is being deleted. Broken off, it is finished by asking again. */
export function forgetProviders(store: Store, tenantId: TenantId): Promise<void> {
  return emptyList(createCollection(store, kind), providersOf(tenantId));
}

/**
 * An id_token is for a client, and must not do what an access token does: no audience of the API is a client of the same
 * issuer, of this provider or of another of the system.
 */
function confuses(fields: ProviderFields, others: readonly Provider[]): boolean {
  const { issuer, clientId, apiAudience } = fields;
  return others.some(
    (other) =>
      other.issuer === issuer &&
      ((apiAudience != null && other.clientId === apiAudience) || other.apiAudience === clientId),
  );
}

export function createProviders(needs: ProviderNeeds): Providers {
  const { store, secrets, filter, clock } = needs;
  const rows: Collection<Provider> = createCollection(store, kind);
  const people = createPeople(needs);

  async function find(tenantId: TenantId | null, id: ProviderId) {
    const provider = await rows.find(id);
    return provider?.tenantId === tenantId ? provider : undefined;
  }

  /** Why these fields cannot be, or undefined. */
  async function wrong(
    tenantId: TenantId | null,
    fields: ProviderFields,
    id?: ProviderId,
  ): Promise<string | undefined> {
    const url = filter.checkUrl(fields.issuer);
    if (typeof url === 'string') return `The issuer cannot be asked: ${url}`;
    if (fields.apiAudience != null) {
      if (tenantId !== null) return 'Only a provider of the system may have an apiAudience!';
      // An id_token is for the client, and must not do what an access token does.
      if (fields.apiAudience === fields.clientId) return 'apiAudience should be another than clientId!';
    }
    const system = await rows.first(providersOf(null), PROVIDERS_MAX);
    const others = system.filter((other) => other.id !== id);
    if (confuses(fields, others)) return CONFUSED;
    if (!fields.signsUp) return undefined;
    const signUpTenantId = tenantId ?? fields.signUpTenantId;
    if (signUpTenantId === null) return 'signUpTenantId should say of whom people become customers!';
    if ((await needs.accounts.tenants.find(signUpTenantId)) === undefined) return 'There is no such tenant!';
    // Everybody at a large mail provider would share one customer, and see each other's devices.
    return fields.customerPattern !== OWN_CUSTOMER && fields.emailDomains.length === 0
      ? 'allowedEmailDomains should say whose addresses these are, where people share a customer!'
      : undefined;
  }

  const sealed = (id: ProviderId, secret: string | null) =>
    secret === null ? null : secrets.sealCredential(id, secret);

  return {
    find,
    findAny: (id) => rows.find(id),
    ofApi: async () =>
      (await rows.first(providersOf(null), PROVIDERS_MAX)).filter(({ apiAudience }) => apiAudience != null),
    list: (tenantId, query) => rows.page(providersOf(tenantId), query),
    signIn: people,

    secretOf({ id, sealedSecret }) {
      return sealedSecret === null ? undefined : (credentialOrNull(secrets, id, sealedSecret) ?? undefined);
    },

    async create(tenantId, fields, secret) {
      const why = await wrong(tenantId, fields);
      if (why !== undefined) return { type: 'bad-fields', why };
      if ((await store.index.count(providersOf(tenantId))) >= PROVIDERS_MAX)
        return { type: 'refused', reason: 'too-many-providers' };
      const now = clock.now();
      const id = newId<ProviderId>(now);
      const common = { id, version: 1, tenantId, createdAt: now, sealedSecret: sealed(id, secret) };
      const provider: Provider = { ...fields, ...common };
      if (!(await rows.create(provider))) throw new Error('a new provider id was taken');
      return { type: 'done', value: provider };
    },

    async update(tenantId, id, fields, secret) {
      const why = await wrong(tenantId, fields, id);
      if (why !== undefined) return { type: 'bad-fields', why };
      const there = await find(tenantId, id);
      if (there === undefined) return { type: 'refused', reason: 'provider-unknown' };
      // The secret is shown to nobody: neither to an issuer that another administrator writes in its place.
      if (secret === undefined && there.sealedSecret !== null && there.issuer !== fields.issuer)
        return { type: 'bad-fields', why: 'clientSecret should be given again where the issuer is another!' };
      const sealedSecret = secret === undefined ? undefined : sealed(id, secret);
      const changed = await rows.change(id, (provider) => ({
        ...provider,
        ...fields,
        ...(sealedSecret === undefined ? {} : { sealedSecret }),
      }));
      if (changed.type === 'not-found') return { type: 'refused', reason: 'provider-unknown' };
      if (changed.type !== 'done') throw new Error(`a provider could not be changed: ${changed.type}`);
      return { type: 'done', value: changed.entity };
    },

    async remove(tenantId, id) {
      const provider = await find(tenantId, id);
      if (provider === undefined) return { type: 'refused', reason: 'provider-unknown' };
      await rows.remove(id);
      return { type: 'done', value: provider };
    },
  };
}

const CONFUSED = 'apiAudience should be no clientId of the same issuer, nor the other way round!';

const refused = (why: Extract<SignedIn, { type: 'refused' }>['why']): SignedIn => ({ type: 'refused', why });

function createPeople({
  accounts,
  directory,
  counters,
  secrets,
  allowSignUp,
}: ProviderNeeds): Providers['signIn'] {
  const { users, customers, providerLinks } = accounts;
  const perAddress = counters('sign-up-address', { windowMs: DAY_MS });
  const perProvider = counters('sign-up-provider', { windowMs: DAY_MS });

  /** Somebody whom the address names, at the first sign-in. */
  async function byAddress(
    provider: Provider,
    claims: Claims,
    person: string,
  ): Promise<User | 'unproven' | undefined> {
    const { email, emailVerified } = claims;
    if (email === undefined || !emailVerified) return undefined;
    const user = await users.findByEmail(email);
    // An address that a user gave itself may be somebody else's, who would then act in that user's place.
    if (user === undefined || user.emailIsOwnChoice === true) return undefined;
    // Nor does a tenant learn by its provider who has an account with another.
    if (!mayVouchFor(provider, user.membership)) return undefined;
    // An address is given to somebody new when its holder leaves: then it is another subject that has it.
    if (provider.emailDomains.includes(domainOf(email))) {
      if (await providerLinks.isTaken(user.id, provider.id)) return undefined;
      // A tenant can give its users any address, and would wait for its holder to come in.
      return provider.tenantId === null && user.emailIsProven !== true ? 'unproven' : user;
    }
    // Its sign-up was broken off before the link was written.
    const { membership } = user;
    if (!provider.signsUp || membership.authority !== 'CUSTOMER_USER') return undefined;
    // The mark lies where a tenant can copy it: only those of the tenant that is signed up for are looked at.
    if (membership.tenantId !== (provider.tenantId ?? provider.signUpTenantId)) return undefined;
    const customer = await customers.find(membership.tenantId, membership.customerId);
    return customer !== undefined && isOwnOf(customer, markOf(secrets, membership.tenantId, person))
      ? user
      : undefined;
  }

  async function isLimited(provider: Provider, address: string): Promise<boolean> {
    const [here, there] = await Promise.all([perAddress.add(address), perProvider.add(provider.id)]);
    return here.count > SIGN_UPS_PER_ADDRESS || there.count > SIGN_UPS_PER_PROVIDER;
  }

  async function newcomer(
    provider: Provider,
    claims: Claims,
    person: string,
    address: string,
  ): Promise<SignedIn> {
    const { email, emailVerified, firstName, lastName } = claims;
    const tenantId = provider.tenantId ?? provider.signUpTenantId;
    if (!allowSignUp || !provider.signsUp || tenantId === null) return refused('user-unknown');
    if (email === undefined || !isEmail(email)) return refused('user-unknown');
    if (!emailVerified) return refused('email-not-verified');
    const domain = domainOf(email);
    const { emailDomains, customerPattern } = provider;
    if (emailDomains.length > 0 && !emailDomains.includes(domain)) return refused('user-unknown');
    if (await isLimited(provider, address)) return refused('too-many-sign-ups');
    const isOwn = customerPattern === OWN_CUSTOMER;
    const title = isOwn ? email : customerPattern.replaceAll('%{domain}', domain);
    const made = await signUp(
      { ...accounts, directory },
      {
        tenantId,
        title,
        ownOf: isOwn ? markOf(secrets, tenantId, person) : null,
        email,
        firstName,
        lastName,
        news: { action: 'ADDED', data: { provider: provider.id } },
      },
    );
    if (made.type === 'refused') return refused('user-unknown');
    return made.type === 'done' ? { type: 'found', user: made.user, isNew: true, isLinked: true } : made;
  }

  return async (provider, claims, address) => {
    const subject = { tenantId: provider.tenantId, iss: claims.iss, sub: claims.sub };
    const person = subjectId(subject);
    const linked = await providerLinks.holder(subject);
    const known =
      linked === undefined ? await byAddress(provider, claims, person) : await users.find(linked.userId);
    if (known === 'unproven') return refused('email-unproven');
    const signedIn: SignedIn =
      known === undefined
        ? await newcomer(provider, claims, person, address)
        : { type: 'found', user: known, isNew: false, isLinked: linked === undefined };
    if (signedIn.type !== 'found') {
      const couldBeKnown = linked === undefined && claims.email !== undefined && !claims.emailVerified;
      const isUnknown = signedIn.type === 'refused' && signedIn.why === 'user-unknown';
      return couldBeKnown && isUnknown ? refused('email-not-verified') : signedIn;
    }
    const { user } = signedIn;
    if (!mayVouchFor(provider, user.membership)) return refused('user-not-below');
    // A password was set by a mail in this moment: the session would begin under it.
    if (linked !== undefined && isEnded(linked, user)) return refused('user-unknown');
    if ((await users.standing(user.id)) === undefined) return refused('user-disabled');
    if (
      linked === undefined &&
      (await providerLinks.add(subject, user, { providerId: provider.id })) !== user.id
    )
      return refused('user-unknown');
    return signedIn;
  };
}

export function mayVouchFor({ tenantId }: Provider, membership: Membership): boolean {
  switch (membership.authority) {
    case 'SYS_ADMIN':
      return false;
    case 'TENANT_ADMIN':
      return tenantId === null;
    case 'CUSTOMER_USER':
      return tenantId === null || tenantId === membership.tenantId;
    default:
      return unreachable(membership);
  }
}
