/** What clients ask about the server before they use it. */

import { z } from 'zod';
import { EVERYBODY } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { json } from '../wire/reply.ts';

/**
 * The version of ThingsBoard's API that is implemented, not claimd's version. The Dart client, and so the mobile app,
 * reads three numbers and refuses servers before 3.9.
 */
export const API_VERSION = '4.2.0';

const infoView = z.object({
  version: z.string(),
  artifact: z.string(),
  name: z.string(),
  /** Community Edition; clients of the other edition refuse it. */
  type: z.literal('CE'),
});

export function systemRoutes(): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/system/info',
      summary: "Which version of ThingsBoard's API the server speaks",
      roles: EVERYBODY,
      grants: ['everything', 'delegated', 'reading', 'claiming'],
      responses: { 200: { description: 'The version', schema: infoView } },
      handle: () => json({ version: API_VERSION, artifact: 'claimd', name: 'claimd', type: 'CE' }),
    }),
  ];
}
