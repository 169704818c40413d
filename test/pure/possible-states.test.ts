/** The checker behind the crash test, checked itself on histories known to be good and known to be bad. */
import { test } from 'uvu';
import { is, throws } from 'uvu/assert';
import { type Answered, type Observed, PossibleStates } from '../kit/possible-states.ts';

const open = (secret: string, outcome: Answered): Observed => ({
  operation: { type: 'open', secret },
  outcome,
});
const confirm = (customer: string, secret: string, outcome: Answered): Observed => ({
  operation: { type: 'confirm', customer, secret },
  outcome,
});
const reclaim = (customer: string, outcome: Answered): Observed => ({
  operation: { type: 'reclaim', customer },
  outcome,
});

test('possible states: an honest history is believed', () => {
  const states = new PossibleStates();
  states.observe(open('s', 'accepted'));
  states.observe(confirm('A', 'wrong', 'failure'));
  states.observe(confirm('A', 's', 'accepted'), confirm('B', 's', 'claimed'));
  states.sees('A');
  states.observe(reclaim('B', 'not-owner'));
  states.observe(reclaim('A', 'accepted'));
  states.sees(null);
  is(states.secret, null);
});

test('possible states: an operation without an answer may have happened or not, until something tells', () => {
  const happened = new PossibleStates();
  happened.observe(open('s', 'unknown'));
  happened.observe(confirm('A', 's', 'accepted'));

  const not = new PossibleStates();
  not.observe(open('s', 'unknown'));
  not.observe(confirm('A', 's', 'failure'));
});

test('possible states: two at once may have come in either order', () => {
  const states = new PossibleStates();
  states.observe(open('s', 'accepted'));
  states.observe(confirm('A', 's', 'claimed'), confirm('B', 's', 'accepted'));
  states.sees('B');
});

test('possible states: a lost window is noticed', () => {
  const states = new PossibleStates();
  states.observe(open('s', 'accepted'));
  throws(() => states.observe(confirm('A', 's', 'failure')), /promise was broken/);
});

test('possible states: a lost claim is noticed', () => {
  const states = new PossibleStates();
  states.observe(open('s', 'accepted'));
  states.observe(confirm('A', 's', 'accepted'));
  throws(() => states.sees(null), /promise was broken/);
});

test('possible states: a second owner is noticed', () => {
  const states = new PossibleStates();
  states.observe(open('s', 'accepted'));
  throws(
    () => states.observe(confirm('A', 's', 'accepted'), confirm('B', 's', 'accepted')),
    /promise was broken/,
  );
});

test('possible states: a lost reclaim is noticed', () => {
  const states = new PossibleStates();
  states.observe(open('s', 'accepted'));
  states.observe(confirm('A', 's', 'accepted'));
  states.observe(reclaim('A', 'accepted'));
  throws(() => states.observe(open('t', 'claimed')), /promise was broken/);
});

test.run();
