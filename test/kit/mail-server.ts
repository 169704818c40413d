/** An SMTP server for tests: it keeps the mails that it took, and refuses, hangs and lies where it is told to. */

import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { SERVER_CERTIFICATE } from './certificate.ts';
import { temporaryFolder } from './folders.ts';
import { until } from './until.ts';

export interface Heard {
  /** As the envelope names them. */
  readonly to: readonly string[];
  readonly raw: string;
  readonly mail: ParsedMail;
  /** Whether it came over TLS. */
  readonly secure: boolean;
}

/** A reply instead of 250, to the sender, the recipient or the whole mail. */
interface Refusal {
  readonly at: 'sender' | 'recipient' | 'data';
  readonly code: number;
  readonly words?: string;
}

export interface MailServer {
  readonly port: number;
  readonly heard: Heard[];
  /** Mails that were refused. */
  readonly refused: () => number;
  /** From now on; undefined: all are taken. */
  refuse(refusal: Refusal | undefined): void;
  /** Options of a server that sends by this one. */
  readonly options: Readonly<Record<string, string>>;
  /** The newest mail to an address, once there are so many. */
  mailTo(address: string, count?: number): Promise<Heard>;
  stop(): Promise<void>;
}

const LOGIN = { user: 'claimd', pass: 'a password of the mail server' };

interface Options {
  /** Whether STARTTLS is offered; without it whoever is between has taken it away. */
  readonly startTls?: boolean;
  readonly port?: number;
}

export async function startMailServer({ startTls = true, port = 0 }: Options = {}): Promise<MailServer> {
  const heard: Heard[] = [];
  let refusal: Refusal | undefined;
  let refused = 0;
  const refuseNow = () => {
    refused += 1;
    return Object.assign(new Error(refusal?.words ?? 'not this one'), { responseCode: refusal?.code ?? 451 });
  };
  const server = new SMTPServer({
    ...SERVER_CERTIFICATE,
    disabledCommands: startTls ? [] : ['STARTTLS'],
    allowInsecureAuth: true,
    authMethods: ['PLAIN'],
    closeTimeout: 100,
    onAuth({ username, password }, _session, done) {
      const isRight = username === LOGIN.user && password === LOGIN.pass;
      done(isRight ? null : new Error('wrong'), isRight ? { user: 'claimd' } : undefined);
    },
    onMailFrom(_address, _session, done) {
      done(refusal?.at === 'sender' ? refuseNow() : null);
    },
    onRcptTo(_address, _session, done) {
      done(refusal?.at === 'recipient' ? refuseNow() : null);
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (refusal?.at === 'data') return done(refuseNow());
        const raw = Buffer.concat(chunks).toString('utf8');
        const to = session.envelope.rcptTo.map(({ address }) => address);
        void simpleParser(raw).then((mail) => {
          heard.push({ to, raw, mail, secure: session.secure === true });
          done(null);
        });
      });
    },
  });
  server.on('error', () => {}); // a client that goes away
  await new Promise<void>((listening) => server.listen(port, () => listening()));
  const address = server.server.address();
  const itsPort = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port: itsPort,
    heard,
    refused: () => refused,
    refuse: (next) => {
      refusal = next;
    },
    options: mailOptions(itsPort),
    async mailTo(to, count = 1) {
      const its = () => heard.filter((one) => one.to.includes(to));
      await until(`${count} mails to ${to}`, () => its().length >= count, PATIENCE_MS);
      const last = its().at(-1);
      if (last === undefined) throw new Error('no mail');
      return last;
    },
    stop: () => new Promise<void>((stopped) => server.close(() => stopped())),
  };
}

/** A mail that was put off comes a minute later. */
const PATIENCE_MS = 180_000;

export const BASE_URL = 'https://claim.example.org/base';

export function mailOptions(port: number): Readonly<Record<string, string>> {
  return {
    'mail.host': 'localhost',
    'mail.port': String(port),
    'mail.from': 'no-reply@example.org',
    // The longest there may be: this process stands still now and then, and the server with it.
    'mail.timeout': '120000',
    'mail.ca_file': authorityFile(),
    'mail.user': LOGIN.user,
    'mail.password': LOGIN.pass,
    'server.base_url': BASE_URL,
  };
}

/** The same for a server of its own. */
export function mailEnvironment(port: number): Readonly<Record<string, string>> {
  return {
    MAIL_HOST: 'localhost',
    MAIL_PORT: String(port),
    MAIL_FROM: 'no-reply@example.org',
    MAIL_CA: authorityFile(),
    MAIL_USER: LOGIN.user,
    MAIL_PASSWORD: LOGIN.pass,
    HTTP_BASE_URL: BASE_URL,
  };
}

function authorityFile(): string {
  const file = join(temporaryFolder(), 'ca.pem');
  writeFileSync(file, SERVER_CERTIFICATE.cert);
  return file;
}

/** Takes connections and never says a word. */
export async function startSilentServer(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((listening) => server.listen(0, () => listening()));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    stop: () =>
      new Promise((stopped) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => stopped());
      }),
  };
}

/** The link in a mail, as its text has it. @param base of the server that sent it */
export function linkIn({ mail: { text = '' } }: Heard, base = BASE_URL): URL {
  const [link = ''] = /^\S+/.exec(text.slice(text.indexOf(base))) ?? [];
  return new URL(link);
}
