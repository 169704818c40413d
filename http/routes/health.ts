/** Whether the process is alive, and whether it can take work: for supervisors and load balancers. */
import { z } from 'zod';
import { StoreUnavailable } from '../../actors/store/store.ts';
import { defineRoute, type Route } from '../route.ts';
import { json } from '../wire/reply.ts';

export interface Readiness {
  /** Rejects if the store cannot be used now, by this process or by another worker of this server. */
  check(): Promise<void>;
  /** The process is about to stop: send work elsewhere. */
  draining(): boolean;
  /** Whether this server is connected to the external MQTT broker; absent if there is none. */
  brokerConnected?(): boolean;
  /** Absent where one process is the whole server. */
  workers?(): WorkerStates;
}

/** The processes of this server, by their numbers in the log. */
export type WorkerStates = z.infer<typeof workersView>;

const workersView = z.object({
  /** Serving. */
  ready: z.array(z.int()).readonly(),
  /** Being started, for the first time or because they died; the others get the connections. */
  starting: z.array(z.int()).readonly(),
  /** Served until some seconds ago, and do not answer now: they are busy, or wait for the disk. */
  silent: z.array(z.int()).readonly(),
});
const statusView = z.object({ status: z.enum(['up', 'draining', 'store-unavailable']) });
const liveView = z.object({ status: z.enum(['up']), workers: workersView.optional() });
const readyView = statusView.extend({
  workers: workersView.optional(),
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
      summary: 'The server answers; with several workers, which of them serve',
      roles: ['PUBLIC'],
      responses: { 200: { description: 'It does', schema: liveView } },
      // Without a look at the store: a server whose disk is slow must not be killed for it.
      handle: () => json({ status: 'up', ...workersOf(readiness) }),
    }),

    defineRoute({
      method: 'GET',
      path: '/readyz',
      summary: 'The server can serve: its store works, for each of its workers, and it is not about to stop',
      roles: ['PUBLIC'],
      responses: {
        200: { description: 'Ready', schema: readyView },
        503: { description: 'Send work elsewhere', schema: readyView },
      },
      async handle() {
        const link = readiness.brokerConnected?.();
        const more = () => ({
          ...(link === undefined ? {} : { mqttBroker: link ? 'connected' : 'not-connected' }),
          ...workersOf(readiness),
        });
        if (readiness.draining()) return json({ status: 'draining', ...more() }, 503);
        // Whatever the check fails with: a process that cannot check its store should be sent no work.
        return readiness.check().then(
          () => json({ status: 'up', ...more() }),
          (error: unknown) => json({ status: 'store-unavailable', ...reasonOf(error), ...more() }, 503),
        );
      },
    }),
  ];
}

function workersOf({ workers }: Readiness): { readonly workers?: WorkerStates } {
  return workers === undefined ? {} : { workers: workers() };
}

function reasonOf(error: unknown): { readonly reason?: 'no-room' } {
  return error instanceof StoreUnavailable && error.reason !== undefined ? { reason: error.reason } : {};
}
