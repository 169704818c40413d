/**
 * Devices that observe their shared attributes (RFC 7641): as in ThingsBoard, they hear all of them at once and then what
 * changes, `{"key": value}` or `{"deleted": ["key"]}`.
 *
 * One notification of an observation is under way at a time. What changes meanwhile waits, a later value in place of the
 * earlier one, so a slow or absent device costs no more than its attributes. What is too long for a datagram comes in the
 * next one. Each notification is confirmable: who does not acknowledge, or does not know it any more, is let go.
 */
import type { DeviceId } from '../../actors/base/ids.ts';
import type { Json, JsonObject } from '../../actors/base/json.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { AttributeNews, News } from '../../actors/claiming/attribute-news.ts';
import type { DeviceAttributes } from '../../actors/claiming/attributes.ts';
import { Code } from './codes.ts';
import { ContentFormat, OptionNumber, uintOption } from './options.ts';
import type { Delivery, PeerAddress } from './peers.ts';
import { type Request, type Response, responseOf } from './request.ts';
import type { CoapDevice } from './uploads.ts';

interface Observation {
  readonly key: string;
  readonly to: PeerAddress;
  readonly token: Buffer;
  readonly device: CoapDevice;
  /** What it has not heard yet; undefined: deleted. */
  readonly pending: Map<string, Json | undefined>;
  unwatch: () => void;
  /** Gives up on the notification that is under way. */
  giveUp: () => void;
  /** A notification is under way. */
  busy: boolean;
}

export interface ObservationPorts {
  readonly attributes: Pick<DeviceAttributes, 'answer' | 'hears'>;
  readonly news: Pick<AttributeNews, 'watch'>;
  /** Returns what gives up on it. */
  notify(
    to: PeerAddress,
    answer: Response & { token: Buffer },
    onEnd: (delivery: Delivery) => void,
  ): () => void;
  /** Lets whatever is under way be done first. */
  later(task: () => void): void;
  /** A look-up failed: a bug, or the store is away. */
  failed(error: unknown): void;
}

/** A device that starts anew comes from another port; its earlier observations are soon over. */
const PER_DEVICE_MAX = 4;
/** Names of attributes that one observation may wait with. */
const PENDING_MAX = 1_000;
/** Of one notification, unless a single value is longer. */
const CONTENT_BYTES_MAX = 1_024;
/** RFC 7641 §3.4: sequence numbers have 24 bits. */
const SEQUENCE_END = 2 ** 24;

export class Observations {
  readonly #max: number;
  readonly #ports: ObservationPorts;
  /** The one that has heard nothing for longest first. */
  readonly #observations = new Map<string, Observation>();
  readonly #ofDevice = new Map<DeviceId, Set<Observation>>();
  #sequence = 0;

  constructor(max: number, ports: ObservationPorts) {
    this.#max = max;
    this.#ports = ports;
  }

  get size(): number {
    return this.#observations.size;
  }

  /** Begins; the answer has all shared attributes, or their beginning. Rejects with `StoreUnavailable`. */
  async begin(request: Request, device: CoapDevice): Promise<Response> {
    const observation = this.#add(request, device);
    const answer = await this.#ports.attributes.answer(device, {}).catch((error: unknown) => {
      this.#end(observation);
      throw error;
    });
    if (answer === undefined) {
      this.#end(observation);
      return responseOf(Code.unauthorized);
    }
    if (this.#isOver(observation)) return responseOf(Code.serviceUnavailable); // others took its place
    const changedSince = new Map(observation.pending);
    observation.pending.clear();
    for (const [key, value] of [...Object.entries(answer.shared ?? {}), ...changedSince]) {
      observation.pending.set(key, value);
    }
    const first = this.#contentOf(take(observation.pending));
    observation.busy = false;
    this.#ports.later(() => this.#tell(observation));
    return first;
  }

  /** Ends the observation that was begun with this token. */
  end({ peer, token }: Pick<Request, 'peer' | 'token'>): void {
    const observation = this.#observations.get(keyOf(peer, token));
    if (observation !== undefined) this.#end(observation);
  }

  /** Ends all, without a word: the process ends. */
  close(): void {
    for (const observation of [...this.#observations.values()]) this.#end(observation);
  }

  #add({ peer, address, port, token }: Request, device: CoapDevice): Observation {
    this.end({ peer, token });
    const own = this.#ofDevice.get(device.id) ?? new Set();
    const [oldestOwn] = own;
    if (oldestOwn !== undefined && own.size >= PER_DEVICE_MAX) this.#end(oldestOwn);
    const [oldest] = this.#observations.values();
    if (oldest !== undefined && this.#observations.size >= this.#max) this.#end(oldest);

    const to = { address, port };
    const key = keyOf(peer, token);
    const observation: Observation = {
      key,
      to,
      token: Buffer.from(token), // a copy: the datagram need not be kept
      device,
      pending: new Map(),
      unwatch: () => {},
      giveUp: () => {},
      busy: true, // until the first answer
    };
    observation.unwatch = this.#ports.news.watch(device.id, (news) => this.#hear(observation, news));
    this.#observations.set(key, observation);
    this.#ofDevice.set(device.id, own.add(observation));
    return observation;
  }

  /** What is under way to it is not sent again: else a device that begins anew and anew has a thousand under way. */
  #end(observation: Observation): void {
    const { key, device, unwatch, giveUp } = observation;
    unwatch();
    if (this.#observations.get(key) === observation) this.#observations.delete(key);
    const own = this.#ofDevice.get(device.id);
    own?.delete(observation);
    if (own?.size === 0) this.#ofDevice.delete(device.id);
    giveUp();
  }

  #isOver(observation: Observation): boolean {
    return this.#observations.get(observation.key) !== observation;
  }

  #hear(observation: Observation, news: News): void {
    const { pending } = observation;
    switch (news.type) {
      case 'saved':
        for (const [key, value] of Object.entries(news.values)) pending.set(key, value);
        break;
      case 'deleted':
        for (const key of news.keys) pending.set(key, undefined);
        break;
      case 'revoked':
        this.#lookAgain(observation);
        return;
      default:
        unreachable(news);
    }
    if (pending.size > PENDING_MAX) this.#endWith(observation, Code.serviceUnavailable);
    else this.#tell(observation);
  }

  /** Its credentials may be others now, or replaced (O9). */
  #lookAgain(observation: Observation): void {
    this.#ports.attributes.hears(observation.device).then(
      (hears) => {
        if (!hears && !this.#isOver(observation)) this.#endWith(observation, Code.unauthorized);
      },
      (error) => this.#ports.failed(error),
    );
  }

  /** The last notification is an error, which ends the observation on both sides (RFC 7641 §3.2). */
  #endWith(observation: Observation, code: number): void {
    this.#end(observation);
    const { to, token } = observation;
    this.#ports.notify(to, { ...responseOf(code), token }, () => {});
  }

  #tell(observation: Observation): void {
    const { pending, device } = observation;
    if (observation.busy || pending.size === 0 || this.#isOver(observation)) return;
    observation.busy = true;
    // Looked at anew: word of other credentials may come late, or be lost between processes.
    this.#ports.attributes.hears(device).then(
      (hears) => {
        if (this.#isOver(observation)) return;
        if (hears) this.#send(observation);
        else this.#endWith(observation, Code.unauthorized);
      },
      (error) => {
        this.#ports.failed(error);
        if (!this.#isOver(observation)) this.#endWith(observation, Code.serviceUnavailable);
      },
    );
  }

  #send(observation: Observation): void {
    const { key, to, token, pending } = observation;
    this.#observations.delete(key);
    this.#observations.set(key, observation); // now the last in order
    const content = this.#contentOf(take(pending));
    observation.giveUp = this.#ports.notify(to, { ...content, token }, (delivery) => {
      observation.busy = false;
      if (delivery === 'acknowledged') this.#tell(observation);
      else if (!this.#isOver(observation)) this.#end(observation);
    });
  }

  #contentOf(content: JsonObject): Response {
    this.#sequence = (this.#sequence + 1) % SEQUENCE_END;
    const observe = uintOption(OptionNumber.observe, this.#sequence);
    const format = uintOption(OptionNumber.contentFormat, ContentFormat.json);
    return responseOf(Code.content, JSON.stringify(content), [observe, format]);
  }
}

function keyOf(peer: string, token: Buffer): string {
  return `${peer} ${token.toString('hex')}`;
}

/** Takes from `pending` what goes into one notification: values, or names that were deleted; at least one of them. */
function take(pending: Map<string, Json | undefined>): JsonObject {
  const values: [string, Json][] = [];
  const deleted: string[] = [];
  let bytes = 0;
  for (const [key, value] of pending) {
    const isValue = value !== undefined;
    if (isValue ? deleted.length > 0 : values.length > 0) break;
    bytes += Buffer.byteLength(JSON.stringify(isValue ? { [key]: value } : [key]));
    if (bytes > CONTENT_BYTES_MAX && values.length + deleted.length > 0) break;
    if (isValue) values.push([key, value]);
    else deleted.push(key);
    pending.delete(key);
  }
  return deleted.length > 0 ? { deleted } : Object.fromEntries(values);
}
