/** Mails to people, by an SMTP server. */
import { isEmail } from '../../../actors/base/text.ts';
import { languageOf } from '../../../actors/texts/languages.ts';
import { choice, count, flag, millis, port, section, text } from './declare.ts';

export const mail = section('Mail', {
  host: text({
    key: 'mail.host',
    env: 'MAIL_HOST',
    default: undefined,
    pattern: /^[A-Za-z0-9.:_-]{1,253}$/u,
    expected: 'the name or address of a server',
    why: 'SMTP server by which mails go out. By default none do: people who forget a password ask their administrator. Needs mail.from, and HTTP_BASE_URL for the links in mails.',
  }),
  port: port({ key: 'mail.port', env: 'MAIL_PORT', default: 587, why: 'Its port.' }),
  tls: choice({
    key: 'mail.tls',
    env: 'MAIL_TLS',
    choices: ['starttls', 'tls', 'none'],
    default: 'starttls',
    why: 'starttls: nothing is sent where the server does not offer it. tls: from the first byte, mostly port 465. none: mails, with links that open accounts, can be read on the way.',
  }),
  caFile: text({
    key: 'mail.ca_file',
    env: 'MAIL_CA',
    default: undefined,
    why: 'PEM file of the authorities that may sign its certificate. By default those that Node.js trusts.',
  }),
  user: text({ key: 'mail.user', env: 'MAIL_USER', default: undefined, why: 'User name at the server.' }),
  password: text({
    key: 'mail.password',
    env: 'MAIL_PASSWORD',
    default: undefined,
    secret: true,
    why: 'Its password.',
  }),
  from: text({
    key: 'mail.from',
    env: 'MAIL_FROM',
    default: undefined,
    parse: (given) => (isEmail(given) ? given : undefined),
    expected: 'an e-mail address',
    why: 'Address that mails are from. The name beside it is web.name.',
  }),
  timeoutMs: {
    ...millis({
      key: 'mail.timeout',
      env: 'MAIL_TIMEOUT',
      default: 10_000,
      min: 100,
      why: 'How long the server may be silent. A whole mail may take three times as long.',
    }),
    max: 120_000,
  },
  connections: count({
    key: 'mail.connections',
    env: 'MAIL_CONNECTIONS',
    default: 2,
    min: 1,
    max: 20,
    why: 'Connections to the server, which are kept, and mails at the same time. One node sends for all.',
  }),
  enabled: flag({
    key: 'mail.enabled',
    env: 'MAIL_ENABLED',
    default: true,
    why: 'Whether this node sends the mails that wait. The others then do.',
  }),
  perTenant: count({
    key: 'mail.perTenantPerHour',
    env: 'MAIL_PER_TENANT_PER_HOUR',
    default: 1_000,
    min: 1,
    max: 1_000_000,
    why: 'Mails an hour on behalf of one tenant, and as many that warn somebody: of a changed password or address, of losing a device. What is beyond is not sent, which the log tells.',
  }),
  language: text({
    key: 'mail.language',
    env: 'MAIL_LANGUAGE',
    default: 'en',
    parse: (tag) => languageOf(tag),
    expected: 'a language such as en, de or pt-BR',
    why: 'Language of mails to people who have not chosen one (`lang` in their additionalInfo, as de_DE).',
  }),
});
