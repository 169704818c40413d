/** Composes mails to people, where the operator named an SMTP server. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Accounts } from '../../actors/accounts/accounts.ts';
import { parseId, type TenantId } from '../../actors/base/ids.ts';
import type { Directory } from '../../actors/fleet/devices.ts';
import { createMails, type MailNeeds } from '../../actors/mail/mails.ts';
import type { Mails } from '../../actors/mail/model.ts';
import type { SenderFigures } from '../../actors/mail/sender.ts';
import { createSignUps, type SignUpSettings, type SignUps } from '../../actors/mail/sign-ups.ts';
import type { SmtpSettings } from '../../actors/mail/smtp.ts';
import type { Target } from '../../actors/outbox/message.ts';
import { OWN_CUSTOMER } from '../../actors/providers/model.ts';
import { languageOf } from '../../actors/texts/languages.ts';
import type { ShownMailSettings } from '../../http/routes/mail-settings.ts';
import { shadesOn } from '../../http/web/parts/theme.ts';
import type { Config } from '../options/schema.ts';
import { listOf } from '../options/sections/accounts.ts';
import { StartRefused } from './refusal.ts';

export interface MailParts {
  /** Undefined: there is no SMTP server. */
  readonly mails: Mails | undefined;
  /** Undefined: nobody signs up by mail. */
  readonly signUps: SignUps | undefined;
  /** Makes mails of events, once the dispatcher runs. */
  readonly notices: Target | undefined;
  start(): void;
  figures(): SenderFigures;
  stop(): Promise<void>;
}

const NONE: MailParts = {
  mails: undefined,
  signUps: undefined,
  notices: undefined,
  start() {},
  figures: () => ({ sent: 0, deferred: 0, dropped: 0 }),
  async stop() {},
};

/** Without an SMTP server its library is not loaded. Rejects with `StartRefused` for settings that cannot be. */
export async function composeMail(
  config: Config,
  needs: Omit<MailNeeds, 'smtp'> & {
    readonly accounts: Accounts;
    readonly directory: Pick<Directory, 'ofCustomer'>;
  },
): Promise<MailParts> {
  const settings = smtpSettings(config);
  const { baseUrl } = config.http;
  if (settings === undefined || baseUrl === undefined) {
    if (signUpSettings(config) !== undefined)
      throw new StartRefused(
        'security.sign_up.tenants: people sign up by mails, so mail.host, mail.from and HTTP_BASE_URL are needed',
      );
    return NONE;
  }
  const { name, accent } = config.web;
  const { createSmtp } = await import('../../actors/mail/smtp.ts');
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
      signUpsPerTenant: config.accounts.signUpsPerHour,
    },
    { ...needs, smtp },
  );
  const { mails, sender, notices } = made;
  const signUp = signUpSettings(config);
  return {
    mails,
    signUps: signUp && createSignUps(signUp, { ...needs, mails }),
    notices,
    start: () => (config.mail.enabled ? sender.start() : undefined),
    figures: sender.figures,
    stop: () => sender.stop(),
  };
}

/** Undefined: nobody signs up by mail. */
function signUpSettings({ accounts }: Config): SignUpSettings | undefined {
  const { signUpTenants = '', signUpCustomer: customerPattern, signUpDomains = '' } = accounts;
  const tenants = listOf(signUpTenants).flatMap((id) => parseId<TenantId>(id) ?? []);
  if (tenants.length === 0) return undefined;
  const emailDomains = listOf(signUpDomains).map((domain) => domain.toLowerCase());
  if (customerPattern !== OWN_CUSTOMER && emailDomains.length === 0)
    throw new StartRefused(
      'security.sign_up.domains should say whose addresses these are, where people share a customer (security.sign_up.customer)',
    );
  return { tenants, customerPattern, emailDomains };
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
