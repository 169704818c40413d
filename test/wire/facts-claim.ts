/** Facts 1.3, 1.4 and 1.6: a device asks for its window, over every transport. */
import type { Answer, Answers, ClaimRow, OddRow, Opens, Profile } from './model.ts';
import { claimDevice } from './protobuf.ts';

const DAY_MS = 86_400_000;
const opens = (secretKey: string, durationMs = DAY_MS): Opens => ({ secretKey, durationMs });

/** It is done. */
const OPENED = {
  'MQTT 3.1.1': 'PUBACK',
  'MQTT 5': 'PUBACK 0x00',
  HTTP: '200 empty',
  CoAP: '2.01',
} as const satisfies Answers;

/** The parser says no: in ThingsBoard an AdaptorException. */
const UNREADABLE: Answers = {
  'MQTT 3.1.1': 'closed',
  'MQTT 5': 'PUBACK 0x99',
  HTTP: { thingsBoard: "500 and the parser's text", claimd: '400 error 31', by: 'malformed-400' },
  CoAP: '4.00',
};

/** The parser says yes and the value does not fit: in ThingsBoard any other exception. */
const UNFIT: Answers = {
  'MQTT 3.1.1': 'closed',
  'MQTT 5': {
    thingsBoard: 'DISCONNECT 0x8B, closed',
    claimd: 'PUBACK 0x99',
    by: 'wrong-type-malformed',
  },
  HTTP: { thingsBoard: '500 empty', claimd: '400 error 31', by: 'malformed-400' },
  CoAP: { thingsBoard: '5.00', claimd: '4.00', by: 'malformed-400' },
};

/** ThingsBoard takes it, claimd does not. */
function onlyThere(by: Extract<Answer, { claimd: string }>['by']): Answers {
  return {
    'MQTT 3.1.1': { thingsBoard: OPENED['MQTT 3.1.1'], claimd: 'closed', by },
    'MQTT 5': { thingsBoard: OPENED['MQTT 5'], claimd: 'PUBACK 0x99', by },
    HTTP: { thingsBoard: OPENED.HTTP, claimd: '400 error 31', by },
    CoAP: { thingsBoard: OPENED.CoAP, claimd: '4.00', by },
  };
}

const REFUSED: Answers = {
  'MQTT 3.1.1': { same: 'PUBACK', by: 'refusal-told' },
  'MQTT 5': { thingsBoard: 'PUBACK 0x00', claimd: 'PUBACK 0x87', by: 'refusal-told' },
  HTTP: { thingsBoard: '200 empty', claimd: '409 error 31', by: 'refusal-told' },
  CoAP: { thingsBoard: '2.01', claimd: '4.09 already-claimed', by: 'refusal-told' },
};

/** The same is seen, and it means something else. */
const meansMore = (by: Extract<Answer, { same: string }>['by']): Answers => ({
  'MQTT 3.1.1': { same: OPENED['MQTT 3.1.1'], by },
  'MQTT 5': { same: OPENED['MQTT 5'], by },
  HTTP: { same: OPENED.HTTP, by },
  CoAP: { same: OPENED.CoAP, by },
});

const inAll = (profile: Profile) => ({
  'MQTT 3.1.1': profile,
  'MQTT 5': profile,
  HTTP: profile,
  CoAP: profile,
});

const only = (answers: Answers, ...doors: readonly (keyof Answers)[]): Answers =>
  Object.fromEntries(Object.entries(answers).filter(([door]) => doors.some((name) => name === door)));
const BINARY_PROFILES = {
  'MQTT 3.1.1': 'MQTT PROTOBUF',
  'MQTT 5': 'MQTT PROTOBUF',
  CoAP: 'COAP PROTOBUF',
} as const;
const BINARY_DOORS = ['MQTT 3.1.1', 'MQTT 5', 'CoAP'] as const;

export const EMPTY_PAYLOADS: readonly ClaimRow[] = [
  {
    type: 'claim',
    fact: '1.3 #1',
    what: 'no bytes, where JSON is spoken',
    cases: [{ payload: '', opens: opens('') }],
    answers: only(OPENED, 'MQTT 3.1.1', 'MQTT 5'),
  },
  {
    type: 'claim',
    fact: '1.3 #2',
    what: 'an empty object',
    cases: [{ payload: '{}', opens: opens('') }],
    answers: OPENED,
  },
  {
    type: 'claim',
    fact: '1.3 #3',
    what: 'no bytes, where protobuf is spoken',
    profile: BINARY_PROFILES,
    cases: [{ payload: Buffer.alloc(0), opens: opens('') }],
    answers: only(OPENED, ...BINARY_DOORS),
  },
  {
    type: 'claim',
    fact: '1.3 #4',
    what: 'no body, no payload',
    cases: [{ payload: '', opens: opens('') }],
    answers: only(OPENED, 'HTTP', 'CoAP'),
  },
  {
    type: 'claim',
    fact: '1.3 #5',
    what: 'whitespace, and null',
    cases: [{ payload: ' ' }, { payload: '\r\n\t' }, { payload: 'null' }],
    answers: UNREADABLE,
  },
];

export const WRONG_TYPES: readonly ClaimRow[] = [
  {
    type: 'claim',
    fact: '1.4 #1',
    what: 'a secret that is a number or a boolean is its text',
    cases: [
      { payload: '{"secretKey":123}', opens: opens('123') },
      { payload: '{"secretKey":1.50}', opens: opens('1.50') },
      { payload: '{"secretKey":12345678901234567890}', opens: opens('12345678901234567890') },
      { payload: '{"secretKey":true}', opens: opens('true') },
    ],
    answers: OPENED,
  },
  {
    type: 'claim',
    fact: '1.4 #2',
    what: 'a secret that is null',
    cases: [{ payload: '{"secretKey":null}' }],
    answers: UNFIT,
  },
  {
    type: 'claim',
    fact: '1.4 #2',
    what: 'a secret that is an object',
    cases: [{ payload: '{"secretKey":{}}' }],
    answers: UNFIT,
  },
  {
    type: 'claim',
    fact: '1.4 #3',
    what: 'a secret in a list of one',
    cases: [{ payload: '{"secretKey":["one"]}', opens: opens('one') }],
    answers: OPENED,
  },
  {
    type: 'claim',
    fact: '1.4 #3',
    what: 'a secret in a list of more, or of none',
    cases: [{ payload: '{"secretKey":["one","two"]}' }, { payload: '{"secretKey":[]}' }],
    answers: UNREADABLE,
  },
  {
    type: 'claim',
    fact: '1.4 #4',
    what: 'a duration as text',
    cases: [{ payload: '{"durationMs":"60000"}', opens: opens('', 60_000) }],
    answers: OPENED,
  },
  {
    type: 'claim',
    fact: '1.4 #5',
    what: 'a duration that is no number',
    cases: ['"abc"', '"1.5"', 'true'].map((value) => ({ payload: `{"durationMs":${value}}` })),
    answers: UNFIT,
  },
  {
    type: 'claim',
    fact: '1.4 #6',
    what: 'a duration with a fraction or an exponent is cut',
    cases: [
      { payload: '{"durationMs":60000.9}', opens: opens('', 60_000) },
      { payload: '{"durationMs":6e4}', opens: opens('', 60_000) },
      { payload: '{"durationMs":1.5}', opens: opens('', 1) },
    ],
    answers: OPENED,
  },
  {
    type: 'claim',
    fact: '1.4 #7',
    what: 'a duration that is null',
    cases: [{ payload: '{"durationMs":null}' }],
    answers: UNFIT,
  },
  {
    type: 'claim',
    fact: '1.4 #8',
    what: 'a duration over 32 bits',
    cases: [{ payload: '{"durationMs":4294967296}', opens: opens('', 4_294_967_296) }],
    answers: OPENED,
  },
  {
    type: 'claim',
    fact: '1.4 #9',
    what: 'a duration over 64 bits',
    cases: [{ payload: '{"durationMs":9223372036854775808}' }],
    answers: onlyThere('duration-out-of-range'),
  },
  {
    type: 'claim',
    fact: '1.4 #9',
    what: 'a duration with a gigantic exponent',
    cases: [{ payload: '{"durationMs":1e999999999}' }],
    answers: UNFIT,
  },
  {
    type: 'claim',
    fact: '1.4 #10',
    what: "a duration of 0 or less is the server's own",
    cases: ['0', '-5', '-0', '"-5"'].map((value) => ({
      payload: `{"durationMs":${value}}`,
      opens: opens(''),
    })),
    answers: OPENED,
  },
  {
    type: 'claim',
    fact: '1.4 #11',
    what: 'a duration that reaches beyond the end of time',
    cases: [{ payload: `{"durationMs":${Number.MAX_SAFE_INTEGER}}` }],
    answers: onlyThere('duration-out-of-range'),
  },
  {
    type: 'claim',
    fact: '1.4 #11',
    what: 'a duration of a hundred years',
    cases: [{ payload: '{"durationMs":3155760000000}', opens: opens('', 3_155_760_000_000) }],
    answers: OPENED,
  },
  {
    type: 'claim',
    fact: '1.4 #12',
    what: 'a list or a bare value instead of an object',
    cases: ['[]', '[{"secretKey":"a"}]', '1', 'true', '"text"'].map((payload) => ({ payload })),
    answers: UNREADABLE,
  },
  {
    type: 'claim',
    fact: '1.4 #13',
    what: 'keys without quotes, or with single ones',
    cases: [{ payload: '{secretKey:"a"}' }, { payload: "{'secretKey':'a'}" }],
    answers: onlyThere('standard-json'),
  },
  {
    type: 'claim',
    fact: '1.4 a',
    what: 'comments, a byte order mark, bytes that are no UTF-8',
    cases: [
      { payload: '{"secretKey":"a"/* so */}' },
      { payload: '\uFEFF{}' },
      { payload: Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]) },
    ],
    answers: onlyThere('standard-json'),
  },
  {
    type: 'claim',
    fact: '1.4 #14',
    what: 'of two members of one name the last counts',
    cases: [
      {
        payload: '{"secretKey":"a","durationMs":1,"secretKey":"b","durationMs":60000}',
        opens: opens('b', 60_000),
      },
    ],
    answers: OPENED,
  },
  {
    type: 'claim',
    fact: '1.4 #14',
    what: 'something behind the object',
    cases: [{ payload: '{"secretKey":"a"} x' }, { payload: '{}{}' }],
    answers: UNREADABLE,
  },
];

const CLAIM = '{"secretKey":"value","durationMs":60000}';
const OPENS_IT = [{ payload: CLAIM, opens: opens('value', 60_000) }];
const OPENS_NOTHING = [{ payload: CLAIM }];
const RESET = '{"secretKey":"right","reset":true}';

export const WHAT_DEVICES_SEE: readonly (ClaimRow | OddRow)[] = [
  { type: 'claim', fact: '1.6 #1', what: 'accepted', cases: OPENS_IT, answers: OPENED },
  {
    type: 'claim',
    fact: '1.1 b',
    what: 'a profile whose filter for attributes fits the claim topic as well',
    profile: { 'MQTT 3.1.1': 'MQTT OWN TOPICS', 'MQTT 5': 'MQTT OWN TOPICS' },
    cases: OPENS_IT,
    answers: only(meansMore('profile-topics'), 'MQTT 3.1.1', 'MQTT 5'),
  },
  {
    type: 'claim',
    fact: '1.6 #1',
    what: 'accepted, in protobuf',
    profile: BINARY_PROFILES,
    cases: [{ payload: claimDevice('value', 60_000), opens: opens('value', 60_000) }],
    answers: only(OPENED, ...BINARY_DOORS),
  },
  {
    type: 'claim',
    fact: '1.6 #1',
    what: 'accepted, QoS 0',
    qos: 0,
    cases: OPENS_IT,
    answers: { 'MQTT 3.1.1': 'nothing', 'MQTT 5': 'nothing' },
  },
  {
    type: 'claim',
    fact: '1.6 #1',
    what: 'refused: a customer owns the device',
    given: 'a customer owns it',
    cases: OPENS_NOTHING,
    answers: REFUSED,
  },
  {
    type: 'claim',
    fact: '1.6 #1',
    what: 'claimingAllowed is false where claiming is allowed by default',
    given: 'it may not be claimed',
    cases: OPENS_NOTHING,
    answers: {
      'MQTT 3.1.1': { same: 'PUBACK', by: 'allowed-veto' },
      'MQTT 5': { thingsBoard: 'PUBACK 0x00', claimd: 'PUBACK 0x87', by: 'allowed-veto' },
      HTTP: { thingsBoard: '200 empty', claimd: '409 error 31', by: 'allowed-veto' },
      CoAP: { thingsBoard: '2.01', claimd: '4.09 claiming-not-allowed', by: 'allowed-veto' },
    },
  },
  ...(['its window is open', 'its window has elapsed'] as const).map(
    (given): ClaimRow => ({
      type: 'claim',
      fact: '1.6 #1',
      what: `asked again while ${given}`,
      given,
      cases: OPENS_IT,
      answers: meansMore('window-replaced'),
    }),
  ),
  {
    type: 'claim',
    fact: '1.6 #1',
    what: 'a field that ThingsBoard does not know, from a device that nobody owns: it was reset',
    cases: [{ payload: RESET, opens: opens('right') }],
    answers: OPENED,
  },
  {
    type: 'claim',
    fact: '1.6 #1',
    what: 'an owned device says that it was reset',
    given: 'a customer owns it',
    cases: [{ payload: RESET }],
    answers: {
      'MQTT 3.1.1': { same: 'PUBACK', by: 'factory-reset' },
      'MQTT 5': { thingsBoard: 'PUBACK 0x00', claimd: 'PUBACK 0x87', by: 'factory-reset' },
      HTTP: { thingsBoard: '200 empty', claimd: '409 error 31', by: 'factory-reset' },
      CoAP: { thingsBoard: '2.01', claimd: '4.09 reset-not-allowed', by: 'factory-reset' },
    },
  },
  {
    type: 'claim',
    fact: '1.6 #1',
    what: 'an owned device says that it was reset, and its profile lets that release it',
    given: 'another customer owns it',
    profile: inAll('RESET RELEASES'),
    cases: [{ payload: RESET, opens: opens('right') }],
    answers: meansMore('factory-reset'),
  },
  {
    type: 'claim',
    fact: '1.6 #1',
    what: 'an owned device asks for a window, and its profile lets it be taken over',
    given: 'another customer owns it',
    profile: inAll('TAKE-OVER AT ONCE'),
    cases: [{ payload: '{"secretKey":"right"}', opens: opens('right') }],
    answers: meansMore('take-over'),
  },
  {
    type: 'claim',
    fact: '1.6 #2',
    what: 'QoS 2',
    qos: 2,
    cases: OPENS_IT,
    answers: {
      'MQTT 3.1.1': { thingsBoard: 'PUBACK', claimd: 'PUBREC, PUBCOMP', by: 'qos-2' },
      'MQTT 5': { thingsBoard: 'PUBACK 0x00', claimd: 'PUBREC 0x00, PUBCOMP 0x00', by: 'qos-2' },
    },
  },
  {
    type: 'claim',
    fact: '1.6 #3',
    what: 'what is no JSON',
    cases: [{ payload: 'secret' }, { payload: '{' }, { payload: Buffer.from([0xff, 0xfe]) }],
    answers: UNREADABLE,
  },
  {
    type: 'claim',
    fact: '1.6 #3',
    what: 'what is no JSON, QoS 0',
    qos: 0,
    cases: [{ payload: 'secret' }],
    answers: { 'MQTT 3.1.1': 'closed', 'MQTT 5': 'DISCONNECT 0x99, closed' },
  },
  {
    type: 'claim',
    fact: '1.6 #3',
    what: 'what is no JSON, and a profile that wants it acknowledged',
    profile: { 'MQTT 3.1.1': 'MQTT JSON ACK', 'MQTT 5': 'MQTT JSON ACK' },
    cases: [{ payload: 'secret' }],
    answers: { 'MQTT 3.1.1': 'PUBACK', 'MQTT 5': 'PUBACK 0x99' },
  },
  {
    type: 'claim',
    fact: '1.6 #3',
    what: 'what is no protobuf',
    profile: BINARY_PROFILES,
    cases: [{ payload: '{}' }, { payload: Buffer.from([0x0a, 0x05, 0x61]) }],
    answers: only(UNREADABLE, ...BINARY_DOORS),
  },
  {
    type: 'claim',
    fact: '1.6 #4',
    what: 'another conversion error',
    cases: [{ payload: '{"durationMs":"abc"}' }],
    answers: UNFIT,
  },
  {
    type: 'claim',
    fact: '1.6 #5',
    what: 'no answer to be had: the queue there, the store here',
    given: 'the store is gone',
    cases: OPENS_NOTHING,
    answers: {
      'MQTT 3.1.1': 'closed',
      'MQTT 5': 'DISCONNECT 0x83, closed',
      HTTP: { thingsBoard: '500 empty', claimd: '503 error 2', by: 'no-answer-503' },
      CoAP: { thingsBoard: '5.00', claimd: '5.03', by: 'no-answer-503' },
    },
  },
  {
    type: 'claim',
    fact: '1.6 #5',
    what: 'a rate limit: of messages there, of windows here',
    given: 'its quota of windows is used up',
    cases: [{ payload: CLAIM, opens: opens('right', 600_000) }],
    answers: {
      'MQTT 3.1.1': { thingsBoard: 'closed', claimd: 'PUBACK', by: 'windows-quota' },
      'MQTT 5': { thingsBoard: 'DISCONNECT 0x83, closed', claimd: 'PUBACK 0x97', by: 'windows-quota' },
      HTTP: { thingsBoard: '500 empty', claimd: '429 error 33', by: 'windows-quota' },
      CoAP: { thingsBoard: '5.00', claimd: '4.29 rate-limited', by: 'windows-quota' },
    },
  },
  {
    type: 'odd',
    fact: '1.6 #6',
    what: 'a token that no device has',
    ask: 'unknown token',
    answers: {
      'MQTT 3.1.1': 'CONNACK 5, closed',
      'MQTT 5': {
        thingsBoard: 'CONNACK 0x86, DISCONNECT 0x86, closed',
        claimd: 'CONNACK 0x86, closed',
        by: 'no-extra-disconnect',
      },
      HTTP: '401 empty',
      CoAP: '4.01',
    },
  },
  {
    type: 'claim',
    fact: '1.6 #7',
    what: 'too large',
    cases: [{ payload: `{"secretKey":"${'x'.repeat(70_000)}"}` }],
    answers: {
      'MQTT 3.1.1': 'closed',
      'MQTT 5': {
        thingsBoard: 'DISCONNECT 0x81, closed',
        claimd: 'DISCONNECT 0x95, closed',
        by: 'too-large',
      },
      HTTP: '413 "Payload size exceeds the limit of 65536 bytes"',
    },
  },
  {
    type: 'claim',
    fact: '1.6 #7',
    what: 'too large for one datagram and not in blocks',
    cases: [{ payload: `{"secretKey":"${'x'.repeat(10_000)}"}` }],
    answers: { CoAP: '4.13' },
  },
  {
    type: 'odd',
    fact: '1.7 f',
    what: 'a device that is no gateway, on a topic of gateways',
    ask: 'gateway topic',
    answers: { 'MQTT 3.1.1': 'nothing', 'MQTT 5': 'nothing' },
  },
  {
    type: 'odd',
    fact: '1.6 #8',
    what: 'a method that is not POST',
    ask: 'wrong method',
    answers: {
      HTTP: 'GET 405 error 31, PUT 405 error 31, DELETE 405 error 31, PATCH 405 error 31',
      CoAP: 'GET 4.00, PUT 4.05, DELETE 4.05',
    },
  },
  {
    type: 'odd',
    fact: '1.1 a',
    what: 'the short topic',
    ask: 'short topic',
    answers: {
      'MQTT 3.1.1': { same: 'PUBACK', by: 'short-topics' },
      'MQTT 5': { thingsBoard: 'PUBACK 0x90', claimd: 'PUBACK 0x00', by: 'short-topics' },
    },
  },
  {
    type: 'odd',
    fact: '1.6 #8',
    what: 'GET with Observe, which subscribes to attributes',
    ask: 'observe',
    answers: { CoAP: '2.05' },
  },
  {
    type: 'odd',
    fact: '1.6 #9',
    what: 'telemetry, which is a feature there',
    ask: 'telemetry',
    answers: {
      'MQTT 3.1.1': { same: 'PUBACK', by: 'telemetry' },
      'MQTT 5': { same: 'PUBACK 0x00', by: 'telemetry' },
      HTTP: { same: '200 empty', by: 'telemetry' },
      CoAP: { same: '2.01', by: 'telemetry' },
    },
  },
  {
    type: 'odd',
    fact: '1.6 #9',
    what: 'a feature that there is not',
    ask: 'unknown feature',
    answers: { 'MQTT 3.1.1': 'PUBACK', 'MQTT 5': 'PUBACK 0x90', HTTP: '404 error 32', CoAP: '4.00' },
  },
  {
    type: 'claim',
    fact: '1.6 #10',
    what: 'a profile for another transport',
    profile: { 'MQTT 3.1.1': 'COAP JSON', 'MQTT 5': 'COAP JSON', CoAP: 'MQTT JSON' },
    cases: OPENS_NOTHING,
    answers: {
      'MQTT 3.1.1': 'CONNACK 3, closed',
      'MQTT 5': {
        thingsBoard: 'CONNACK 0x88, DISCONNECT 0x88, closed',
        claimd: 'CONNACK 0x88, closed',
        by: 'no-extra-disconnect',
      },
      CoAP: '5.00',
    },
  },
  {
    type: 'claim',
    fact: '1.6 #10',
    what: 'a profile for another transport, by HTTP, which asks for none',
    profile: { HTTP: 'MQTT PROTOBUF' },
    cases: OPENS_IT,
    answers: { HTTP: '200 empty' },
  },
];
