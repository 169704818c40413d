/** What a publication means by its topic, and which filters a device may subscribe to. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { routePublish, SUBSCRIBABLE } from '../../transports/mqtt/topics.ts';

const routes: Readonly<Record<string, ReturnType<typeof routePublish>['type']>> = {
  'v1/devices/me/claim': 'claim',
  'v2/c': 'claim',
  'v2/c/j': 'claim',
  'v1/devices/me/claim/': 'unknown',
  'V1/devices/me/claim': 'unknown',
  '/v1/devices/me/claim': 'unknown',
  'v1/devices/me/claim/response': 'unknown',
  'v1/devices/other/claim': 'unknown',
  'v2/c/p': 'claim',
  'v1/devices/me/telemetry': 'ignored',
  'v1/devices/me/attributes': 'ignored',
  'v1/devices/me/attributes/request/1': 'attribute-request',
  'v1/devices/me/attributes/request/x': 'ignored',
  'v2/a/req/1': 'attribute-request',
  'v2/a/req/j/1': 'attribute-request',
  'v2/a/req/p/1': 'ignored',
  'v1/devices/me/rpc/response/1': 'ignored',
  'v1/devices/me/rpc/request/1': 'rpc-request',
  'v1/devices/me/rpc/request/': 'ignored',
  'v1/devices/me/rpc/request/x': 'ignored',
  'v1/devices/me/rpc/request/1/2': 'ignored',
  'v2/t': 'ignored',
  'v2/a/j': 'ignored',
  'v2/r/req/17': 'rpc-request',
  'v1/gateway/claim': 'gateway',
  'v1/gateway/': 'gateway',
  'v1/gateway': 'unknown',
  $SYS: 'unknown',
  '': 'unknown',
};

for (const [topic, type] of Object.entries(routes)) {
  test(`topics: publishing to ${topic || 'no topic'}: ${type}`, () => {
    assert.is(routePublish(topic).type, type);
  });
}

test('topics: a call is answered under its own id, on the responses that belong to it', () => {
  assert.equal(routePublish('v1/devices/me/rpc/request/42'), {
    type: 'rpc-request',
    responseTopic: 'v1/devices/me/rpc/response/42',
    responseFilter: 'v1/devices/me/rpc/response/+',
  });
  for (const [request, response] of [
    ['v2/r/req/42', 'v2/r/res/42'],
    ['v2/r/req/j/42', 'v2/r/res/j/42'],
    ['v2/r/req/p/42', 'v2/r/res/p/42'],
  ] as const) {
    const route = routePublish(request);
    assert.is(route.type === 'rpc-request' && route.responseTopic, response);
  }
});

test('topics: every response has a filter that can be subscribed to', () => {
  for (const topic of ['v1/devices/me/rpc/request/1', 'v2/r/req/1', 'v2/r/req/j/1', 'v2/r/req/p/1']) {
    const route = routePublish(topic);
    assert.ok(route.type === 'rpc-request' && SUBSCRIBABLE.has(route.responseFilter), topic);
  }
  assert.ok(SUBSCRIBABLE.has('v1/devices/me/claim/response'));
});

test('topics: no filter reaches beyond the device itself and what its gateway may hear', () => {
  for (const filter of SUBSCRIBABLE) {
    assert.match(filter, /^(v1\/devices\/me|v1\/gateway|v2)\//);
    assert.not.match(filter, '#');
  }
});

test.run();
