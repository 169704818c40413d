/** Mails over the parts of a world: they are kept, and nothing is sent. */
import type { Counters } from '../../actors/limits/counters.ts';
import { createMails, type MailNeeds } from '../../actors/mail/mails.ts';
import { HOUR_MS } from './rest-client.ts';

export const mailsOver = (needs: Omit<MailNeeds, 'smtp' | 'counters'>, counters: Counters) =>
  createMails(
    {
      look: { product: 'claimd', accent: '#000000', onAccent: '#ffffff' },
      baseUrl: 'https://claim.example.org',
      domain: 'example.org',
      language: 'en',
      resetLifeMs: HOUR_MS,
      connections: 1,
      perTenant: 10_000,
      signUpsPerTenant: 4,
    },
    { ...needs, counters, smtp: { send: async () => ({ type: 'sent' }), close() {} } },
  ).mails;
