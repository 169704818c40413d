/**
 * What happens when something fails: one policy for the whole server.
 *
 * A refusal is a value, and whoever asked hears it. A fault is an error that is expected: the store is away
 * (`StoreUnavailable`), another process was first. It is caught where it is expected, by its type; whoever asked hears that
 * there is no answer and that asking again is safe.
 *
 * Everything else that is thrown is a bug. A bug ends the smallest thing whose state it may have damaged, is logged as an
 * error with its stack, and is told to whoever waits for that thing as "no answer". Nothing is tried again on its own.
 *
 *   where                    what ends                      whoever waits hears          afterwards
 *   a device's actor         its incarnation                unavailable                  the next command recovers it from the journal
 *   an MQTT session          the session, its connection    closed, no acknowledgement   the device connects and sends again
 *   a gateway's message      the session that sent it       the same                     the same
 *   a broker's message       that message                   acknowledged, no outcome     dropped: it would meet the bug again
 *   a CoAP request           that request                   5.00                         the device may ask again
 *   an HTTP request          that request                   500                          the same
 *   a listener to events     what it does about one event   nothing: that is durable     the next event
 *   alarms, audit, outbox … that round                      nobody waits                 the next round
 *   LMDB's panic             the process                    the connection breaks        started again, from the store
 *   anywhere else            the process                    the connection breaks        started again, from the store
 *
 * A bug does not end the process where it can be kept to one of these: a device may send the message that meets it as often
 * as it likes, and must not be able to stop all others by it. Anywhere else (a timer, the store's thread, a promise that
 * nobody waits for) nobody knows what it has damaged; the process logs it and kills itself (`config/process/main.ts`).
 */
import type { Log } from '../base/log.ts';

/** What a bug ends, by where it is met. */
const ENDS = {
  device: 'a device actor ends; it will be recovered from the journal',
  session: 'an MQTT session ends',
  'broker message': "a broker's message is dropped",
  'coap request': 'a CoAP request is answered 5.00',
  'http request': 'an HTTP request ends; it is answered 500, if it was not answered yet',
  listener: 'a listener failed on a durable event',
  alarms: 'a round of waking devices ends; the next one tries again',
  audit: 'a round of the audit trail ends; the next one tries again',
  outbox: 'a round of sending events ends; the next one tries again',
  mail: 'one mail, what is told of one event, or a round of sending mails, ends',
  retention: 'a round of letting go of old events ends; the next one tries again',
  deletions: 'a round of clearing what deletions left behind ends; the next one tries again',
  news: 'a round of telling what became of users ends; the next one tries again',
  lists: 'a round of making lists of devices by claim state ends; the next one tries again',
} as const;

/** Logs a bug and what it ends. The caller ends it. */
export function reportBug(log: Log, where: keyof typeof ENDS, error: unknown, fields: object = {}): void {
  log.error({ err: error, ...fields }, `bug: ${ENDS[where]}`);
}
