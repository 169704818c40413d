/** CoAP's exchanges by a simulated clock: duplicates, late answers, retransmission, giving up, bounds. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Code } from '../../transports/coap/codes.ts';
import { Exchanges } from '../../transports/coap/exchanges.ts';
import { decode, encode, encodeEmpty, type Message, NO_BYTES } from '../../transports/coap/message.ts';
import { Observations } from '../../transports/coap/observations.ts';
import type { PeerAddress } from '../../transports/coap/peers.ts';
import {
  type Request,
  type Response,
  responseOf,
  unavailableResponse,
} from '../../transports/coap/request.ts';
import { COAP_DEFAULTS, type CoapSettings } from '../../transports/coap/settings.ts';
import type { CoapDevice } from '../../transports/coap/uploads.ts';
import { createSimClock } from '../kit/clock.ts';
import { show } from '../kit/coap-client.ts';
import { DEVICE, TENANT, TOKEN } from '../kit/given.ts';

const PEER: PeerAddress = { address: '127.0.0.1', port: 9 };
const OBSERVER: CoapDevice = {
  id: DEVICE,
  tenantId: TENANT,
  profileId: null,
  credentialsId: TOKEN.credentialsId,
  isGateway: false,
  format: 'JSON',
};
const CREATED = responseOf(Code.created);

/** Exchanges whose requests wait until the test answers them. */
function scene(settings: Partial<CoapSettings> = {}, random = () => 0) {
  const clock = createSimClock(1_000_000);
  const sent: (Message & { readonly at: number; readonly to: PeerAddress })[] = [];
  const served: { readonly request: Request; answer(response?: Response): Promise<void> }[] = [];
  const exchanges = new Exchanges(
    { ...COAP_DEFAULTS, ...settings },
    {
      clock,
      random,
      send(datagram, to) {
        const decoded = decode(datagram, 70_000);
        if (decoded.type !== 'message') throw new Error('sent what cannot be read');
        sent.push({ ...decoded.message, at: clock.now() - 1_000_000, to });
      },
      serve: (request) =>
        new Promise((resolve) => {
          served.push({
            request,
            async answer(response = CREATED) {
              resolve(response);
              await settled();
            },
          });
        }),
      tooLarge: () => responseOf(Code.requestEntityTooLarge),
      overloaded: () => unavailableResponse(1),
    },
  );
  const receive = (message: Partial<Message> = {}, from = PEER): void =>
    exchanges.receive(
      encode({
        type: 'CON',
        code: Code.post,
        messageId: 7,
        token: Buffer.from([7]),
        options: [],
        payload: NO_BYTES,
        ...message,
      }),
      from,
    );
  const answer = async (index: number, response?: Response): Promise<void> => {
    const one = served[index];
    if (one === undefined) throw new Error(`no request ${index}`);
    await one.answer(response);
  };
  return { clock, sent, served, exchanges, receive, answer, shown: () => sent.map(show) };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('coap exchange: answered in time: the answer is piggybacked', async () => {
  const { clock, sent, receive, answer, shown } = scene();
  receive();
  clock.advance(499);
  await answer(0);
  assert.equal(shown(), ['ACK 2.01']);
  assert.is(sent[0]?.messageId, 7);
  assert.equal(sent[0]?.token, Buffer.from([7]));
  clock.advance(100_000);
  assert.is(sent.length, 1);
});

test('coap exchange: a duplicate gets the same answer and is not served again', async () => {
  const { sent, served, receive, answer } = scene();
  receive();
  receive(); // while it is being served: the answer comes soon
  await answer(0);
  receive();
  assert.is(served.length, 1);
  assert.is(sent.length, 2);
  assert.equal(sent[0], sent[1]);
});

for (const [what, other] of [
  ['payload', { payload: Buffer.from('{}') }],
  ['token', { token: Buffer.from([8]) }],
] as const) {
  test(`coap exchange: an earlier id with another ${what} is another request`, async () => {
    const { sent, served, receive, answer, shown } = scene();
    receive();
    receive(other); // dropped while the first is being served: its device sends it again
    await answer(0);
    assert.equal([shown(), served.length], [['ACK 2.01'], 1]);
    receive(other);
    await answer(1, responseOf(Code.unauthorized));
    receive(other);
    assert.is(served.length, 2);
    assert.equal(shown(), ['ACK 2.01', 'ACK 4.01', 'ACK 4.01']);
    assert.equal(sent[2]?.token, 'token' in other ? other.token : Buffer.from([7]));
  });
}

test('coap exchange: an id is another request after EXCHANGE_LIFETIME, from another port at once', async () => {
  const { clock, served, receive, answer } = scene();
  receive();
  await answer(0);
  receive({}, { ...PEER, port: 10 });
  assert.is(served.length, 2);
  clock.advance(246_999);
  receive();
  assert.is(served.length, 2);
  clock.advance(1);
  receive();
  assert.is(served.length, 3);
});

test('coap exchange: late: acknowledged after the piggyback timeout, answered separately until acknowledged', async () => {
  const { clock, sent, exchanges, receive, answer, shown } = scene();
  receive();
  clock.advance(500);
  assert.equal(shown(), ['ACK 0.00']);
  receive();
  assert.equal(shown(), ['ACK 0.00', 'ACK 0.00']); // a duplicate is told the same
  await answer(0);
  assert.equal(shown().slice(2), ['CON 2.01']);
  assert.equal(sent[2]?.token, Buffer.from([7]));
  clock.advance(2_000);
  assert.equal(sent[3], { ...sent[2], at: 2_500 });
  exchanges.receive(encodeEmpty('ACK', sent[2]?.messageId ?? -1), PEER);
  clock.advance(100_000);
  assert.is(sent.length, 4);
  assert.is(exchanges.inFlight, 0);
});

test('coap exchange: a reset ends retransmission; an acknowledgement from another peer does not', async () => {
  const { clock, sent, exchanges, receive, answer } = scene();
  receive();
  clock.advance(500);
  await answer(0);
  const id = sent[1]?.messageId ?? -1;
  exchanges.receive(encodeEmpty('ACK', id), { ...PEER, port: 10 });
  clock.advance(2_000);
  assert.is(sent.length, 3);
  exchanges.receive(encodeEmpty('RST', id), PEER);
  clock.advance(100_000);
  assert.is(sent.length, 3);
});

for (const [random, instants] of [
  [0, [0, 2_000, 6_000, 14_000, 30_000]],
  [0.999999, [0, 3_000, 9_000, 21_000, 45_000]],
] as const) {
  test(`coap exchange: nobody acknowledges: sent five times, and given up (chance ${random})`, async () => {
    const { clock, sent, exchanges, receive, answer } = scene({}, () => random);
    receive();
    clock.advance(500);
    await answer(0);
    clock.advance(1_000_000);
    const times = sent.slice(1).map(({ at }) => Math.round((at - 500) / 10) * 10);
    assert.equal(times, instants);
    assert.is(exchanges.inFlight, 0);
    assert.is(exchanges.remembered, 0);
    assert.is(clock.timers, 0);
  });
}

test('coap exchange: non-confirmable: answered non-confirmable, however late, and once', async () => {
  const { clock, sent, served, receive, answer, shown } = scene();
  receive({ type: 'NON' });
  clock.advance(10_000);
  await answer(0);
  receive({ type: 'NON' });
  assert.is(served.length, 1);
  assert.equal(shown(), ['NON 2.01']);
  assert.equal(sent[0]?.token, Buffer.from([7]));
  clock.advance(135_000); // NON_LIFETIME
  receive({ type: 'NON' });
  assert.is(served.length, 2);
});

test('coap exchange: a ping is answered by a reset', () => {
  const { sent, exchanges } = scene();
  exchanges.receive(Buffer.from([0x40, 0, 0, 5]), PEER);
  assert.equal(sent.map(show), ['RST 0.00']);
  assert.is(sent[0]?.messageId, 5);
});

for (const [what, bytes, seen] of [
  ['a malformed confirmable message', [0x40, 1, 0, 5, 0xff], ['RST 0.00']],
  ['a malformed non-confirmable message', [0x50, 1, 0, 5, 0xff], []],
  ['a malformed acknowledgement', [0x60, 0, 0, 5, 0xff], []],
  ['a malformed reset', [0x70, 0, 0, 5, 0xff], []],
  ['another version', [0x80, 1, 0, 5], []],
  ['a response to nothing', [0x40, 0x45, 0, 5], ['RST 0.00']],
  ['a reserved class', [0x40, 0x21, 0, 5], ['RST 0.00']],
  ['a non-confirmable response to nothing', [0x50, 0x45, 0, 5], []],
  ['an empty non-confirmable message', [0x50, 0, 0, 5], []],
  ['a request in an acknowledgement', [0x60, 2, 0, 5], []],
  ['an unknown critical option, confirmable', [0x40, 2, 0, 5, 0x90], ['ACK 4.02 option 9']],
  ['an unknown critical option, non-confirmable', [0x50, 2, 0, 5, 0x90], ['RST 0.00']],
] as const) {
  test(`coap exchange: ${what}`, async () => {
    const { sent, served, exchanges } = scene();
    exchanges.receive(Buffer.from(bytes), PEER);
    await settled();
    assert.equal(sent.map(show), seen);
    assert.is(served.length, 0);
  });
}

test('coap exchange: too large is answered without being read', () => {
  const { served, receive, shown } = scene({ datagramBytesMax: 100 });
  receive({ payload: Buffer.alloc(200) });
  assert.equal(shown(), ['ACK 4.13']);
  assert.is(served.length, 0);
});

test('coap exchange: one peer has its limit, others go on; all together have one', async () => {
  const { served, receive, answer, shown } = scene({ inFlightPerPeerMax: 2, inFlightMax: 3 });
  for (const messageId of [1, 2, 3]) receive({ messageId });
  assert.equal(shown(), ['ACK 5.03']);
  receive({ messageId: 1 }, { ...PEER, address: '192.0.2.10' });
  assert.is(served.length, 3);
  receive({ messageId: 1 }, { ...PEER, address: '192.0.2.11' });
  assert.equal(shown(), ['ACK 5.03', 'ACK 5.03']);
  await answer(0);
  receive({ messageId: 4 });
  assert.is(served.length, 4);
});

test('coap exchange: one address has a quarter of all, whatever ports it uses', async () => {
  const { served, receive, answer } = scene({ inFlightMax: 8, inFlightPerPeerMax: 1 });
  for (let port = 1; port <= 5; port += 1) receive({}, { address: '192.0.2.7', port });
  assert.is(served.length, 2);
  receive({}, { address: '192.0.2.8', port: 1 });
  assert.is(served.length, 3);
  await answer(0);
  receive({ messageId: 8 }, { address: '192.0.2.7', port: 9 });
  assert.is(served.length, 4);
});

test('coap exchange: an answer that is not acknowledged counts for its peer', async () => {
  const { clock, receive, answer, shown } = scene({ inFlightPerPeerMax: 1 });
  receive({ messageId: 1 });
  clock.advance(500);
  await answer(0);
  receive({ messageId: 2 });
  assert.equal(shown(), ['ACK 0.00', 'CON 2.01', 'ACK 5.03']);
});

test('coap exchange: what is remembered has bounds: first per peer, then over all', async () => {
  const { exchanges, served, receive, answer } = scene({ exchangesPerPeerMax: 2, exchangesMax: 3 });
  for (const messageId of [1, 2, 3]) {
    receive({ messageId });
    await answer(messageId - 1);
  }
  assert.is(exchanges.remembered, 2);
  receive({ messageId: 3 });
  assert.is(served.length, 3);
  for (const [index, port] of [20, 21, 22].entries()) {
    receive({}, { ...PEER, port });
    await answer(3 + index);
  }
  assert.is(exchanges.remembered, 3);
  receive({ messageId: 3 });
  assert.is(served.length, 7); // forgotten for newer ones: served again, which is harmless
});

test('coap exchange: the memory of past exchanges has a bound', async () => {
  const { exchanges, receive, answer } = scene({ exchangeBytesMax: 3_000 });
  for (let index = 0; index < 50; index += 1) {
    receive({ messageId: index }, { ...PEER, port: 100 + index });
    await answer(index);
  }
  assert.ok(exchanges.remembered < 10, String(exchanges.remembered));
  assert.ok(exchanges.remembered > 5, String(exchanges.remembered));
});

test('coap exchange: past exchanges are forgotten after their lifetime', async () => {
  const { clock, exchanges, receive, answer } = scene();
  receive();
  await answer(0);
  clock.advance(100_000);
  receive({ messageId: 8, type: 'NON' });
  await answer(1);
  clock.advance(247_000);
  assert.is(exchanges.remembered, 0);
  assert.is(clock.timers, 0);
});

test('attack: a device that observes anew and anew has as many notifications under way as observations', async () => {
  const { clock, sent, exchanges } = scene();
  const values = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`key${n}`, 'x'.repeat(90)]));
  const observations = new Observations(100, {
    attributes: { answer: async () => ({ shared: values }), hears: async () => true },
    news: { watch: () => () => {} },
    notify: (to, answer, onEnd) => exchanges.notify(to, answer, onEnd),
    later: (task) => void clock.after(0, task),
    failed(error) {
      throw error;
    },
  });
  for (let n = 0; n < 100; n += 1) {
    const request = {
      ...PEER,
      peer: 'one',
      token: Buffer.from([n]),
      code: Code.get,
      options: [],
      payload: NO_BYTES,
    };
    await observations.begin(request, OBSERVER);
    clock.advance(0);
    await settled();
  }
  assert.is(sent.length, 100);
  clock.advance(3_000);
  assert.is(sent.length - 100, observations.size, 'each is sent again once');
  observations.close();
  clock.advance(100_000);
  assert.is(sent.length - 100, 4);
  assert.is(clock.timers, 0);
});

test('coap exchange: draining: no new requests; those under way and duplicates are answered', async () => {
  const { exchanges, served, receive, answer, shown } = scene();
  receive({ messageId: 1 });
  let drained = false;
  void exchanges.drain().then(() => {
    drained = true;
  });
  receive({ messageId: 2 });
  await settled();
  assert.is(served.length, 1);
  assert.not(drained);
  await answer(0);
  assert.ok(drained);
  receive({ messageId: 1 });
  assert.equal(shown(), ['ACK 2.01', 'ACK 2.01']);
});

test.run();
