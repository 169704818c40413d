/** The one door to other people's servers, for all that asks them: webhooks, identity providers, the policy hook. */
import type { Clock } from '../../actors/base/clock.ts';
import { type AddressFilter, createAddressFilter } from '../../actors/outbound/addresses.ts';
import { createOutbound, type SendOutbound } from '../../actors/outbound/request.ts';
import { listOf } from '../options/option.ts';
import type { Config } from '../options/schema.ts';

export interface Outbound {
  readonly filter: AddressFilter;
  readonly send: SendOutbound;
  /** Whether requests may go without TLS. */
  readonly allowHttp: boolean;
}

export function openOutbound({ allowedNetworks, allowHttp }: Config['outbound'], clock: Clock): Outbound {
  const filter = createAddressFilter({ allowedNetworks: listOf(allowedNetworks ?? ''), allowHttp });
  return { filter, send: createOutbound(filter, clock), allowHttp };
}
