/** Packet identifiers of messages that were sent with QoS 1 and are not acknowledged. */
const PACKET_IDENTIFIER_MAX = 0xffff;

export class SentIdentifiers {
  readonly #used = new Set<number>();
  #last = 0;

  /** An unused identifier; undefined while `max` are in use. */
  take(max: number): number | undefined {
    if (this.#used.size >= max) return undefined;
    do {
      this.#last = (this.#last % PACKET_IDENTIFIER_MAX) + 1;
    } while (this.#used.has(this.#last));
    this.#used.add(this.#last);
    return this.#last;
  }

  release(messageId: number): void {
    this.#used.delete(messageId);
  }
}
