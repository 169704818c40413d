/**
 * ThingsBoard's claim messages in protobuf, written by hand and not by the server's own schema, so that a mistake in one
 * is seen by the other (facts 1.2).
 */

/** A field of text or of a message. */
function delimited(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(BigInt((field << 3) | 2)), varint(BigInt(bytes.length)), bytes]);
}

/** Base 128, the least significant group first; negative numbers as 64 bits. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const group = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? group : group | 0x80);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}

/** `ClaimDevice`; what is undefined is not written at all. */
export function claimDevice(secretKey?: string, durationMs?: number): Buffer {
  return Buffer.concat([
    ...(secretKey === undefined ? [] : [delimited(1, Buffer.from(secretKey))]),
    ...(durationMs === undefined ? [] : [Buffer.from([0x10]), varint(BigInt(durationMs))]),
  ]);
}

/** `GatewayClaimMsg` with these entries, in their order. */
export function gatewayClaim(...entries: readonly (readonly [name: string, claim: Buffer])[]): Buffer {
  return Buffer.concat(
    entries.map(([name, claim]) =>
      delimited(1, Buffer.concat([delimited(1, Buffer.from(name)), delimited(2, claim)])),
    ),
  );
}
