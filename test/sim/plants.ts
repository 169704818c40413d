/**
 * Planted bugs: the mistakes this design exists to prevent, made on purpose, around the code under test and never in
 * it. A simulation that does not find them proves nothing.
 */

import { unreachable } from '../../actors/base/unreachable.ts';
import type { DeviceCommand, DeviceEvent } from '../../actors/device/device.ts';
import type { Refusal } from '../../actors/device/messages.ts';
import { decodeHead, encodeDetails } from '../../actors/device/persistence.ts';
import type { DeviceState } from '../../actors/device/state.ts';
import type { Append, Head, Journal } from '../../actors/journal/journal.ts';
import type { Decider } from '../../actors/runtime/decider.ts';

export const PLANTS = {
  resume: 'after a failed append the actor goes on with the state it had, instead of recovering',
  'no-expiry': 'a confirm does not look at the instant: only the timer closes windows',
  'early-reply': 'the answer is given when the append is under way, not when it is durable',
  'stale-refusal': 'a refusal is given without looking whether the state is still the newest',
  unconditional: 'an event is appended whatever the head is by now',
  'kit-outlives': 'a kit claims its devices in whatever owner epoch they are by now',
  'gateway-outlives': 'a window that a gateway opened is good whoever owns the gateway by now',
  'late-consent': 'a consent to a claim that comes late is believed in another owner epoch',
  'given-apart': 'the owner is there without what the policy gave with the claim',
  'given-outlives': 'what the policy gave to an owner is there for the next',
  'challenge-twice': 'a challenge stays open when it was used, so what was signed once works again',
  'lost-rotation': 'the next credentials are kept in memory alone: a crash forgets them',
  'take-over-outlives': 'a pending take-over goes on when the device changes hands',
  'deaf-to-objections': 'an objection is heard, and the take-over happens all the same',
  'reset-unlimited': 'a device may be reset as often as it likes',
  'reset-forgotten': 'a reset that nobody was released by does not count as one',
  'no-alarm': 'the store forgets to tell which windows have elapsed',
  'old-epoch': 'a command is carried out whichever owner epoch it names',
  'late-opens': 'a message that waited behind a broker opens a window, whatever came after it',
  'offer-twice': 'an offer stays open when it is accepted',
  'offer-outlives': 'an offer stays open when the device is given back',
} as const;

export type Plant = keyof typeof PLANTS;

export type DeviceDecider = Decider<DeviceState, DeviceCommand, DeviceEvent, Refusal>;

/** A node's decider and journal, with or without a bug. Made anew for each life of a node: it dies with its memory. */
export interface Planted {
  readonly decider: DeviceDecider;
  readonly journal: Journal;
}

export function plant(bug: Plant | undefined, decider: DeviceDecider, journal: Journal): Planted {
  switch (bug) {
    case undefined:
      return { decider, journal };
    case 'resume':
      return { decider, journal: resuming(journal) };
    case 'no-expiry':
      return { decider: timeless(decider), journal };
    case 'early-reply':
      return { decider, journal: hasty(journal) };
    case 'stale-refusal':
      return staleRefusing(decider, journal);
    case 'unconditional':
      return { decider, journal: unconditional(journal) };
    case 'kit-outlives':
      return { decider: everGranting(decider), journal };
    case 'gateway-outlives':
      return { decider: trusting(decider), journal };
    case 'late-consent':
      return { decider: believing(decider), journal };
    case 'given-apart':
      return { decider: ungiving(decider), journal };
    case 'given-outlives':
      return { decider: givingOn(decider), journal };
    case 'challenge-twice':
      return { decider: reusable(decider), journal };
    case 'lost-rotation':
      return { decider, journal: forgettingRotation(journal) };
    case 'take-over-outlives':
      return { decider: outliving(decider), journal };
    case 'deaf-to-objections':
      return { decider: deaf(decider), journal };
    case 'reset-unlimited':
      return { decider: unlimited(decider), journal };
    case 'reset-forgotten':
      return { decider: forgetful(decider), journal };
    case 'no-alarm':
      return { decider, journal: { ...journal, due: async () => ({ alarms: [], next: undefined }) } };
    case 'old-epoch':
      return { decider: epochless(decider), journal };
    case 'late-opens':
      return { decider: unordered(decider), journal };
    case 'offer-twice':
      return { decider: keepingOffers(decider, ['DeviceTransferred']), journal };
    case 'offer-outlives':
      return { decider: keepingOffers(decider, GIVEN_BACK_AND_CLAIMED), journal };
    default:
      return unreachable(bug);
  }
}

/**
 * nact raises an actor's sequence number before it writes. Resumed after a failed append, the actor stands at number
 * n + 1 with the state of number n; if the append was stored after all, its next one fits, and decides on the past.
 */
function resuming(journal: Journal): Journal {
  const known = new Map<string, Head>();
  const resumed = new Set<string>();
  return {
    ...journal,
    async load(stream) {
      const kept = known.get(stream);
      if (resumed.has(stream) && kept !== undefined) return kept;
      const head = await journal.load(stream);
      known.set(stream, head);
      return head;
    },
    async append(entry) {
      const { stream, expected } = entry;
      const before = known.get(stream);
      try {
        const result = await journal.append(entry);
        resumed.delete(stream);
        if (result.type === 'appended') known.set(stream, headAfter(before, entry));
        return result;
      } catch (error) {
        if (before?.state !== undefined) {
          known.set(stream, { ...before, sequence: expected + 1 });
          resumed.add(stream);
        }
        throw error;
      }
    },
  };
}

/** The head that an append leaves. */
function headAfter(before: Head | undefined, { expected, state, details }: Append): Head {
  return { sequence: expected + 1, state, details: details ?? before?.details };
}

/** A window, or a key, opens as long as it is there. */
function timeless(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    decide(state, command, at, rules) {
      const inTime = decider.decide(state, command, at, rules);
      if (inTime.type === 'accept' || command.type !== 'ConfirmClaim' || state.status === 'absent')
        return inTime;
      const { window, serverKey } = state;
      const endless = {
        ...state,
        window: window === null ? null : { ...window, closesAt: Number.MAX_SAFE_INTEGER },
        serverKey: serverKey === null ? null : { ...serverKey, expiresAt: Number.MAX_SAFE_INTEGER },
      };
      const late = decider.decide(endless, command, at, rules);
      return late.type === 'accept' ? late : inTime;
    },
  };
}

function everGranting(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    decide(state, command, at, rules) {
      const now = state.status === 'absent' || state.owner !== null ? undefined : (state.ownerEpoch ?? 0);
      if (command.type !== 'ClaimByKit' || now === undefined)
        return decider.decide(state, command, at, rules);
      return decider.decide(state, { ...command, grantedIn: now }, at, rules);
    },
  };
}

/** Whatever was found out about the gateway, it is taken to be as it was. */
function trusting(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    decide(state, command, at, rules) {
      const gateway = state.status === 'absent' ? undefined : state.window?.gateway;
      if (command.type !== 'ConfirmClaim' || gateway === undefined)
        return decider.decide(state, command, at, rules);
      return decider.decide(state, { ...command, gateway }, at, rules);
    },
  };
}

function epochless(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    decide(state, command, at, rules) {
      if (!('inEpochs' in command)) return decider.decide(state, command, at, rules);
      const { inEpochs: _, ...anyEpoch } = command;
      return decider.decide(state, anyEpoch, at, rules);
    },
  };
}

/** When a message came is not looked at. */
function unordered(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    decide(state, command, at, rules) {
      if (command.type !== 'InitiateClaim') return decider.decide(state, command, at, rules);
      const { arrivedAt: _, ...justNow } = command;
      return decider.decide(state, justNow, at, rules);
    },
  };
}

/** It shows when the device has its next owner. */
const GIVEN_BACK_AND_CLAIMED: readonly DeviceEvent['type'][] = ['DeviceReclaimed', 'DeviceClaimed'];

function keepingOffers(decider: DeviceDecider, over: readonly DeviceEvent['type'][]): DeviceDecider {
  return {
    ...decider,
    evolve(state, event) {
      const after = decider.evolve(state, event);
      if (!over.includes(event.type)) return after;
      if (state.status === 'absent' || after.status === 'absent' || state.offer === undefined) return after;
      return { ...after, offer: state.offer };
    },
  };
}

/** Once the operator has said yes, it is yes. */
function believing(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    decide(state, command, at, rules) {
      if (command.type !== 'ConfirmClaim' || command.consentIn === undefined || state.status === 'absent') {
        return decider.decide(state, command, at, rules);
      }
      return decider.decide(state, { ...command, consentIn: state.ownerEpoch ?? 0 }, at, rules);
    },
  };
}

/** As if attributes were saved by another append, and the crash came first. */
function ungiving(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    evolve(state, event) {
      if (event.type !== 'DeviceClaimed') return decider.evolve(state, event);
      const { attributes: _lost, ...claim } = event;
      return decider.evolve(state, claim);
    },
  };
}

function givingOn(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    evolve(state, event) {
      const after = decider.evolve(state, event);
      const plan = state.status === 'absent' ? undefined : state.attributes.SERVER_SCOPE.plan;
      if (plan === undefined || after.status === 'absent') return after;
      const { attributes } = after;
      const { plan: own = plan, ...rest } = attributes.SERVER_SCOPE;
      return { ...after, attributes: { ...attributes, SERVER_SCOPE: { ...rest, plan: own } } };
    },
  };
}

/** Challenges outlive the change of owner that should end them. */
function reusable(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    evolve(state, event) {
      const after = decider.evolve(state, event);
      const { challenges } = state.status === 'absent' ? {} : state;
      return after.status === 'absent' || challenges === undefined ? after : { challenges, ...after };
    },
  };
}

/** The take-over is taken along into the next owner epoch, as if it had been asked for in that one. */
function outliving(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    evolve(state, event) {
      const after = decider.evolve(state, event);
      if (state.status === 'absent' || after.status === 'absent' || state.takeOver === undefined)
        return after;
      const isHandedOn = after.owner !== null && after.ownerEpoch !== state.ownerEpoch;
      if (!isHandedOn || after.owner.customerId === state.takeOver.customerId) return after;
      return { ...after, takeOver: { ...state.takeOver, inEpoch: after.ownerEpoch ?? 0 } };
    },
  };
}

function deaf(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    evolve: (state, event) =>
      event.type === 'TakeOverEnded' && event.why === 'objected' ? state : decider.evolve(state, event),
  };
}

function unlimited(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    decide(state, command, at, rules) {
      if (command.type !== 'ResetDevice' || state.status === 'absent')
        return decider.decide(state, command, at, rules);
      const { lastResetAt, ...forgetful } = state;
      return decider.decide(forgetful, command, at, rules);
    },
  };
}

function forgetful(decider: DeviceDecider): DeviceDecider {
  return {
    ...decider,
    evolve(state, event) {
      if (event.type === 'ResetNoted') return state;
      if (event.type !== 'ClaimWindowOpened') return decider.evolve(state, event);
      const { byReset: _, ...plain } = event;
      return decider.evolve(state, plain);
    },
  };
}

/** The writer is told when its event has been handed over, whatever becomes of it. */
function hasty(journal: Journal): Journal {
  return {
    ...journal,
    async append(entry) {
      journal.append(entry).catch(() => undefined);
      return { type: 'appended' };
    },
  };
}

/** The head is written without the next credentials; the actor that decided on them knows them as long as it lives. */
function forgettingRotation(journal: Journal): Journal {
  return {
    ...journal,
    append(entry) {
      const { state, details } = entry;
      if (state === undefined || details === undefined) return journal.append(entry);
      const decoded = decodeHead(state, details);
      if (decoded.status === 'absent' || decoded.nextCredentials === undefined) return journal.append(entry);
      const { nextCredentials: _forgotten, ...rest } = decoded;
      return journal.append({ ...entry, details: encodeDetails(rest, undefined) });
    },
  };
}

function unconditional(journal: Journal): Journal {
  return {
    ...journal,
    async append(entry) {
      const { sequence } = await journal.load(entry.stream);
      return journal.append({ ...entry, expected: sequence });
    },
  };
}

/** The load that follows a decision against is the actor's look at the head; it is shown what it knows already. */
function staleRefusing(decider: DeviceDecider, journal: Journal): Planted {
  const known = new Map<string, Head>();
  let refusing = false;
  return {
    decider: {
      ...decider,
      decide(state, command, at, rules) {
        const decision = decider.decide(state, command, at, rules);
        refusing = decision.type !== 'accept';
        return decision;
      },
    },
    journal: {
      ...journal,
      async load(stream) {
        const looksAgain = refusing;
        refusing = false;
        const kept = known.get(stream);
        if (looksAgain && kept !== undefined) return kept;
        const head = await journal.load(stream);
        known.set(stream, head);
        return head;
      },
      async append(entry) {
        const result = await journal.append(entry);
        if (result.type === 'appended') {
          known.set(entry.stream, headAfter(known.get(entry.stream), entry));
        }
        return result;
      },
    },
  };
}
