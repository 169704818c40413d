/**
 * Ownership statements (rule R6): what this server says of a device's changes of owner, signed, so that anybody can check it
 * with the published key, and without asking who the owners were. For a buyer, a repair shop, an insurance.
 *
 * A statement is a JWS in its compact form (RFC 7515) by Ed25519 over the claims below. Its key follows from the server key,
 * so that all nodes of an installation sign alike, a restart changes nothing, and there is no further file to keep.
 */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose';
import type { Clock } from '../base/clock.ts';
import { type KnownChange, knownChanges } from '../device/evidence.ts';
import { type DeviceRecord, ownerEpochOf } from '../device/state.ts';

/** What is known of a device's changes of owner, without names. */
export interface OwnershipHistory {
  /** How often the owner has changed. */
  readonly ownerEpoch: number;
  readonly owned: boolean;
  /** The oldest first; without those of which nothing is kept. */
  readonly changes: readonly KnownChange[];
  /** Whether these are all of them. */
  readonly complete: boolean;
}

export function ownershipHistory(device: DeviceRecord): OwnershipHistory {
  const changes = knownChanges(device);
  const ownerEpoch = ownerEpochOf(device);
  return { ownerEpoch, owned: device.owner !== null, changes, complete: changes.length === ownerEpoch };
}

export interface Statements {
  /** The statement about a device as it is now. */
  sign(device: DeviceRecord): Promise<string>;
  /** The public keys that check statements, as a JWK Set (RFC 7517 §5). */
  keys(): Promise<{ readonly keys: readonly JWK[] }>;
}

/** The `typ` of a statement: nothing else that this server signs has it. */
const TYPE = 'ownership-statement+jwt';
const ALGORITHM = 'EdDSA';

type PublicKey = JWK & { readonly kid: string };

/** The newest first: it is the private one's. */
interface Keys {
  readonly privateKey: KeyObject;
  readonly publicKeys: readonly [PublicKey, ...PublicKey[]];
}

/** The public key under its thumbprint (RFC 7638). */
async function publicKeyOf(privateKey: KeyObject): Promise<PublicKey> {
  const jwk = await exportJWK(createPublicKey(privateKey));
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: ALGORITHM, use: 'sig' };
}

/**
 * @param serverKeys the first one signs; the others are published too, while keys are changed
 * @param issuer what `iss` names: this server
 */
export function createStatements(
  serverKeys: readonly [Buffer, ...Buffer[]],
  issuer: string,
  clock: Clock,
): Statements {
  const [first, ...rest] = serverKeys;
  let made: Promise<Keys> | undefined;

  /** Made when they are first needed. */
  function keys(): Promise<Keys> {
    made ??= makeKeys();
    return made;
  }

  async function makeKeys(): Promise<Keys> {
    const privateKey = signingKey(first);
    const older = await Promise.all(rest.map((key) => publicKeyOf(signingKey(key))));
    return { privateKey, publicKeys: [await publicKeyOf(privateKey), ...older] };
  }

  return {
    async sign(device) {
      const { privateKey, publicKeys } = await keys();
      const [{ kid }] = publicKeys;
      const { ownerEpoch, owned, changes, complete } = ownershipHistory(device);
      const { id, name, type } = device;
      return new SignJWT({ device: { id, name, type }, ownerEpoch, owned, changes, complete })
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: TYPE })
        .setIssuer(issuer)
        .setSubject(id)
        .setIssuedAt(new Date(clock.now()))
        .sign(privateKey);
    },
    async keys() {
      return { keys: (await keys()).publicKeys };
    },
  };
}

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410 §7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

function signingKey(serverKey: Buffer): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', serverKey, '', 'claimd ownership statement key', 32));
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}
