/** The SMTP client, over nodemailer: a few connections that are kept, TLS that cannot be talked away, and an end to waiting. */
import { createTransport } from 'nodemailer';
import type { Clock } from '../base/clock.ts';
import type { Sent, Smtp } from './model.ts';

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** `starttls`: refused by us where the server does not offer it. `tls`: from the first byte. `none`: readable on the way. */
  readonly tls: 'starttls' | 'tls' | 'none';
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Whom the server's certificate is from, in PEM; undefined: whom Node trusts. */
  readonly ca: Buffer | undefined;
  readonly from: string;
  /** The name beside it. */
  readonly fromName: string;
  /** For connecting, for the greeting, and for each silence, in ms. A whole mail may take three times as long. */
  readonly timeoutMs: number;
  readonly connections: number;
}

/** Mails over one connection; some servers end it after a hundred. */
const MAILS_PER_CONNECTION = 100;
const TIMES = 3;
/** What the server says in its answers is kept in no log, and needs no more room. */
const ANSWER_BYTES_MAX = 65_536;

export function createSmtp(settings: SmtpSettings, clock: Clock): Smtp {
  const { host, port, tls, user, password, ca, timeoutMs } = settings;
  const transport = createTransport({
    pool: true,
    host,
    port,
    secure: tls === 'tls',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    maxResponseSize: ANSWER_BYTES_MAX,
    maxConnections: settings.connections,
    maxMessages: MAILS_PER_CONNECTION,
    // Failed mails are tried again by us, who know it after a restart, too.
    maxRequeues: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  return {
    async send(mail) {
      // A server that trickles its answers would never be silent for long enough.
      const deadline = new AbortController();
      const cancel = clock.after(timeoutMs * TIMES, () => deadline.abort());
      try {
        await transport.sendMail({
          from: { name: settings.fromName, address: settings.from },
          to: { name: '', address: mail.to },
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          messageId: `<${mail.messageId}>`,
          date: mail.at,
          headers: {
            'Auto-Submitted': 'auto-generated', // RFC 3834: no out-of-office note comes back
            'Content-Language': mail.language,
          },
          signal: deadline.signal,
        });
        return { type: 'sent' };
      } catch (error) {
        return outcomeOf(error);
      } finally {
        cancel();
      }
    },
    close: () => transport.close(),
  };
}

/** Whoever is refused for its login, or for coming without TLS, is refused with every mail. */
const ABOUT_US = new Set([421, 454, 503, 530, 534, 535, 538]);
/** What was refused is this mail, or its recipient; without a reply, an address that this server cannot be given. */
const ABOUT_THE_MAIL = new Set(['EENVELOPE', 'EMESSAGE']);

/** What nodemailer's error means (RFC 5321 §4.2.1): a reply of 5xx is for good, unless it is about us; of 4xx for now. */
function outcomeOf(error: unknown): Sent {
  if (!(error instanceof Error)) throw error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const reply = 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : 0;
  // Without the server's words, which quote addresses.
  const why = reply === 0 ? code : `${code} ${reply}`;
  // The sender's address is the operator's setting: to refuse it is to refuse every mail.
  const command = 'command' in error ? error.command : undefined;
  if (code === 'EENVELOPE' && command === 'MAIL FROM' && reply >= 500)
    return { type: 'wrong-server', why: `${why} MAIL FROM` };
  if (!ABOUT_THE_MAIL.has(code) || ABOUT_US.has(reply)) return { type: 'wrong-server', why };
  if (reply >= 400 && reply < 500) return { type: 'later', why };
  const answer = 'response' in error && typeof error.response === 'string' ? error.response : '';
  if (reply >= 500 && isAboutSender(answer)) return { type: 'later', why: `${why} sender` };
  return { type: 'refused', why };
}

const ENHANCED = /^\d{3}[ -]5\.(\d{1,3})\.(\d{1,3})\b/;
/** What servers write that give no enhanced code, or one that says nothing. */
const SENDER_WORDS =
  /\b(?:sender|relay(?:ing)?|spf|dkim|dmarc|mail from|from address|not authori[sz]ed|authenticat)/i;

/**
 * Whether a reply of 5xx to the recipient or the mail may be about who sends it: many servers look at that only then. Such a
 * mail waits, as the operator can mend it. By the enhanced code (RFC 3463 §3.2, §3.8: bad sender, or a rule of the server) where
 * there is one, as this is not in the words of any language.
 */
function isAboutSender(answer: string): boolean {
  const [, subject, detail] = ENHANCED.exec(answer) ?? [];
  if (subject === '7') return true;
  if (subject === '1' && ['7', '8', '9'].includes(detail ?? '')) return true;
  const saysWhose = subject === '1' || subject === '2' || subject === '6';
  return !saysWhose && SENDER_WORDS.test(answer);
}
