/** Self-signed certificates for tests, by the program `openssl`. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Makes `NAME.pem` and `NAME.key` in a folder, for thirty days where nothing else is said. */
export function makeCertificate(folder: string, name: string, days = 30): CertificateFiles {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', String(days)];
  const where = ['-keyout', files.key, '-out', files.cert];
  execFileSync('openssl', ['req', '-x509', ...what, '-subj', `/CN=${name}`, ...where], { stdio: 'ignore' });
  return files;
}
