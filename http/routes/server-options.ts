/**
 * The options that the server runs with, and where each of them comes from: for the system administrator who asks at three
 * in the morning whether a change of the settings has arrived. They are read at the start, and not set here.
 */
import { z } from 'zod';
import { SYSTEM } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { json } from '../wire/reply.ts';

const serverOptionView = z.object({
  key: z.string().describe('As in the file and on the command line'),
  env: z.string().describe('The environment variable'),
  section: z.string(),
  meaning: z.string(),
  source: z.enum(['DEFAULT', 'DEMO', 'FILE', 'ENVIRONMENT', 'COMMAND_LINE']),
  where: z.string().nullable().describe('The very place, where it is not a default'),
  value: z.string().nullable().describe('Null: none, or it is not shown'),
  hidden: z.boolean().describe('It is set, and may be a secret'),
});

export const serverOptionsView = z.object({ options: z.array(serverOptionView) });

export type ServerOption = Readonly<z.output<typeof serverOptionView>>;

export interface ServerOptionsNeeds {
  /** In the order in which they are documented. */
  readonly serverOptions?: readonly ServerOption[] | undefined;
}

export function serverOptionRoutes({ serverOptions = [] }: ServerOptionsNeeds): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/admin/options',
      summary: 'The options that this server runs with, and where each comes from; without secrets',
      description:
        'Of the process that answers: where several share a store, each has its own. Values of keys and passwords, and of ' +
        'addresses that may have a password in them, are not shown.',
      roles: SYSTEM,
      responses: {
        200: { description: 'In the order in which they are documented', schema: serverOptionsView },
      },
      handle: () => json({ options: serverOptions }),
    }),
  ];
}
