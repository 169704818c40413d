/** What a message says that opens a window: a device's own, or a gateway's for a device behind it. */
import type { Instant } from '../base/clock.ts';
import type { TenantId } from '../base/ids.ts';
import type { SecretDigest } from '../base/secret.ts';
import type { GatewayAuthority } from './gateways.ts';

export interface OpensWindow {
  /** The device itself, having shown these credentials (refused when they are the device's no longer), or a gateway. */
  readonly openedBy:
    | { readonly type: 'device'; readonly credentialsId: string }
    | { readonly type: 'gateway'; readonly tenantId: TenantId; readonly authority: GatewayAuthority };
  readonly secretDigest: SecretDigest;
  /** See `secretLengthOf`; absent: 0. Only its digest says more of the secret. */
  readonly secretLength?: number;
  /** Milliseconds; 0 and negative mean the server's default (O1). */
  readonly durationMs: number;
  /** When its message arrived, where it may have waited since, as one from a broker does (O5). Absent: just now. */
  readonly arrivedAt?: Instant;
}
