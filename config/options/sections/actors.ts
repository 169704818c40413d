/** Device actors and the alarms that wake them. */
import { residentsFor } from '../memory.ts';
import { count, millis, section } from './declare.ts';

export const devices = section('Device actors', {
  residentsMax: count({
    key: 'actors.device.max_residents',
    env: 'ACTORS_DEVICE_MAX_RESIDENTS',
    default: 50_000,
    byMemory: residentsFor,
    min: 1,
    max: 10_000_000,
    why: 'Device actors kept in memory by each process, at most 1 KB each. Beyond that the least recently used one is let go. By default they get a sixteenth of what the process may use: of the machine or its container, divided by `system.workers`, or of the heap of V8 where that is less; 20000 at least, 200000 at most. The log line `ready` has the number (`residentsMax`).',
  }),
  idleMs: millis({
    key: 'actors.device.idle_timeout',
    env: 'ACTORS_DEVICE_IDLE_TIMEOUT',
    default: 60_000,
    min: 1000,
    why: 'A device actor is let go after this time without a command. The next command recovers it with one read.',
  }),
  mailboxMax: count({
    key: 'actors.device.max_mailbox',
    env: 'ACTORS_DEVICE_MAX_MAILBOX',
    default: 512,
    min: 1,
    max: 1_000_000,
    why: 'Commands that may wait for one device. Beyond that the answer is "overloaded" (503).',
  }),
  inFlightMax: count({
    key: 'actors.device.max_in_flight',
    env: 'ACTORS_DEVICE_MAX_IN_FLIGHT',
    default: 20_000,
    min: 1,
    max: 10_000_000,
    why: 'Commands in flight over all devices. Beyond that the answer is "overloaded" (503).',
  }),
  askTimeoutMs: millis({
    key: 'actors.device.ask_timeout',
    env: 'ACTORS_DEVICE_ASK_TIMEOUT',
    default: 5000,
    min: 100,
    why: 'How long a command may take. After that its sender gets 503.',
  }),
});

export const alarms = section('Alarms', {
  pollMs: millis({
    key: 'actors.alarm.poll_interval',
    env: 'ACTORS_ALARM_POLL_INTERVAL',
    default: 200,
    min: 10,
    why: 'Poll interval for elapsed claim windows. No claim succeeds after the end of its window; this only decides how soon the closing is recorded.',
  }),
  fanOutMax: count({
    key: 'actors.alarm.max_fan_out',
    env: 'ACTORS_ALARM_MAX_FAN_OUT',
    default: 1000,
    min: 1,
    max: 100_000,
    why: 'Device actors woken at the same time. More of them end a rush of expiries sooner and delay claims more.',
  }),
});
