/**
 * Reads the messages of `claiming.proto`. Total: what is no such message is undefined, never an exception.
 *
 * Over the library's reader of the wire format rather than its messages by schema, which take a field of the wrong wire
 * type for what it is not; then JSON could pass for protobuf where a device may send either. Here a known field of
 * another wire type is unknown, as in the official implementations, and groups, which proto3 does not have, are
 * refused: no text that begins with `{` is a message. Of a field that comes twice the last one counts, and a message that
 * comes twice is merged, as the format wants it.
 */
import { isUtf8 } from 'node:buffer';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

export interface ClaimDevice {
  readonly secretKey: string;
  readonly durationMs: bigint;
  readonly reset: boolean;
}

export interface ClaimDeviceMsg {
  readonly deviceName: string;
  readonly claimRequest: ClaimDevice;
}

export interface ConnectMsg {
  readonly deviceName: string;
  readonly deviceType: string;
}

export function readClaimDevice(bytes: Uint8Array): ClaimDevice | undefined {
  return attempt(() => claimDevice([bytes]));
}

/** The entries of a `GatewayClaimMsg`. */
export function readGatewayClaim(bytes: Uint8Array): readonly ClaimDeviceMsg[] | undefined {
  return attempt(() => messagesOf(fieldsOf([bytes]), 1).map(claimDeviceMsg));
}

/** Also for `DisconnectMsg`, which has the first field only. */
export function readConnect(bytes: Uint8Array): ConnectMsg | undefined {
  return attempt(() => {
    const fields = fieldsOf([bytes]);
    return { deviceName: textOf(fields, 1), deviceType: textOf(fields, 2) };
  });
}

function claimDeviceMsg(bytes: Uint8Array): ClaimDeviceMsg {
  const fields = fieldsOf([bytes]);
  return { deviceName: textOf(fields, 1), claimRequest: claimDevice(messagesOf(fields, 2)) };
}

function claimDevice(parts: readonly Uint8Array[]): ClaimDevice {
  const fields = fieldsOf(parts);
  return {
    secretKey: textOf(fields, 1),
    durationMs: numberOf(fields, 2),
    reset: numberOf(fields, 3) === 1n,
  };
}

type Field = { readonly number: number; readonly value: Uint8Array | bigint };

/** The varints and the delimited fields of a message, in their order. Throws where it is none. */
function fieldsOf(parts: readonly Uint8Array[]): Field[] {
  const fields: Field[] = [];
  for (const bytes of parts) {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      switch (wireType) {
        case WireType.Varint:
          fields.push({ number, value: BigInt(reader.int64()) });
          break;
        case WireType.LengthDelimited:
          fields.push({ number, value: reader.bytes() });
          break;
        case WireType.Bit32:
        case WireType.Bit64:
          reader.skip(wireType, number);
          break;
        default:
          throw new RangeError('a group');
      }
    }
    if (reader.pos > reader.len) throw new RangeError('the bytes break off');
  }
  return fields;
}

function messagesOf(fields: readonly Field[], number: number): Uint8Array[] {
  return fields.flatMap((field) =>
    field.number === number && typeof field.value === 'object' ? [field.value] : [],
  );
}

function textOf(fields: readonly Field[], number: number): string {
  const texts = messagesOf(fields, number);
  if (!texts.every((text) => isUtf8(text))) throw new RangeError('a string that is not UTF-8');
  return Buffer.from(texts.at(-1) ?? []).toString('utf8');
}

function numberOf(fields: readonly Field[], number: number): bigint {
  let last = 0n;
  for (const field of fields) {
    if (field.number === number && typeof field.value === 'bigint') last = field.value;
  }
  return last;
}

/** The library throws where the bytes break off or are no wire format. */
function attempt<Message>(read: () => Message): Message | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
