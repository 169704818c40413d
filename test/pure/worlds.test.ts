/** The checker behind the crash test, checked itself on histories known to be good and known to be bad. */
import { test } from 'uvu';
import { is, throws } from 'uvu/assert';
import { type Observed, type Outcome, Worlds } from '../kit/worlds.ts';

const open = (secret: string, outcome: Outcome): Observed => ({
  operation: { type: 'open', secret },
  outcome,
});
const confirm = (customer: string, secret: string, outcome: Outcome): Observed => ({
  operation: { type: 'confirm', customer, secret },
  outcome,
});
const reclaim = (customer: string, outcome: Outcome): Observed => ({
  operation: { type: 'reclaim', customer },
  outcome,
});

test('worlds: an honest history is believed', () => {
  const worlds = new Worlds();
  worlds.observe(open('s', 'accepted'));
  worlds.observe(confirm('A', 'wrong', 'failure'));
  worlds.observe(confirm('A', 's', 'accepted'), confirm('B', 's', 'claimed'));
  worlds.sees('A');
  worlds.observe(reclaim('B', 'not-owner'));
  worlds.observe(reclaim('A', 'accepted'));
  worlds.sees(null);
  is(worlds.secret, null);
});

test('worlds: an operation without an answer may have happened or not, until something tells', () => {
  const happened = new Worlds();
  happened.observe(open('s', 'unknown'));
  happened.observe(confirm('A', 's', 'accepted'));

  const not = new Worlds();
  not.observe(open('s', 'unknown'));
  not.observe(confirm('A', 's', 'failure'));
});

test('worlds: two at once may have come in either order', () => {
  const worlds = new Worlds();
  worlds.observe(open('s', 'accepted'));
  worlds.observe(confirm('A', 's', 'claimed'), confirm('B', 's', 'accepted'));
  worlds.sees('B');
});

test('worlds: a lost window is noticed', () => {
  const worlds = new Worlds();
  worlds.observe(open('s', 'accepted'));
  throws(() => worlds.observe(confirm('A', 's', 'failure')), /promise was broken/);
});

test('worlds: a lost claim is noticed', () => {
  const worlds = new Worlds();
  worlds.observe(open('s', 'accepted'));
  worlds.observe(confirm('A', 's', 'accepted'));
  throws(() => worlds.sees(null), /promise was broken/);
});

test('worlds: a second owner is noticed', () => {
  const worlds = new Worlds();
  worlds.observe(open('s', 'accepted'));
  throws(
    () => worlds.observe(confirm('A', 's', 'accepted'), confirm('B', 's', 'accepted')),
    /promise was broken/,
  );
});

test('worlds: a lost reclaim is noticed', () => {
  const worlds = new Worlds();
  worlds.observe(open('s', 'accepted'));
  worlds.observe(confirm('A', 's', 'accepted'));
  worlds.observe(reclaim('A', 'accepted'));
  throws(() => worlds.observe(open('t', 'claimed')), /promise was broken/);
});

test.run();
