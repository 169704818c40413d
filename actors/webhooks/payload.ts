/**
 * What is sent for a message, in each format, and under which headers.
 *
 *   plain        {"type", "timestamp", "data"}                                 Standard Webhooks 1.0.0
 *   structured   the whole CloudEvent as JSON                                  CloudEvents 1.0, HTTP binding §3.2
 *   binary       the data alone, the attributes as headers `ce-…`              CloudEvents 1.0, HTTP binding §3.1
 */
import type { JsonObject } from '../base/json.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Message } from '../outbox/message.ts';
import type { Format } from './model.ts';

export interface Payload {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Digits of `sequence`: it sorts as a text. */
const SEQUENCE_DIGITS = 12;

/** @param server what this server is called: the front of `source`, e.g. its base URL */
export function payloadOf(message: Message, format: Format, server: string): Payload {
  switch (format) {
    case 'plain':
      return { body: JSON.stringify(plain(message)), headers: { 'content-type': 'application/json' } };
    case 'structured':
      return {
        body: JSON.stringify({ ...attributesOf(message, server), data: message.data }),
        headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
      };
    case 'binary':
      return { body: JSON.stringify(message.data), headers: binaryHeaders(attributesOf(message, server)) };
    default:
      return unreachable(format);
  }
}

/** The attributes of the event, as a broker takes them beside the data (CloudEvents 1.0, MQTT binding §3.1). */
export function userPropertiesOf(message: Message, server: string): Record<string, string> {
  const { datacontenttype: _, ...attributes } = attributesOf(message, server);
  return attributes;
}

function plain({ type, at, data }: Message): JsonObject {
  return { type, timestamp: new Date(at).toISOString(), data };
}

/** CloudEvents' attributes; (`source`, `id`) is unique, and `sequence` orders the events of a source. */
function attributesOf({ id, tenantId, deviceId, number, type, at }: Message, server: string) {
  return {
    specversion: '1.0',
    id,
    source: `${server.replace(/\/$/, '')}/tenants/${tenantId}/devices/${deviceId}`,
    type,
    subject: deviceId,
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    sequence: String(number).padStart(SEQUENCE_DIGITS, '0'),
    partitionkey: deviceId,
  };
}

function binaryHeaders({ datacontenttype, ...rest }: ReturnType<typeof attributesOf>) {
  const named = Object.entries(rest).map(([name, value]) => [`ce-${name}`, encoded(value)]);
  return { ...Object.fromEntries(named), 'content-type': datacontenttype };
}

/** As a header: everything but printable ASCII, the space, the quote and the percent sign as UTF-8 in percent. */
function encoded(value: string): string {
  return value.replaceAll(/[^!#$&-~]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
