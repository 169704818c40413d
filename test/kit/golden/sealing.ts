/** Seals the same text in the same way each time, so that what is lifted twice can be compared. For tests alone. */
import { createSecrets } from '../../../actors/base/secret.ts';
import type { CredentialsLift } from '../../../actors/store/format-2.ts';

const { credentialsId } = createSecrets(Buffer.alloc(32, 'golden'));

export const sealing: CredentialsLift = {
  reads: ['claimd:credentials-key'],
  open: () => ({
    secrets: {
      credentialsId,
      sealCredential: (whose, secret) => `sealed ${credentialsId(`${whose} ${secret}`)}`,
      unsealCredential() {
        throw new Error('it is a digest');
      },
    },
    record: { key: 'claimd:credentials-key', text: '[]' },
  }),
};
