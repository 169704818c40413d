/** Packet identifiers of messages that were sent with QoS 1 and are not acknowledged. */
const PACKET_IDENTIFIER_MAX = 0xffff;

export class SentIdentifiers {
  /** Undefined as long as nothing was sent. */
  #used: Set<number> | undefined;
  #last = 0;

  /** An unused identifier; undefined while `max` are in use. */
  take(max: number): number | undefined {
    this.#used ??= new Set();
    const used = this.#used;
    if (used.size >= max) return undefined;
    do {
      this.#last = (this.#last % PACKET_IDENTIFIER_MAX) + 1;
    } while (used.has(this.#last));
    used.add(this.#last);
    return this.#last;
  }

  release(messageId: number): void {
    this.#used?.delete(messageId);
  }
}
