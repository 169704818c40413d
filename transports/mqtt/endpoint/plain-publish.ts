/**
 * The hot path of decoding: a PUBLISH without properties, which is what devices send thousands of times a second.
 *
 * It is some ten times faster than the codec, and returns undefined for everything unusual (properties, an empty or faulty
 * topic, bad flags, truncation), which the codec then reads. `mqtt-codec.test.ts` compares the two.
 */
import { isUtf8 } from 'node:buffer';
import { CLAIM_TOPIC } from '../topics.ts';
import type { PublishPacket } from './packets.ts';
import type { ProtocolVersion } from './reasons.ts';

const CLAIM_TOPIC_BYTES = Buffer.from(CLAIM_TOPIC);
const WILDCARD_OR_NUL = /[+#\0]/;

/** Reads a plain PUBLISH; undefined when it is anything else. `bytes` is exactly one packet. */
export function decodePlainPublish(bytes: Buffer, version: ProtocolVersion): PublishPacket | undefined {
  const qos = ((bytes[0] ?? 0) >> 1) & 0x03;
  if (qos === 3) return undefined; // [MQTT-3.3.1-4]
  let at = 1;
  while ((bytes[at] ?? 0) >= 0x80) at += 1;
  at += 1;

  const topicStart = at + 2;
  if (topicStart > bytes.length) return undefined;
  const topicEnd = topicStart + bytes.readUInt16BE(at);
  at = topicEnd + (qos > 0 ? 2 : 0) + (version === 5 ? 1 : 0);
  if (topicEnd === topicStart || at > bytes.length) return undefined;
  if (version === 5 && bytes[at - 1] !== 0) return undefined; // has properties

  const messageId = qos > 0 ? bytes.readUInt16BE(topicEnd) : 0;
  if (qos > 0 && messageId === 0) return undefined;
  const topic = topicAt(bytes, topicStart, topicEnd);
  if (topic === undefined) return undefined;
  return {
    cmd: 'publish',
    qos: qos as 0 | 1 | 2,
    dup: ((bytes[0] ?? 0) & 0x08) !== 0,
    topic,
    payload: bytes.subarray(at),
    messageId,
    properties: undefined,
  };
}

function topicAt(bytes: Buffer, start: number, end: number): string | undefined {
  const isClaim =
    end - start === CLAIM_TOPIC_BYTES.length && CLAIM_TOPIC_BYTES.compare(bytes, start, end) === 0;
  if (isClaim) return CLAIM_TOPIC;
  if (!isUtf8(bytes.subarray(start, end))) return undefined;
  const topic = bytes.toString('utf8', start, end);
  return WILDCARD_OR_NUL.test(topic) ? undefined : topic;
}
