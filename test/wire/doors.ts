/** How a device goes through each door, and what it sees there, in the words of the tables (`Seen`). */
import type mqtt from 'mqtt-packet';
import { Code, showCode } from '../../transports/coap/codes.ts';
import type { Message, Option } from '../../transports/coap/message.ts';
import { RawCoapClient, uriPath } from '../kit/coap-client.ts';
import type { LocalServer } from '../kit/local-server.ts';
import { connectPacket, type RawMqttClient, type Sendable, type Version } from '../kit/mqtt-client.ts';
import type { MqttDoor, Seen } from './model.ts';

export const VERSION_OF: Readonly<Record<MqttDoor, Version>> = { 'MQTT 3.1.1': 4, 'MQTT 5': 5 };

// ------------------------------------------------------------------------------------------------------------ MQTT

export interface Publication {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1 | 2;
}

const PACKET_ID = 7;

function publishPacket({ topic, payload, qos }: Publication): Sendable {
  const fixed = { cmd: 'publish', dup: false, retain: false } as const;
  return { ...fixed, topic, payload, qos, ...(qos === 0 ? {} : { messageId: PACKET_ID }) };
}

/** Sends CONNECT and waits for what comes of it. */
export function mqttConnect(
  client: RawMqttClient,
  accessToken: string | undefined,
  more: Partial<mqtt.IConnectPacket> = {},
): Promise<Connected> {
  return connectWith(client, client.encode(connectPacket(client.version, accessToken, more)));
}

/** The same with a password and no user name, which the codec does not write. */
export function mqttConnectByPassword(
  client: RawMqttClient,
  clientId: string,
  password: string,
): Promise<Connected> {
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
  };
  const PASSWORD_AND_CLEAN = 0x42;
  const properties = client.version === 5 ? [0] : [];
  const head = [...text('MQTT'), client.version, PASSWORD_AND_CLEAN, 0, 0, ...properties];
  const body = [...head, ...text(clientId), ...text(password)];
  return connectWith(client, Buffer.from([0x10, body.length, ...body]));
}

interface Connected {
  readonly seen: Seen;
  readonly welcome: boolean;
}

async function connectWith(client: RawMqttClient, bytes: Buffer): Promise<Connected> {
  client.sendBytes(bytes);
  const connack = await client.take();
  if (connack?.cmd !== 'connack') return { seen: 'closed', welcome: false };
  const welcome = (client.version === 5 ? connack.reasonCode : connack.returnCode) === 0;
  const seen = [show(connack, client.version)];
  if (!welcome)
    seen.push(...(await client.untilClosed()).map((packet) => show(packet, client.version)), 'closed');
  return { seen: seen.join(', '), welcome };
}

/**
 * Publishes and tells what comes back until the connection is closed, or until a ping shows that no more comes.
 *
 * @param silent nothing is expected, so nothing is waited for
 */
export async function mqttPublish(
  client: RawMqttClient,
  publication: Publication,
  silent: boolean,
): Promise<Seen> {
  client.send(publishPacket(publication));
  const seen: string[] = [];
  const take = async () => {
    const packet = await client.take();
    seen.push(packet === undefined ? 'closed' : show(packet, client.version));
    return packet;
  };
  const first = silent ? undefined : await take();
  if (first?.cmd === 'pubrec') {
    client.send({ cmd: 'pubrel', messageId: PACKET_ID });
    await take();
  }
  if (silent || first !== undefined) {
    client.send({ cmd: 'pingreq' });
    while ((await take())?.cmd !== 'pingresp') if (seen.at(-1) === 'closed') break;
  }
  return seen.filter((what) => what !== PONG).join(', ') || 'nothing';
}

const PONG = 'PINGRESP';

function show(packet: mqtt.Packet, version: Version): string {
  const code = (value: number | undefined) => `0x${(value ?? 0).toString(16).toUpperCase().padStart(2, '0')}`;
  const name = packet.cmd.toUpperCase();
  switch (packet.cmd) {
    case 'connack': {
      const answer = version === 5 ? code(packet.reasonCode) : String(packet.returnCode);
      return `${name} ${answer}${packet.sessionPresent ? ' session present' : ''}`;
    }
    case 'puback':
    case 'pubrec':
    case 'pubcomp':
    case 'disconnect':
      return version === 5 ? `${name} ${code(packet.reasonCode)}` : name;
    case 'publish':
      return `${name} ${packet.topic}`;
    default:
      return name;
  }
}

// ------------------------------------------------------------------------------------------------------------ HTTP

/** `200 empty`, `200 SUCCESS`, `404 error 32 and the message`, `400 "FAILURE"` */
export function showReply(status: number, body: string): Seen {
  if (body === '') return `${status} empty`;
  const json: unknown = JSON.parse(body);
  if (typeof json !== 'object' || json === null) return `${status} ${body}`;
  if ('errorCode' in json && 'message' in json) return `${status} error ${json.errorCode} ${json.message}`;
  return `${status} ${'response' in json ? json.response : body}`;
}

/** Whether this is what was expected, which may leave the message of an error open. */
export function agrees(seen: Seen, expected: Seen): boolean {
  return seen === expected || (/ error \d+$/.test(expected) && seen.startsWith(`${expected} `));
}

export async function http(
  url: string,
  method: string,
  body?: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Seen> {
  const sent = body === undefined || body.length === 0 ? {} : { body };
  const response = await fetch(url, { method, headers: { ...headers }, redirect: 'manual', ...sent });
  return showReply(response.status, await response.text());
}

// ------------------------------------------------------------------------------------------------------------ CoAP

/** The code; with the reason behind it where a device was refused. Other payloads are for people. */
export async function coap(
  { coapPort }: Pick<LocalServer, 'coapPort'>,
  path: readonly string[],
  payload: string | Buffer = '',
  code: number = Code.post,
  more: readonly Option[] = [],
): Promise<Seen> {
  const client = await RawCoapClient.open(coapPort);
  try {
    const answer = await client.request({
      code,
      options: [...more, ...uriPath(...path)],
      payload: Buffer.from(payload),
    });
    return showAnswer(answer);
  } finally {
    await client.close();
  }
}

function showAnswer({ code, payload }: Message): Seen {
  const isRefusal = code === Code.conflict || code === Code.tooManyRequests;
  return isRefusal ? `${showCode(code)} ${payload}` : showCode(code);
}
