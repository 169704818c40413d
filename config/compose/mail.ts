/** Composes mails to people, where the operator named an SMTP server. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createMails, type MailNeeds } from '../../actors/mail/mails.ts';
import type { Mails } from '../../actors/mail/model.ts';
import type { SenderFigures } from '../../actors/mail/sender.ts';
import { createSmtp, type SmtpSettings } from '../../actors/mail/smtp.ts';
import type { Target } from '../../actors/outbox/message.ts';
import { languageOf } from '../../actors/texts/languages.ts';
import type { ShownMailSettings } from '../../http/routes/mail-settings.ts';
import { shadesOn } from '../../http/web/parts/theme.ts';
import type { Config } from '../options/schema.ts';
import { StartRefused } from './refusal.ts';

export interface MailParts {
  /** Undefined: there is no SMTP server. */
  readonly mails: Mails | undefined;
  /** Makes mails of events, once the dispatcher runs. */
  readonly notices: Target | undefined;
  start(): void;
  figures(): SenderFigures;
  stop(): Promise<void>;
}

const NONE: MailParts = {
  mails: undefined,
  notices: undefined,
  start() {},
  figures: () => ({ sent: 0, deferred: 0, dropped: 0 }),
  async stop() {},
};

export function composeMail(config: Config, needs: Omit<MailNeeds, 'smtp'>): MailParts {
  const settings = smtpSettings(config);
  const { baseUrl } = config.http;
  if (settings === undefined || baseUrl === undefined) return NONE;
  const { name, accent } = config.web;
  const smtp = createSmtp(settings, needs.clock);
  const made = createMails(
    {
      look: { product: name, ...shadesOn('#ffffff', accent) },
      baseUrl,
      domain: settings.from.slice(settings.from.lastIndexOf('@') + 1),
      language: languageOf(config.mail.language) ?? 'en',
      resetLifeMs: config.accounts.resetLifeMs,
      connections: settings.connections,
      perTenant: config.mail.perTenant,
    },
    { ...needs, smtp },
  );
  const { mails, sender, notices } = made;
  return {
    mails,
    notices,
    start: () => (config.mail.enabled ? sender.start() : undefined),
    figures: sender.figures,
    stop: () => sender.stop(),
  };
}

function smtpSettings({ mail, web }: Config): SmtpSettings | undefined {
  const { host, port, tls, user, password, from, timeoutMs, connections } = mail;
  if (host === undefined || from === undefined) return undefined;
  const ca = mail.caFile === undefined ? undefined : readAuthorities(mail.caFile);
  return { host, port, tls, user, password, ca, from, fromName: web.name, timeoutMs, connections };
}

function readAuthorities(file: string): Buffer {
  try {
    const pem = readFileSync(file);
    new X509Certificate(pem);
    return pem;
  } catch {
    // Without the cause, which may quote the file.
    throw new StartRefused(`mail: ${file} (mail.ca_file) is no readable PEM file of authorities`);
  }
}

/** What the system administrator is shown; undefined: there is no SMTP server. */
export function shownMailSettings({ mail }: Config): ShownMailSettings | undefined {
  const { host, port, tls, user, from, timeoutMs } = mail;
  if (host === undefined || from === undefined) return undefined;
  return { host, port, tls, user: user ?? '', from, timeoutMs };
}
