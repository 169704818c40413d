/** Payloads in blocks: what belongs together, what is bounded, what is forgotten. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DeviceId, newId, type TenantId } from '../../actors/base/ids.ts';
import { Uploads } from '../../transports/coap/uploads.ts';
import { createSimClock } from '../kit/clock.ts';
import { blocksOf } from '../kit/coap-client.ts';

const device = () => ({
  id: newId<DeviceId>(1),
  tenantId: newId<TenantId>(1),
  profileId: null,
  credentialsId: 'TOKEN',
  isGateway: false,
  format: 'JSON' as const,
});

function scene(limits: Partial<ConstructorParameters<typeof Uploads>[0]> = {}) {
  const clock = createSimClock(1_000);
  const uploads = new Uploads({ payloadBytesMax: 200, uploadsMax: 3, uploadIdleMs: 1_000, ...limits }, clock);
  return { clock, uploads };
}

const PART = Buffer.alloc(16, 'a');
const next = (number: number, more = true) => ({ number, more, sizeExponent: 0 });

test('coap upload: blocks of 16 up to the very limit', () => {
  const { uploads } = scene();
  const payload = Buffer.from(Array.from({ length: 200 }, (_, index) => index));
  let last: ReturnType<Uploads['append']> | undefined;
  for (const { block, part } of blocksOf(payload, 0)) {
    last = block.number === 0 ? uploads.begin('k', device(), part) : uploads.append('k', block, part);
    if (block.more) assert.is(last.type, 'continue');
  }
  assert.is(last?.type, 'complete');
  if (last?.type === 'complete') assert.equal(last.payload, payload);
  assert.is(uploads.size, 0);
});

test('coap upload: one byte too many is too large, and the upload is gone', () => {
  const { uploads } = scene({ payloadBytesMax: 32 });
  uploads.begin('k', device(), PART);
  uploads.append('k', next(1), PART);
  assert.is(uploads.append('k', next(2, false), Buffer.alloc(1)).type, 'too-large');
  assert.is(uploads.size, 0);
});

test('coap upload: a block out of order is incomplete, and the right one still fits', () => {
  const { uploads } = scene();
  uploads.begin('k', device(), PART);
  assert.is(uploads.append('k', next(2), PART).type, 'incomplete');
  assert.is(uploads.append('other', next(1), PART).type, 'incomplete');
  assert.is(uploads.append('k', next(1), PART).type, 'continue');
  assert.is(uploads.append('k', next(1), PART).type, 'continue'); // once more: its answer was lost
  assert.is(uploads.append('k', next(1), Buffer.alloc(16, 'b')).type, 'incomplete'); // not the same block
  assert.is(uploads.append('k', next(0), PART).type, 'incomplete');
  const end = uploads.append('k', next(2, false), Buffer.from('end'));
  assert.is(end.type === 'complete' && end.payload.toString(), `${'a'.repeat(32)}end`);
});

test('coap upload: block 0 starts again', () => {
  const { uploads } = scene();
  uploads.begin('k', device(), PART);
  uploads.append('k', next(1), PART);
  uploads.begin('k', device(), Buffer.alloc(16, 'b'));
  const end = uploads.append('k', next(1, false), Buffer.from('end'));
  assert.is(end.type === 'complete' && end.payload.toString(), `${'b'.repeat(16)}end`);
});

test('coap upload: blocks may get smaller on the way', () => {
  const { uploads } = scene();
  uploads.begin('k', device(), Buffer.alloc(32, 'a')); // size exponent 1
  assert.is(uploads.append('k', next(2), PART).type, 'continue'); // 16 bytes at 32
});

test('coap upload: forgotten when no block comes for too long', () => {
  const { clock, uploads } = scene();
  uploads.begin('k', device(), PART);
  clock.advance(1_000);
  assert.is(uploads.append('k', next(1), PART).type, 'continue');
  clock.advance(1_001);
  assert.is(uploads.append('k', next(2), PART).type, 'incomplete');
  assert.is(uploads.size, 0);
});

test('coap upload: two per device, and a bound for all: the longest idle is dropped', () => {
  const { uploads } = scene();
  const greedy = device();
  for (const key of ['a', 'b', 'c']) uploads.begin(key, greedy, PART);
  assert.is(uploads.size, 2);
  assert.is(uploads.append('a', next(1), PART).type, 'incomplete');
  uploads.begin('x', device(), PART);
  assert.is(uploads.append('b', next(1), PART).type, 'continue'); // now c rested longest
  uploads.begin('y', device(), PART);
  assert.is(uploads.size, 3);
  assert.is(uploads.append('c', next(1), PART).type, 'incomplete');
  assert.is(uploads.append('b', next(2), PART).type, 'continue');
});

test.run();
