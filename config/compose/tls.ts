/** Reads the certificate and key of a server from the operator's files. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Certificate } from '../../actors/sockets/certificate.ts';
import { StartRefused } from './refusal.ts';

export interface CertificateFiles {
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly keyPassword: string | undefined;
}

/**
 * Reads both files and checks that they belong together. Throws `StartRefused`.
 *
 * @param what the server's name, for error messages
 */
export function readCertificate(what: string, files: CertificateFiles): Certificate {
  const { certFile, keyFile, keyPassword } = files;
  if (certFile === undefined || keyFile === undefined) {
    throw new StartRefused(`${what} over TLS needs a certificate file and a key file`);
  }
  const certificate = {
    cert: read(what, certFile),
    key: read(what, keyFile),
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

function read(what: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new StartRefused(`${what} over TLS: ${file} cannot be read`, error);
  }
}
