/** The secrets of a server whose keys are changed while it runs, as by restarts. */
import type { Secrets } from '../../actors/base/secret.ts';

export interface ChangingSecrets {
  /** To be given to the server. */
  readonly secrets: Secrets;
  /** Those under the keys that it has now. */
  present: Secrets;
}

export function changingSecrets(first: Secrets): ChangingSecrets {
  const changing: ChangingSecrets = {
    present: first,
    secrets: {
      digest: (...args) => changing.present.digest(...args),
      digests: (...args) => changing.present.digests(...args),
      seal: (...args) => changing.present.seal(...args),
      unseal: (...args) => changing.present.unseal(...args),
      digestForUser: (...args) => changing.present.digestForUser(...args),
      credentialsId: (...args) => changing.present.credentialsId(...args),
      sealCredential: (...args) => changing.present.sealCredential(...args),
      unsealCredential: (...args) => changing.present.unsealCredential(...args),
    },
  };
  return changing;
}
