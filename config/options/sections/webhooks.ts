/** Webhooks: requests that tell others what happens to a tenant's devices. Where they may go is in `outbound.ts`. */
import { WEBHOOKS_MAX } from '../../../actors/webhooks/model.ts';
import { count, flag, millis, section } from './declare.ts';

export const webhooks = section('Webhooks', {
  enabled: flag({
    key: 'webhooks.enabled',
    env: 'WEBHOOKS_ENABLED',
    default: true,
    why: 'Whether this node sends to webhooks, and events to an external broker. What happens meanwhile waits in the log, and goes out when it is switched on again.',
  }),
  perTenant: count({
    key: 'webhooks.perTenant',
    env: 'WEBHOOKS_PER_TENANT',
    default: WEBHOOKS_MAX,
    min: 0,
    max: 1_000,
    why: 'Webhooks of one tenant. 0: none can be made.',
  }),
  timeoutMs: {
    ...millis({
      key: 'webhooks.timeout',
      env: 'WEBHOOKS_TIMEOUT',
      default: 15_000,
      min: 100,
      why: 'Time for a whole request to a webhook.',
    }),
    max: 60_000,
  },
  logEventsMax: count({
    key: 'webhooks.logEventsMax',
    env: 'WEBHOOKS_LOG_EVENTS_MAX',
    default: 100_000,
    min: 0,
    max: 1_000_000_000,
    why: 'For how many events each log of Redis waits for the webhooks that are behind, beyond what the audit trail needs. An event takes some 300 bytes of memory. What lies behind that is not sent any more, and the log of this server tells so. LMDB keeps its log anyhow.',
  }),
});
