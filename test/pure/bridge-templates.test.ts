/** Where devices publish on an external broker: what a topic says, and which templates are refused. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BRIDGE_DEFAULTS } from '../../transports/mqtt/bridge/settings.ts';
import { createTemplates, templateProblems } from '../../transports/mqtt/bridge/templates.ts';

const { claimTopics, gatewayTopics } = BRIDGE_DEFAULTS;
const templates = createTemplates(claimTopics, gatewayTopics);

test('bridge templates: a topic says which device it is, its format, and the topic of the outcome', () => {
  const known: readonly [topic: string, kind: string, format: string | undefined, response: string][] = [
    ['T/v1/devices/me/claim', 'device', undefined, 'T/v1/devices/me/claim/response'],
    ['v1/devices/T/claim', 'device', undefined, 'v1/devices/T/claim/response'],
    ['T/v2/c', 'device', undefined, 'T/v1/devices/me/claim/response'],
    ['T/v2/c/j', 'device', 'JSON', 'T/v1/devices/me/claim/response'],
    ['T/v2/c/p', 'device', 'PROTOBUF', 'T/v1/devices/me/claim/response'],
    ['T/v1/gateway/claim', 'gateway', undefined, 'T/v1/gateway/claim/response'],
    ['v1/gateways/T/claim', 'gateway', undefined, 'v1/gateways/T/claim/response'],
  ];
  for (const [topic, kind, format, responseTopic] of known) {
    const read = templates.read(topic);
    assert.equal(
      [read?.token, read?.kind, read?.format, read?.responseTopic],
      ['T', kind, format, responseTopic],
    );
  }
});

test('bridge templates: topics that fit no template say nothing, outcomes among them', () => {
  for (const topic of [
    'v1/devices/T/claim/response',
    'T/v1/devices/me/claim/response',
    'v1/devices/T/claims',
    'v1/devices/claim',
    'T/v1/devices/me/telemetry',
    'x/T/v1/devices/me/claim',
    'v1/v1/devices/me/claim', // of a device whose token is v1: its own part would be everybody's
    '',
  ]) {
    assert.is(templates.read(topic), undefined, topic);
  }
});

test('bridge templates: filters are the templates with a wildcard for the token', () => {
  const own = createTemplates(['plant/{token}/claim', '{token}/v2/c'], ['gw/{token}']);
  assert.equal(own.filters, ['plant/+/claim', '+/v2/c', 'gw/+']);
  assert.is(own.read('plant/T/claim')?.own, 'plant/T/');
  assert.is(own.read('gw/T')?.responseTopic, 'gw/T/response');
});

test('bridge templates: a device may publish its claims and hear its outcomes; nothing of others', () => {
  const { publish, subscribe, nothing } = createTemplates(
    ['{token}/v1/devices/me/claim', 'v1/devices/{token}/claim'],
    [],
  ).rights('T');
  // As the broker knows the topics, and as the device says them where the broker prefixes them.
  assert.equal(publish, ['T/v1/devices/me/claim', 'v1/devices/me/claim', 'v1/devices/T/claim']);
  assert.equal(subscribe, [
    'T/v1/devices/me/claim/response',
    'v1/devices/me/claim/response',
    'v1/devices/T/claim/response',
  ]);
  assert.equal(nothing, [
    '+/v1/devices/me/claim',
    '+/v1/devices/me/claim/response',
    'v1/devices/+/claim',
    'v1/devices/+/claim/response',
  ]);
});

const wrong: readonly [why: string, claims: string[], gateways: string[]][] = [
  ['exactly one level', ['v1/devices/me/claim'], []],
  ['exactly one level', ['{token}/{token}/claim'], []],
  ['exactly one level', ['v1/x{token}/claim'], []],
  ['besides the token', ['{token}'], []],
  ['braces', ['{tenant}/{token}/claim'], []],
  ['wildcard', ['+/{token}/claim'], []],
  ['wildcard', ['{token}/#'], []],
  ['begin with \\$', ['$SYS/{token}/claim'], []],
  ['empty level', ['v1//{token}/claim'], []],
  ['fit the same topics', ['{token}/claim', '{token}/claim'], []],
  ['fit the same topics', ['{token}/v1', 'v1/{token}'], []],
  ['fit the same topics', ['a/{token}/claim'], ['a/{token}/claim']],
  ['fits the topic of outcomes', ['{token}/a', '{token}/a/response'], []],
  ['no topic template', [], ['v1/gateways/{token}/claim']],
];

for (const [why, claims, gateways] of wrong) {
  test(`bridge templates: refused: ${[...claims, ...gateways].join(' ')}`, () => {
    assert.match(templateProblems(claims, gateways).join('\n'), new RegExp(why));
    assert.throws(() => createTemplates(claims, gateways));
  });
}

test('bridge templates: the defaults are good', () => {
  assert.equal(templateProblems(claimTopics, gatewayTopics), []);
});

test.run();
