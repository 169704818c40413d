/** Identity providers (OpenID Connect) that people sign in with. What one is, and what can be asked of it. */
import type { User } from '../accounts/accounts.ts';
import type { Instant } from '../base/clock.ts';
import type { ProviderId, TenantId } from '../base/ids.ts';
import type { EntityQuery, Page } from '../records/pages.ts';

/** How this server shows its secret to the provider. `NONE`: it has none, and PKCE alone protects the code. */
export const CLIENT_AUTHENTICATIONS = ['BASIC', 'POST', 'NONE'] as const;
type ClientAuthentication = (typeof CLIENT_AUTHENTICATIONS)[number];

export const PROVIDERS_MAX = 20;

/** The pattern of a customer of its own for everybody. */
export const OWN_CUSTOMER = '%{email}';

/** What its administrator says of it. */
export interface ProviderFields {
  readonly title: string;
  /** Where its metadata are, and what its tokens must say to the letter. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientAuthentication: ClientAuthentication;
  readonly scopes: readonly string[];
  readonly buttonLabel: string;
  readonly buttonIcon: string | null;
  /** Domains of e-mail addresses, in lower case: users who have such an address are found by it at their first sign-in. */
  readonly emailDomains: readonly string[];
  /** Who is not known becomes a user of a customer, if the operator allows that (`allowSignUp`). */
  readonly signsUp: boolean;
  /** For a provider of the system: of whom whoever signs up becomes a customer. */
  readonly signUpTenantId: TenantId | null;
  /** Of which customer: `%{email}` is one of its own for everybody, `%{domain}` one for each domain; else a title. */
  readonly customerPattern: string;
  /**
   * Access tokens of this issuer for this audience are taken on the REST API; null: none are. Only of the system's
   * providers: two tenants that name the same issuer could not be told apart by a token.
   */
  readonly apiAudience?: string | null;
  /** Whether such a token may be of the type `JWT`, as those of Entra and Keycloak, and not only `at+jwt` (RFC 9068). */
  readonly apiTakesPlainJwt?: boolean;
}

export interface Provider extends ProviderFields {
  readonly id: ProviderId;
  readonly version: number;
  /** Null: of the system. */
  readonly tenantId: TenantId | null;
  readonly createdAt: Instant;
  readonly sealedSecret: string | null;
}

export type ProviderAnswer<Value> =
  | { readonly type: 'done'; readonly value: Value }
  | { readonly type: 'refused'; readonly reason: 'provider-unknown' | 'too-many-providers' }
  /** What is wrong with the fields: a sentence. */
  | { readonly type: 'bad-fields'; readonly why: string };

/** What a provider says of a person who has just signed in there. */
export interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly email: string | undefined;
  readonly emailVerified: boolean;
  readonly firstName: string | null;
  readonly lastName: string | null;
}

export type SignedIn =
  /** `isLinked`: for the first time by this person of the provider. */
  | { readonly type: 'found'; readonly user: User; readonly isNew: boolean; readonly isLinked: boolean }
  | { readonly type: 'refused'; readonly why: SignInReason }
  | { readonly type: 'unavailable' };

/**
 * `email-unproven`: a user has the address, and nobody knows whether it is the same person's. `user-unknown`: nobody is linked,
 * nobody may be found by the address, and nobody may be made. `user-not-below`: the user is not below whoever set the provider
 * up. `too-many-sign-ups`: ask again later.
 */
export type SignInReason =
  | 'user-unknown'
  | 'email-not-verified'
  | 'email-unproven'
  | 'user-not-below'
  | 'user-disabled'
  | 'too-many-sign-ups';

/** All of it rejects with `StoreUnavailable`. Somebody else's provider is `provider-unknown`. */
export interface Providers {
  /** @param secret null: none */
  create(
    tenantId: TenantId | null,
    fields: ProviderFields,
    secret: string | null,
  ): Promise<ProviderAnswer<Provider>>;
  /** @param secret undefined: it stays */
  update(
    tenantId: TenantId | null,
    id: ProviderId,
    fields: ProviderFields,
    secret: string | null | undefined,
  ): Promise<ProviderAnswer<Provider>>;
  find(tenantId: TenantId | null, id: ProviderId): Promise<Provider | undefined>;
  list(tenantId: TenantId | null, query: EntityQuery): Promise<Page<Provider>>;
  remove(tenantId: TenantId | null, id: ProviderId): Promise<ProviderAnswer<Provider>>;
  /** For signing in: of whoever it is. */
  findAny(id: ProviderId): Promise<Provider | undefined>;
  /** Undefined: it has none, or it is sealed under a key that is gone. */
  secretOf(provider: Provider): string | undefined;
  /** Those of the system whose access tokens are taken on the REST API. */
  ofApi(): Promise<readonly Provider[]>;
  /** Who somebody is that has signed in there. @param address by which sign-ups are counted */
  signIn(provider: Provider, claims: Claims, address: string): Promise<SignedIn>;
}
