/**
 * Reads answers of HTTP/1.1 servers, of any kind: with a length, in chunks, or until the connection ends (RFC 9112 §6.3). No
 * further than the generator needs.
 */

const HEAD_END = '\r\n\r\n';
const LINE_END = '\r\n';

export interface HttpAnswer {
  readonly status: string;
  /** One character per byte. */
  readonly body: string;
  /** Whether the server closes the connection after it. */
  readonly closes: boolean;
}

/** Of one connection, whose requests wait for each other. */
export class AnswerReader {
  #text = '';

  /** @returns the answer, once it is whole */
  read(chunk: Buffer): HttpAnswer | undefined {
    this.#text += chunk.toString('latin1');
    return this.#take(false);
  }

  /** The connection has ended. @returns the answer whose end that is */
  end(): HttpAnswer | undefined {
    return this.#take(true);
  }

  #take(ended: boolean): HttpAnswer | undefined {
    const headEnd = this.#text.indexOf(HEAD_END);
    if (headEnd === -1) return undefined;
    const head = this.#text.slice(0, headEnd);
    const status = head.slice(9, 12);
    const bodyAt = headEnd + HEAD_END.length;
    if (status.startsWith('1')) {
      // "100 Continue" and its like: the answer itself is still to come.
      this.#text = this.#text.slice(bodyAt);
      return this.#take(ended);
    }
    const body = bodyOf(head, status, this.#text.slice(bodyAt), ended);
    if (body === undefined) return undefined;
    this.#text = '';
    return { status, body, closes: ended || /^connection: ?close$/im.test(head) };
  }
}

/** Undefined: there is more to come. */
function bodyOf(head: string, status: string, rest: string, ended: boolean): string | undefined {
  if (status === '204' || status === '304') return '';
  if (/^transfer-encoding: ?chunked$/im.test(head)) return unchunked(rest);
  const length = /^content-length: ?(\d+)$/im.exec(head)?.[1];
  if (length === undefined) return ended ? rest : undefined;
  return rest.length < Number(length) ? undefined : rest.slice(0, Number(length));
}

function unchunked(text: string): string | undefined {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf(LINE_END, at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const from = lineEnd + LINE_END.length;
    if (Number.isNaN(size)) throw new Error('a chunk without a size');
    if (size === 0) {
      // An empty line ends it, behind trailers if there are any.
      const over = text.startsWith(LINE_END, from) || text.indexOf(HEAD_END, from) !== -1;
      return over ? body : undefined;
    }
    if (text.length < from + size + LINE_END.length) return undefined;
    body += text.slice(from, from + size);
    at = from + size + LINE_END.length;
  }
}
