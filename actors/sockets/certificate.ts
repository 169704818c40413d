/** The certificate that a server shows, and its key: PEM, as `node:tls` takes them. */
export interface Certificate {
  /** The certificate, followed by those that lead to an authority that clients know. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Of the key. */
  readonly passphrase?: string;
}
