/** Facts 1.3 and 1.7: a gateway asks for the windows of the devices behind it. */
import type { GatewayRow } from './model.ts';
import { claimDevice, gatewayClaim } from './protobuf.ts';

const DONE = { 'MQTT 3.1.1': 'PUBACK', 'MQTT 5': 'PUBACK 0x00' } as const;
const UNREADABLE = { 'MQTT 3.1.1': 'closed', 'MQTT 5': 'PUBACK 0x99' } as const;
/** JSON with nothing in it that could be an entry: in ThingsBoard any other exception. */
const NOTHING_USABLE = {
  'MQTT 3.1.1': 'PUBACK, closed',
  'MQTT 5': 'PUBACK 0x83, DISCONNECT 0x83, closed',
} as const;
const REFUSED = {
  'MQTT 3.1.1': { same: 'PUBACK', by: 'gateway-refusal-told' },
  'MQTT 5': { thingsBoard: 'PUBACK 0x00', claimd: 'PUBACK 0x87', by: 'gateway-refusal-told' },
} as const;

const A = '{"A":{"secretKey":"a","durationMs":60000}}';
const A_AND_B = '{"A":{"secretKey":"a"},"B":{}}';

export const GATEWAYS: readonly GatewayRow[] = [
  {
    type: 'gateway',
    fact: '1.3 #6',
    what: 'no bytes, and whitespace, where JSON is spoken',
    payloads: ['', ' ', '\n'],
    answers: NOTHING_USABLE,
    behind: {},
  },
  {
    type: 'gateway',
    fact: '1.3 #7',
    what: 'an empty map, or one with nothing but values that are no objects',
    payloads: ['{}', '{"A":1}', '{"A":"x","B":[{}]}'],
    answers: NOTHING_USABLE,
    behind: { A: 'not there', B: 'no window' },
  },
  {
    type: 'gateway',
    fact: '1.3 #8',
    what: 'no bytes, where protobuf is spoken',
    profile: 'MQTT PROTOBUF',
    payloads: [Buffer.alloc(0)],
    answers: UNREADABLE,
    behind: {},
  },
  {
    type: 'gateway',
    fact: '1.7 a',
    what: 'a device that is there, and one that is not: it is created',
    payloads: [A_AND_B],
    answers: DONE,
    behind: { A: 'window open', B: 'window open' },
  },
  {
    type: 'gateway',
    fact: '1.7 a',
    what: 'values that are no objects are passed over',
    payloads: ['{"A":{"secretKey":"a"},"B":1,"C":null}'],
    answers: DONE,
    behind: { A: 'window open', B: 'no window', C: 'not there' },
  },
  {
    type: 'gateway',
    fact: '1.7 a',
    what: 'secrets and durations of other types, as for a device',
    payloads: ['{"A":{"secretKey":1.50,"durationMs":"60000"}}'],
    answers: DONE,
    behind: { A: 'window open' },
  },
  {
    type: 'gateway',
    fact: '1.7 a',
    what: 'protobuf',
    profile: 'MQTT PROTOBUF',
    payloads: [gatewayClaim(['A', claimDevice('a', 60_000)], ['B', claimDevice()])],
    answers: DONE,
    behind: { A: 'window open', B: 'window open' },
  },
  {
    type: 'gateway',
    fact: '1.7 b',
    what: 'what an owned gateway brings up is born owned, and cannot be claimed',
    given: 'a customer owns the gateway',
    payloads: [A],
    answers: REFUSED,
    behind: { A: 'owned' },
  },
  {
    type: 'gateway',
    fact: '1.7 c',
    what: 'a protobuf entry without a name',
    profile: 'MQTT PROTOBUF',
    payloads: [gatewayClaim(['', claimDevice('a')])],
    answers: UNREADABLE,
    behind: {},
  },
  {
    type: 'gateway',
    fact: '1.7 d',
    what: 'QoS 0',
    qos: 0,
    payloads: [A],
    answers: {
      'MQTT 3.1.1': { thingsBoard: 'PUBACK', claimd: 'nothing', by: 'gateway-qos-0' },
      'MQTT 5': { thingsBoard: 'PUBACK 0x80', claimd: 'nothing', by: 'gateway-qos-0' },
    },
    behind: { A: 'window open' },
  },
  {
    type: 'gateway',
    fact: '1.7 e',
    what: 'a gateway topic that there is not',
    topic: 'v1/gateway/x',
    payloads: [A],
    answers: { 'MQTT 3.1.1': 'PUBACK', 'MQTT 5': 'PUBACK 0x90' },
    behind: { A: 'not there' },
  },
  {
    type: 'gateway',
    fact: '1.7 #1',
    what: 'one entry cannot be converted, the others go on',
    payloads: ['{"A":{"durationMs":"abc"},"B":{}}', '{"B":{},"A":{"secretKey":{}}}'],
    answers: UNREADABLE,
    behind: { A: 'not there', B: 'window open' },
  },
  {
    type: 'gateway',
    fact: '1.7 #2',
    what: "the tenant's limit of devices, which there is none of here: they are not created by a setting",
    given: 'no devices are created',
    payloads: [A_AND_B],
    answers: {
      'MQTT 3.1.1': { same: 'PUBACK', by: 'no-tenant-limits' },
      'MQTT 5': { thingsBoard: 'PUBACK 0x97', claimd: 'PUBACK 0x80', by: 'no-tenant-limits' },
    },
    behind: { A: 'not there', B: 'window open' },
  },
  {
    type: 'gateway',
    fact: '1.7 #3',
    what: 'a device cannot be created',
    given: 'no devices are created',
    payloads: [A],
    answers: { 'MQTT 3.1.1': 'PUBACK', 'MQTT 5': 'PUBACK 0x80' },
    behind: { A: 'not there' },
  },
  {
    type: 'gateway',
    fact: '1.7 #4',
    what: 'the rate limit of a device behind a gateway: of messages there, of windows here',
    given: 'the quota of B is used up',
    payloads: ['{"B":{}}'],
    answers: {
      'MQTT 3.1.1': { thingsBoard: 'PUBACK, closed', claimd: 'PUBACK', by: 'windows-quota' },
      'MQTT 5': {
        thingsBoard: 'PUBACK 0x97, PUBLISH v1/gateway/disconnect, closed',
        claimd: 'PUBACK 0x97',
        by: 'windows-quota',
      },
    },
    behind: { B: 'window open' },
  },
  {
    type: 'gateway',
    fact: '1.7 #5',
    what: 'no answer for a device',
    given: 'the store is gone',
    payloads: [A],
    answers: {
      'MQTT 3.1.1': { thingsBoard: 'PUBACK, closed', claimd: 'closed', by: 'gateway-no-answer' },
      'MQTT 5': {
        thingsBoard: 'PUBACK 0x80, PUBLISH v1/gateway/disconnect, closed',
        claimd: 'DISCONNECT 0x83, closed',
        by: 'gateway-no-answer',
      },
    },
    behind: {},
  },
  {
    type: 'gateway',
    fact: '1.7 #6',
    what: 'a list or a bare value instead of a map',
    payloads: ['[]', '[{"A":{}}]', '1', 'null', '"A"'],
    answers: NOTHING_USABLE,
    behind: { A: 'not there' },
  },
  {
    type: 'gateway',
    fact: '1.7 #7',
    what: 'what is no JSON',
    payloads: ['{"A"', 'A', '{"A":{}} x'],
    answers: UNREADABLE,
    behind: { A: 'not there' },
  },
  {
    type: 'gateway',
    fact: '1.7 #7',
    what: 'what is no JSON, QoS 0',
    qos: 0,
    payloads: ['{"A"'],
    answers: { 'MQTT 3.1.1': 'closed', 'MQTT 5': 'DISCONNECT 0x99, closed' },
    behind: { A: 'not there' },
  },
  {
    type: 'gateway',
    fact: '1.7 #7',
    what: 'what is no protobuf, and JSON where the profile has protobuf',
    profile: 'MQTT PROTOBUF',
    payloads: [Buffer.from([0x0a, 0x05, 0x61]), A],
    answers: UNREADABLE,
    behind: { A: 'not there' },
  },
  {
    type: 'gateway',
    fact: '1.7 #8',
    what: 'a device that a customer owns',
    given: 'B is owned',
    payloads: ['{"B":{}}'],
    answers: REFUSED,
    behind: { B: 'owned' },
  },
  {
    type: 'gateway',
    fact: '1.7 #8',
    what: 'a device whose window is open: it is replaced',
    given: 'B has a window',
    payloads: ['{"B":{}}'],
    answers: {
      'MQTT 3.1.1': { same: DONE['MQTT 3.1.1'], by: 'window-replaced' },
      'MQTT 5': { same: DONE['MQTT 5'], by: 'window-replaced' },
    },
    behind: { B: 'window open' },
  },
];
