/** A reader of server-sent events, for tests. */

interface SentEvent {
  readonly id: string | undefined;
  readonly data: { readonly id: string; readonly type: string; readonly data: { readonly deviceId: string } };
}

export interface EventStream {
  readonly heard: readonly SentEvent[];
  /** How often it said that something is gone. */
  resyncs(): number;
  /** Of the last event that had one: what an event source sends when it comes back. */
  lastId(): string | undefined;
  end(): void;
}

/** @param after sent as Last-Event-ID */
export async function openEvents(url: string, token: string, after?: string): Promise<EventStream> {
  const controller = new AbortController();
  const response = await fetch(`${url}/api/events?resumable=true`, {
    headers: {
      'x-authorization': `Bearer ${token}`,
      ...(after === undefined ? {} : { 'last-event-id': after }),
    },
    signal: controller.signal,
  });
  if (response.status !== 200 || response.body === null) throw new Error(`no stream: ${response.status}`);
  const heard: SentEvent[] = [];
  let lastId = after;
  let resyncs = 0;
  const read = async (body: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        const [, id] = /^id: (.*)$/m.exec(block) ?? [];
        const [, data] = /^data: (.*)$/m.exec(block) ?? [];
        lastId = id ?? lastId;
        if (/^event: resync$/m.test(block)) resyncs += 1;
        else if (data !== undefined) heard.push({ id, data: JSON.parse(data) });
      }
    }
  };
  read(response.body as ReadableStream<Uint8Array>).catch(() => {}); // it was ended
  return { heard, resyncs: () => resyncs, lastId: () => lastId, end: () => controller.abort() };
}
