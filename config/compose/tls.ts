/** Reads the certificate and key of a server from the operator's files, and tells of one that clients refuse. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { codeOf } from '../../actors/base/error-code.ts';
import type { Log } from '../../actors/base/log.ts';
import type { Certificate } from '../../actors/sockets/certificate.ts';
import { StartRefused } from './refusal.ts';

export interface CertificateFiles {
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly keyPassword: string | undefined;
  /** The options that name them, for error messages. */
  readonly options: string;
}

/**
 * Reads both files and checks that they belong together. Throws `StartRefused`.
 *
 * @param what the server's name, for error messages
 */
export function readCertificate(what: string, files: CertificateFiles): Certificate {
  const { certFile, keyFile, keyPassword, options } = files;
  if (certFile === undefined || keyFile === undefined) {
    throw new StartRefused(`${what} over TLS needs a certificate file and a key file: ${options}`);
  }
  const certificate = {
    cert: readFile(`${what} over TLS`, certFile),
    key: readFile(`${what} over TLS`, keyFile),
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
  };
  try {
    createSecureContext(certificate);
  } catch {
    // Without the cause, which may quote the files.
    throw new StartRefused(
      `${what} over TLS: ${certFile} and ${keyFile} are no certificate and its key in PEM`,
    );
  }
  return certificate;
}

/**
 * Throws `StartRefused`.
 *
 * @param what whose file it is, for error messages
 */
export function readFile(what: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new StartRefused(`${what}: ${file} cannot be read (${codeOf(error)})`, error);
  }
}

/** The door is open all the same: there is nothing better to show, and the clock of this machine may be wrong. */
export function tellOfInvalidCertificates(
  certificates: Readonly<Record<string, Certificate>>,
  now: number,
  log: Log,
): void {
  for (const [door, { cert }] of Object.entries(certificates)) {
    const { validFrom, validTo } = new X509Certificate(cert);
    if (now >= Date.parse(validFrom) && now < Date.parse(validTo)) continue;
    log.error({ door, validFrom, validTo }, INVALID);
  }
}

const INVALID = 'a certificate has ended, or has not begun: clients refuse it; renew it, and send SIGHUP';
