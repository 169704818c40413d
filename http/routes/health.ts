/** Whether the process lives, and whether it should be sent work: for supervisors and load balancers. */
import { z } from 'zod';
import { json } from '../reply.ts';
import { defineRoute, type Route } from '../route.ts';

export interface Readiness {
  /** Rejects when the store can not be used just now. */
  check(): Promise<void>;
  /** The process is about to stop: send work elsewhere. */
  draining(): boolean;
}

const statusView = z.object({ status: z.enum(['up', 'draining', 'store-unavailable']) });

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
        200: { description: 'Ready', schema: statusView },
        503: { description: 'Send work elsewhere', schema: statusView },
      },
      async handle() {
        if (readiness.draining()) return json({ status: 'draining' }, 503);
        const works = await readiness.check().then(
          () => true,
          () => false,
        );
        return works ? json({ status: 'up' }) : json({ status: 'store-unavailable' }, 503);
      },
    }),
  ];
}
