/** Who asks, according to the store and not to the token. The three kinds have types of their own. */
import type { BegunIn, Membership, SessionVia } from '../../actors/accounts/accounts.ts';
import type { ApiKeyId, CustomerId, TenantId, UserId } from '../../actors/base/ids.ts';
import { unreachable } from '../../actors/base/unreachable.ts';

/**
 * How much of its role a caller may use. `delegated`: an API key, or an administrator who looks in as another user; all
 * but what lets one log in, so that nothing that was delegated outlives its end. `reading`: the anonymous user of a public customer. `claiming`: an API key
 * made for claiming only. `verifying`: somebody who has shown the password and still has to show a code. `enrolling`:
 * somebody who has to set a second factor up first.
 */
export type Grant = 'everything' | 'delegated' | 'reading' | 'claiming' | 'verifying' | 'enrolling';

interface Session {
  readonly userId: UserId;
  /** Undefined with an API key, which has no session. */
  readonly sessionId: string | undefined;
  /** Of the user, where it has a session: counts new passwords. */
  readonly credentialsVersion?: number;
  readonly grant: Grant;
  /** With `enrolling`: the id of the token, which goes with the second factor that it sets up. */
  readonly enrolment?: string;
  /** While logging in: the provider by which that began. */
  readonly via?: SessionVia;
  /** The administrator who looks in as this user. */
  readonly impersonatorId?: UserId;
  /** The API key that was shown instead of a session. */
  readonly apiKeyId?: ApiKeyId;
}

interface SystemAdministrator extends Session {
  readonly authority: 'SYS_ADMIN';
}

export interface TenantAdministrator extends Session {
  readonly authority: 'TENANT_ADMIN';
  readonly tenantId: TenantId;
}

export interface CustomerUser extends Session {
  readonly authority: 'CUSTOMER_USER';
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
}

export type Principal = SystemAdministrator | TenantAdministrator | CustomerUser;

/** Who may call a route. `PUBLIC`: anybody, without a token. */
export type Role = Principal['authority'] | 'PUBLIC';

export const SYSTEM = ['SYS_ADMIN'] as const;
export const TENANT = ['TENANT_ADMIN'] as const;
export const CUSTOMER = ['CUSTOMER_USER'] as const;
export const ADMINISTRATORS = ['SYS_ADMIN', 'TENANT_ADMIN'] as const;
export const TENANT_AND_CUSTOMER = ['TENANT_ADMIN', 'CUSTOMER_USER'] as const;
export const EVERYBODY = ['SYS_ADMIN', 'TENANT_ADMIN', 'CUSTOMER_USER'] as const;

/** The principals that hold one of these roles. */
export type Holder<R extends Role> = R extends 'PUBLIC' ? undefined : Extract<Principal, { authority: R }>;

/** Whether the principal (undefined: nobody) holds one of the roles. */
export function holdsOneOf<R extends Role>(
  roles: readonly R[],
  principal: Principal | undefined,
): principal is Holder<R> {
  const role: Role = principal?.authority ?? 'PUBLIC';
  return roles.some((allowed) => allowed === role);
}

/**
 * Whether users of one membership may act for those of the other: the system administrator for tenants' administrators,
 * these for users of their customers. Never for their equals.
 */
export function isRightBelow(above: Membership, below: Membership): boolean {
  switch (above.authority) {
    case 'SYS_ADMIN':
      return below.authority === 'TENANT_ADMIN';
    case 'TENANT_ADMIN':
      return below.authority === 'CUSTOMER_USER' && below.tenantId === above.tenantId;
    case 'CUSTOMER_USER':
      return false;
    default:
      return unreachable(above);
  }
}

/** How the caller came in who asks for what runs on in the background: it ends with that (`../routes/may-go-on.ts`). */
export function wayIn({ apiKeyId, sessionId, credentialsVersion }: Principal): {
  readonly apiKeyId?: ApiKeyId;
  readonly begunIn?: BegunIn;
} {
  if (apiKeyId !== undefined) return { apiKeyId };
  if (sessionId === undefined || credentialsVersion === undefined) return {};
  return { begunIn: { sessionId, credentialsVersion } };
}

const IN_PERSON = {};

/** For a command in the name of a user: the administrator who looks in as that user, if one does. */
export function impersonation({ impersonatorId }: Pick<Principal, 'impersonatorId'>): {
  readonly impersonatorId?: UserId;
} {
  return impersonatorId === undefined ? IN_PERSON : { impersonatorId };
}
