/** Which mails about their devices customers' users want. */
import { z } from 'zod';
import { NOTICES } from '../../actors/mail/choices.ts';
import type { Mails } from '../../actors/mail/model.ts';
import { CUSTOMER } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { notFound } from '../wire/errors.ts';
import { json } from '../wire/reply.ts';

export const mailNoticesView = z.object({
  claimed: z.boolean(),
  givenBack: z.boolean(),
  offered: z.boolean(),
  takeOver: z.boolean(),
  taken: z.boolean(),
  reset: z.boolean(),
}) satisfies z.ZodType<Record<(typeof NOTICES)[number], boolean>>;

const PATH = '/api/user/mailNotices';

export function mailNoticeRoutes({ mails }: { readonly mails?: Mails }): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: PATH,
      summary: 'Of what about the devices of its customer the caller has a mail sent',
      roles: CUSTOMER,
      responses: {
        200: { description: 'By kind of event', schema: mailNoticesView },
        404: { description: 'The server sends no mails' },
      },
      handle: async ({ principal }) =>
        mails === undefined ? notFound : json(await mails.choicesOf(principal.userId)),
    }),

    defineRoute({
      method: 'POST',
      path: PATH,
      summary: 'Choose; what is not there stays as it was',
      roles: CUSTOMER,
      body: mailNoticesView.partial(),
      responses: {
        200: { description: 'All choices', schema: mailNoticesView },
        404: { description: 'The server sends no mails' },
      },
      handle: async ({ principal, body }) => {
        if (mails === undefined) return notFound;
        const chosen = NOTICES.flatMap((notice) => {
          const choice = body[notice];
          return choice === undefined ? [] : [[notice, choice] as const];
        });
        return json(await mails.choose(principal.userId, Object.fromEntries(chosen)));
      },
    }),
  ];
}
