/**
 * The settings of mail, as ThingsBoard shows them to the system administrator. They are options of this server (`mail.*`), so they
 * are read and tried here, and not set.
 */
import { z } from 'zod';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { Mails } from '../../actors/mail/model.ts';
import { SYSTEM } from '../auth/principal.ts';
import { defineRoute, type Route } from '../route.ts';
import { badRequest, notFound } from '../wire/errors.ts';
import { empty, json } from '../wire/reply.ts';

/** Without the password. */
export interface ShownMailSettings {
  readonly host: string;
  readonly port: number;
  readonly tls: 'starttls' | 'tls' | 'none';
  readonly user: string;
  readonly from: string;
  readonly timeoutMs: number;
}

export interface MailSettingsNeeds {
  readonly accounts: Pick<Accounts, 'users'>;
  readonly mails?: Mails;
  /** Undefined: there is no SMTP server. */
  readonly mailSettings?: ShownMailSettings | undefined;
}

/** Numbers are texts, as in ThingsBoard. */
const settingsView = z.object({
  key: z.literal('mail'),
  jsonValue: z.object({
    mailFrom: z.string(),
    smtpProtocol: z.enum(['smtp', 'smtps']),
    smtpHost: z.string(),
    smtpPort: z.string(),
    timeout: z.string(),
    enableTls: z.boolean(),
    username: z.string(),
    enableOauth2: z.literal(false),
    enableProxy: z.literal(false),
  }),
});

const SET_ELSEWHERE = 'Mail is set by the options mail.* of the server, not by the API!';

export function mailSettingsRoutes({ accounts, mails, mailSettings }: MailSettingsNeeds): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/admin/settings/mail',
      summary: 'How mails are sent; without the password',
      roles: SYSTEM,
      responses: {
        200: { description: 'The settings', schema: settingsView },
        404: { description: 'No mails are sent' },
      },
      handle: () => (mailSettings === undefined ? notFound : json(viewSettings(mailSettings))),
    }),

    defineRoute({
      method: 'POST',
      path: '/api/admin/settings',
      summary: 'Refused: settings are options of the server',
      roles: SYSTEM,
      body: z.unknown(),
      responses: { 400: { description: 'Always' } },
      handle: () => badRequest(SET_ELSEWHERE),
    }),

    defineRoute({
      method: 'POST',
      path: '/api/admin/settings/testMail',
      summary: 'Send a mail to the caller by the settings that the server has, whatever the body says',
      roles: SYSTEM,
      grants: ['everything'],
      body: z.unknown(),
      responses: {
        200: { description: 'The mail server has taken it' },
        400: { description: 'It has not, and why; or there is none' },
      },
      async handle({ principal }) {
        const user = await accounts.users.find(principal.userId);
        if (user === undefined) return notFound;
        if (mails === undefined) return badRequest('No mail server is set (mail.host)!');
        const lang = user.additionalInfo?.lang;
        const sent = await mails.test(user.email, typeof lang === 'string' ? lang : undefined);
        return sent.type === 'sent' ? empty : badRequest(`The mail was not taken: ${sent.why}!`);
      },
    }),
  ];
}

function viewSettings({ host, port, tls, user, from, timeoutMs }: ShownMailSettings) {
  const jsonValue = {
    mailFrom: from,
    smtpProtocol: tls === 'tls' ? 'smtps' : 'smtp',
    smtpHost: host,
    smtpPort: `${port}`,
    timeout: `${timeoutMs}`,
    enableTls: tls !== 'none',
    username: user,
    enableOauth2: false,
    enableProxy: false,
  };
  return { key: 'mail', jsonValue };
}
