/** Whether the process is alive, and whether it can take work: for supervisors and load balancers. */
import { z } from 'zod';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { defineRoute, type Route } from '../route.ts';
import { json } from '../wire/reply.ts';

export interface Readiness {
  /** Rejects if the store cannot be used now. */
  check(): Promise<void>;
  /** The process is about to stop: send work elsewhere. */
  draining(): boolean;
  /** Whether this server is connected to the external MQTT broker; absent if there is none. */
  brokerConnected?(): boolean;
}

const statusView = z.object({ status: z.enum(['up', 'draining', 'store-unavailable']) });
const readyView = statusView.extend({
  /** The store's disk is full; it goes on by itself when there is room. */
  reason: z.enum(['no-room']).optional(),
  /** For information: the broker is out of reach of the other nodes too, so it is no reason to send work there. */
  mqttBroker: z.enum(['connected', 'not-connected']).optional(),
});

export function healthRoutes({ readiness }: { readonly readiness: Readiness }): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/livez',
      summary: 'The process answers',
      roles: ['PUBLIC'],
      responses: { 200: { description: 'It does', schema: statusView } },
      handle: () => json({ status: 'up' }),
    }),

    defineRoute({
      method: 'GET',
      path: '/readyz',
      summary: 'The process can serve: its store works and it is not about to stop',
      roles: ['PUBLIC'],
      responses: {
        200: { description: 'Ready', schema: readyView },
        503: { description: 'Send work elsewhere', schema: readyView },
      },
      async handle() {
        const link = readiness.brokerConnected?.();
        const mqttBroker = link === undefined ? {} : { mqttBroker: link ? 'connected' : 'not-connected' };
        if (readiness.draining()) return json({ status: 'draining', ...mqttBroker }, 503);
        // Whatever the check fails with: a process that cannot check its store should be sent no work.
        return readiness.check().then(
          () => json({ status: 'up', ...mqttBroker }),
          (error: unknown) => json({ status: 'store-unavailable', ...reasonOf(error), ...mqttBroker }, 503),
        );
      },
    }),
  ];
}

function reasonOf(error: unknown): { readonly reason?: 'no-room' } {
  return error instanceof StoreUnavailable && error.reason !== undefined ? { reason: error.reason } : {};
}
