/** What the operator decides about HTTP. Names of durations and sizes end with their unit. */
import type { WindowGuessSettings } from '../actors/cluster/window-guesses.ts';

/** At most `max` in any window of `windowMs`; `max` 0 switches the limit off. */
export interface Limit {
  readonly max: number;
  readonly windowMs: number;
}

export interface ApiSettings {
  readonly tokens: TokenSettings;
  readonly limits: LimitSettings;
  /** Largest request body in bytes; more is answered 413. */
  readonly maxBodyBytes: number;
  /** How many trusted proxies append to X-Forwarded-For; 0: the header is ignored. */
  readonly trustedProxies: number;
  /** Origins whose pages may use the API, as browsers send them; `*`: any, without cookies. */
  readonly corsOrigins: readonly string[];
  /** What links begin with, e.g. `https://claim.example.org`; null: the origin of the request. */
  readonly baseUrl: string | null;
  /** In characters; for those who choose one. `actors/accounts` holds them to it. */
  readonly passwordMinLength: number;
  readonly passwordMaxLength: number;
  /** Whether administrators may have tokens of the users right below them. */
  readonly userTokenAccess: boolean;
  /** How long after a login one may change the own e-mail address without the password. */
  readonly freshLoginMs: number;
  /** Whether an unknown device, another's device and a wrong secret are refused alike. */
  readonly uniformRefusals: boolean;
  /** Whether customers read the credentials of devices that they own; they keep working after the owner changes (O9). */
  readonly customersReadCredentials: boolean;
  /** What proofs of possession name as `aud`: this server (rule C11). */
  readonly proofAudience: string;
  /** Whether a device without the attribute `claimingAllowed` can be claimed (rule O3); used to explain refusals. */
  readonly claimingByDefault: boolean;
  /** Devices that a tenant may have, which is told; 0: any number. `actors/fleet` holds it to that. */
  readonly devicesPerTenant: number;
}

export interface TokenSettings {
  /** HS512 key, at least 64 bytes. */
  readonly signingKey: Buffer;
  /** While keys are changed: tokens that it signed are good, too. */
  readonly otherSigningKey?: Buffer;
  readonly issuer: string;
  /** Names this installation (`aud`): tokens of another one are refused, even if it has the same key. */
  readonly audience: string;
  readonly accessExpiresInSeconds: number;
  readonly refreshExpiresInSeconds: number;
  /** How long the standing of a user is cached; a change made by another process counts after it. */
  readonly standingTtlMs: number;
  /** Users in that cache. */
  readonly standingMax: number;
}

export interface DeviceApiSettings {
  /** Largest body of a request, in bytes. */
  readonly payloadBytesMax: number;
  /** How long a device waits before it asks again, when the server cannot serve now; whole seconds. */
  readonly retryAfterSeconds: number;
  /** Whether telemetry and client attributes are taken, and dropped. */
  readonly acceptsTelemetry: boolean;
}

/** Rule C6: wrong secrets count against the party that sends them, and nobody else. */
export interface LimitSettings {
  readonly wrongSecretsPerCustomerAndDevice: Limit;
  readonly wrongSecretsPerCustomer: Limit;
  readonly wrongSecretsPerAddress: Limit;
  /** For one device, over all customers and addresses; see `actors/cluster/window-guesses.ts`. */
  readonly wrongSecretsPerWindow: WindowGuessSettings;
  /** So many claims in vain count as one wrong secret: there was nothing that a secret could open. */
  readonly vainClaimsPerWrongSecret: number;
  /** Challenges for proofs of possession that one customer gets. */
  readonly challengesPerCustomer: Limit;
  /** Offers that one customer makes. */
  readonly offersPerCustomer: Limit;
  /** Wrong codes of kits (rule K4). */
  readonly wrongKitCodesPerCustomer: Limit;
  readonly wrongKitCodesPerAddress: Limit;
  /** Failed logins of one user name from one address. */
  readonly failedLogins: Limit;
  /** Failed logins from one address over all user names, of users who never logged in from there. */
  readonly failedLoginsPerAddress: Limit;
  /** Failed logins of one user name over all addresses that it never logged in from. */
  readonly failedLoginsPerUser: Limit;
}

export interface HttpServerSettings {
  readonly address: string;
  readonly port: number;
  /** Connections at once; further ones are closed. */
  readonly maxConnections: number;
  /** Of one address; behind trusted proxies requests in flight of one forwarded address. 0: no limit. */
  readonly maxConnectionsPerAddress: number;
  /** Bytes of request line and headers together; more is answered 431. */
  readonly maxHeaderBytes: number;
  readonly headersTimeoutMs: number;
  /** For receiving a whole request. */
  readonly requestTimeoutMs: number;
  /** How long an idle connection is kept open. */
  readonly keepAliveTimeoutMs: number;
  /** How long a client may take nothing of what waits for it. */
  readonly writeTimeoutMs: number;
  /** Bytes of large answers that wait for their clients to read, over all connections. */
  readonly maxWaitingBytes: number;
  /** As in `ApiSettings`, for connections that are upgraded. */
  readonly trustedProxies: number;
  /** For how long browsers that came over HTTPS ask over nothing else (RFC 6797); 0: they are not told. */
  readonly hstsMaxAgeSeconds: number;
}

const MINUTE_MS = 60_000;

export const defaultApiSettings: Omit<ApiSettings, 'tokens'> = {
  limits: {
    wrongSecretsPerCustomerAndDevice: { max: 10, windowMs: MINUTE_MS },
    wrongSecretsPerCustomer: { max: 100, windowMs: MINUTE_MS },
    wrongSecretsPerAddress: { max: 300, windowMs: MINUTE_MS },
    wrongSecretsPerWindow: { max: 20, firstWaitMs: MINUTE_MS },
    vainClaimsPerWrongSecret: 6,
    challengesPerCustomer: { max: 60, windowMs: MINUTE_MS },
    offersPerCustomer: { max: 600, windowMs: MINUTE_MS },
    wrongKitCodesPerCustomer: { max: 10, windowMs: 10 * MINUTE_MS },
    wrongKitCodesPerAddress: { max: 50, windowMs: 10 * MINUTE_MS },
    failedLogins: { max: 10, windowMs: MINUTE_MS },
    failedLoginsPerAddress: { max: 50, windowMs: 15 * MINUTE_MS },
    failedLoginsPerUser: { max: 50, windowMs: 15 * MINUTE_MS },
  },
  maxBodyBytes: 1024 * 1024,
  trustedProxies: 0,
  corsOrigins: [],
  baseUrl: null,
  passwordMinLength: 12,
  passwordMaxLength: 72,
  userTokenAccess: true,
  freshLoginMs: 10 * MINUTE_MS,
  uniformRefusals: false,
  customersReadCredentials: false,
  proofAudience: 'claimd',
  claimingByDefault: true,
  devicesPerTenant: 0,
};

export const defaultDeviceApiSettings: DeviceApiSettings = {
  payloadBytesMax: 65_536,
  retryAfterSeconds: 1,
  acceptsTelemetry: true,
};

export const defaultTokenSettings: Omit<TokenSettings, 'signingKey'> = {
  issuer: 'thingsboard.io',
  audience: 'claimd',
  accessExpiresInSeconds: 9000,
  refreshExpiresInSeconds: 604_800,
  standingTtlMs: 2000,
  standingMax: 10_000,
};

export const defaultHttpServerSettings: HttpServerSettings = {
  address: '0.0.0.0',
  port: 8080,
  maxConnections: 20_000,
  maxConnectionsPerAddress: 5_000,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 75_000,
  writeTimeoutMs: 60_000,
  maxWaitingBytes: 128 * 1024 * 1024,
  trustedProxies: 0,
  hstsMaxAgeSeconds: 365 * 24 * 60 * 60,
};
