/** Cutting the stream into packets: however the bytes arrive, the same packets come out; large ones never come in. */
import mqtt from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Framer as Cutter, type FramingFault } from '../../transports/mqtt/endpoint/framer.ts';
import fc from '../kit/property.ts';

/** Takes chunk after chunk, and looks after each for all that is there. */
class Framer extends Cutter {
  push(chunk: Buffer, packets: Buffer[]): FramingFault | undefined {
    this.feed(chunk);
    for (let next = this.next(); next !== undefined; next = this.next()) {
      if (typeof next === 'string') return next;
      packets.push(next);
    }
    return undefined;
  }
}

const publish = (payloadBytes: number): Buffer =>
  mqtt.generate({
    cmd: 'publish',
    topic: 't',
    payload: Buffer.alloc(payloadBytes, 0x61),
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false,
  });

const packet = fc.oneof(
  fc.constant(Buffer.from([0xc0, 0x00])),
  fc.integer({ min: 0, max: 20_000 }).map(publish),
  fc.constantFrom(120, 121, 122, 123, 124, 16_377, 16_378, 16_379, 16_380).map(publish),
);

function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(stream.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

test('framer: the packets that come out are those that went in, however they were cut', () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 30_000 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 8 }), sizes, (packets, chunkSizes) => {
      const framer = new Framer(100_000);
      const out: Buffer[] = [];
      for (const chunk of cut(Buffer.concat(packets), chunkSizes)) {
        assert.is(framer.push(Buffer.from(chunk), out), undefined);
      }
      assert.equal(
        out.map((bytes) => bytes.toString('hex')),
        packets.map((bytes) => bytes.toString('hex')),
      );
    }),
    { numRuns: 200 },
  );
});

test('framer: byte by byte', () => {
  const framer = new Framer(100_000);
  const out: Buffer[] = [];
  const stream = Buffer.concat([publish(300), Buffer.from([0xc0, 0x00]), publish(0)]);
  for (const byte of stream) assert.is(framer.push(Buffer.from([byte]), out), undefined);
  assert.equal(Buffer.concat(out), stream);
  assert.is(out.length, 3);
});

test('framer: a packet of exactly the limit passes, one byte more is refused', () => {
  const bytes = publish(5_000);
  assert.is(new Framer(bytes.length).push(bytes, []), undefined);
  assert.is(new Framer(bytes.length - 1).push(bytes, []), 'too-large');
});

test('framer: a packet with too large a length is refused before its body arrives', () => {
  assert.is(new Framer(70_000).push(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), []), 'too-large');
  const slow = new Framer(70_000);
  const out: Buffer[] = [];
  const faults = [0x30, 0xff, 0xff, 0xff, 0x7f].map((byte) => slow.push(Buffer.from([byte]), out));
  faults.push(slow.push(Buffer.from([0]), out));
  assert.ok(faults.includes('too-large'));
  assert.equal(out, []);
});

test('framer: a fifth byte of remaining length is malformed, at once and byte by byte', () => {
  assert.is(new Framer(70_000).push(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]), []), 'malformed');
  const slow = new Framer(70_000);
  const faults = [0x30, 0x80, 0x80, 0x80, 0x80, 0x01].map((byte) => slow.push(Buffer.from([byte]), []));
  assert.ok(faults.includes('malformed'));
});

test('framer: packets before a fault still come out', () => {
  const out: Buffer[] = [];
  const chunk = Buffer.concat([Buffer.from([0xc0, 0x00]), Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])]);
  assert.is(new Framer(1_000).push(chunk, out), 'too-large');
  assert.equal(out, [Buffer.from([0xc0, 0x00])]);
});

test.run();
