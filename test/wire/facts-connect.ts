/** Facts 2.2: CONNACK says no, and why. */
import type { AbsentRow, ConnectRow } from './model.ts';

const WRONG = {
  'MQTT 3.1.1': 'CONNACK 5, closed',
  'MQTT 5': {
    thingsBoard: 'CONNACK 0x86, DISCONNECT 0x86, closed',
    claimd: 'CONNACK 0x86, closed',
    by: 'no-extra-disconnect',
  },
} as const;

const refused = (returnCode: number, reasonCode: string): ConnectRow['answers'] => ({
  'MQTT 3.1.1': `CONNACK ${returnCode}, closed`,
  'MQTT 5': {
    thingsBoard: `CONNACK ${reasonCode}, DISCONNECT ${reasonCode}, closed`,
    claimd: `CONNACK ${reasonCode}, closed`,
    by: 'no-extra-disconnect',
  },
});

export const CONNECTS: readonly (ConnectRow | AbsentRow)[] = [
  {
    type: 'connect',
    fact: '2.2 #1',
    what: 'user name, password and client id, and wrong',
    says: { clientId: 'c', userName: 'nobody', password: 'pw' },
    answers: WRONG,
  },
  {
    type: 'connect',
    fact: '2.2 #1',
    what: 'a user name alone, and wrong',
    says: { clientId: 'c', userName: 'nobody' },
    answers: WRONG,
  },
  {
    type: 'connect',
    fact: '2.2 #1',
    what: 'no client id, and a user name that is wrong',
    says: { clientId: '', userName: 'nobody' },
    answers: WRONG,
  },
  {
    type: 'connect',
    fact: '2.2 #1',
    what: 'a password alone',
    says: { clientId: 'c', password: 'pw' },
    answers: {
      ...WRONG,
      'MQTT 3.1.1': { thingsBoard: 'CONNACK 5, closed', claimd: 'closed', by: 'password-alone' },
    },
  },
  {
    type: 'connect',
    fact: '2.2 #2',
    what: 'neither user name nor password, and a client id',
    says: { clientId: 'TOKEN' },
    answers: refused(2, '0x85'),
  },
  {
    type: 'connect',
    fact: '2.2 #3',
    what: 'nothing at all',
    says: { clientId: '' },
    answers: refused(5, '0x87'),
  },
  {
    type: 'connect',
    fact: '2.2 #4',
    what: 'a certificate that no device has, beside a token that one has',
    says: { clientId: 'c', userName: 'TOKEN', certificate: 'unknown' },
    answers: refused(5, '0x87'),
  },
  {
    type: 'connect',
    fact: '2.2 #5',
    what: 'the store is gone',
    given: 'the store is gone',
    says: { clientId: 'c', userName: 'TOKEN' },
    answers: refused(3, '0x88'),
  },
  {
    type: 'connect',
    fact: '2.2 #5',
    what: 'a profile for another transport',
    profile: 'COAP JSON',
    says: { clientId: 'c', userName: 'TOKEN' },
    answers: refused(3, '0x88'),
  },
  {
    type: 'absent',
    fact: '2.2 #6',
    what: 'the rate limit of sessions being opened',
    thingsBoard: { 'MQTT 3.1.1': 'CONNACK 3, closed', 'MQTT 5': 'CONNACK 0x9F, DISCONNECT 0x9F, closed' },
    by: 'no-open-limit',
  },
  {
    type: 'connect',
    fact: '2.2 a',
    what: 'a token, and any password',
    says: { clientId: 'c', userName: 'TOKEN', password: 'pswd' },
    answers: {
      'MQTT 3.1.1': 'CONNACK 0',
      'MQTT 5': { same: 'CONNACK 0x00', by: 'connack-terms' },
    },
  },
  {
    type: 'connect',
    fact: '2.2 a',
    what: 'a session that is to be kept',
    says: { clientId: 'c', userName: 'TOKEN', clean: false },
    answers: {
      'MQTT 3.1.1': {
        thingsBoard: 'CONNACK 0 session present',
        claimd: 'CONNACK 0',
        by: 'session-present',
      },
      'MQTT 5': {
        thingsBoard: 'CONNACK 0x00 session present',
        claimd: 'CONNACK 0x00',
        by: 'session-present',
      },
    },
  },
  {
    type: 'connect',
    fact: '2.1 a',
    what: 'a device that wants to provision itself',
    says: { clientId: 'c', userName: 'provision' },
    answers: {
      'MQTT 3.1.1': { thingsBoard: 'CONNACK 0', claimd: 'CONNACK 5, closed', by: 'provisioning' },
      'MQTT 5': { thingsBoard: 'CONNACK 0x00', claimd: 'CONNACK 0x86, closed', by: 'provisioning' },
    },
  },
];
