/** Figures about claims: each door asks the devices through `meterDoor`, and every event of this process is counted. */
import { ACK_SECONDS, type Cell, type Histogram, type Metrics } from '../../actors/base/metrics.ts';
import type { DeviceAnswer, DeviceListener, Devices } from '../../actors/fleet/devices.ts';
import type { Unavailable } from '../../actors/runtime/decider.ts';

/** By which door a message came; `gateway`: through the MQTT door, about a device behind a gateway. */
const DOORS = ['mqtt', 'http', 'coap', 'gateway', 'broker'] as const;
export type Door = Exclude<(typeof DOORS)[number], 'gateway'>;

const WINDOW_OUTCOMES = [
  'opened',
  'already-claimed',
  'claiming-not-allowed',
  'duration-too-long',
  'duration-out-of-range',
  'secret-too-short',
  'rate-limited',
  'credentials-revoked',
  'credentials-superseded',
  'superseded',
  'not-behind-gateway',
  'unavailable',
  'other',
] as const;

const CLAIM_OUTCOMES = [
  'success',
  'already-claimed',
  'no-window',
  'window-elapsed',
  'window-pending',
  'wrong-secret',
  'wrong-proof',
  'proof-required',
  'claiming-not-allowed',
  'policy-refused',
  'unknown-device',
  'unavailable',
  'other',
] as const;

const RECLAIM_OUTCOMES = ['success', 'not-owner', 'unavailable', 'other'] as const;

/** Why a device gave no answer (`Unavailable`). */
const NO_ANSWER = [
  'overloaded',
  'store',
  'timeout',
  'stopping',
  'policy',
] as const satisfies readonly Unavailable['reason'][];

/** Seconds from the opening of a window to the claim. */
const OPEN_SECONDS = [1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 86_400] as const;
const LATENESS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300] as const;

export interface ClaimFigures {
  /** The devices as one door asks them. */
  door(name: Door, devices: Devices): Devices;
  readonly onDeviceEvent: DeviceListener;
}

export function meterClaims(metrics: Metrics): ClaimFigures {
  const windows = metrics.counter(
    {
      name: 'claimd_claim_windows_opened_total',
      help: 'Messages by which devices asked for a claim window (or a reset), by what became of them.',
    },
    { transport: DOORS, outcome: WINDOW_OUTCOMES },
  );
  const claims = metrics.counter(
    {
      name: 'claimd_claims_confirmed_total',
      help: 'Claims of customers that a device decided on. What a limit stopped before is among the requests (429).',
    },
    { outcome: CLAIM_OUTCOMES },
  );
  const reclaims = metrics.counter(
    { name: 'claimd_reclaims_total', help: 'Requests to give a device back.' },
    { outcome: RECLAIM_OUTCOMES },
  );
  const acks = metrics.histograms(
    {
      name: 'claimd_ack_duration_seconds',
      help: 'From a read message to the durable answer that is acknowledged.',
    },
    ACK_SECONDS,
    'transport',
    DOORS,
  );

  const noAnswers = metrics.counter(
    {
      name: 'claimd_asks_refused_total',
      help: 'Windows, claims and give-backs to which a device gave no answer, by why.',
    },
    { reason: NO_ANSWER },
  );
  const noAnswerCells = cellsOf(NO_ANSWER, (reason) => noAnswers.of(reason));
  const countAnswer: CountAnswer = (cells, accepted, answer) => {
    countUp(cells, accepted, answer);
    if (answer.type !== 'unavailable') return;
    const cell = noAnswerCells.get(answer.reason);
    if (cell !== undefined) cell.value += 1;
  };

  const windowCells = new Map(
    DOORS.map((door) => [door, cellsOf(WINDOW_OUTCOMES, (of) => windows.of(door, of))]),
  );
  const claimCells = cellsOf(CLAIM_OUTCOMES, (of) => claims.of(of));
  const reclaimCells = cellsOf(RECLAIM_OUTCOMES, (of) => reclaims.of(of));

  return {
    door(name, devices) {
      const opening = openings(windowCells.get(name), acks.get(name), countAnswer);
      const byGateway = openings(windowCells.get('gateway'), acks.get('gateway'), countAnswer);
      return {
        read: (id) => devices.read(id),
        ask(id, command) {
          const answered = devices.ask(id, command);
          // The answer does not wait for the count, and nobody rejects (see `Devices`).
          switch (command.type) {
            case 'InitiateClaim':
            case 'ResetDevice':
              (command.openedBy.type === 'gateway' ? byGateway : opening)(answered);
              break;
            case 'ConfirmClaim':
            case 'ClaimByKit':
              void answered.then((answer) => countAnswer(claimCells, 'success', answer));
              break;
            case 'ReclaimDevice':
              void answered.then((answer) => countAnswer(reclaimCells, 'success', answer));
              break;
            default:
          }
          return answered;
        },
      };
    },
    onDeviceEvent: meterEvents(metrics),
  };
}

type CountAnswer = (cells: ReadonlyMap<string, Cell>, accepted: string, answer: DeviceAnswer) => void;

function openings(
  cells: ReadonlyMap<string, Cell> | undefined,
  acks: Histogram | undefined,
  countAnswer: CountAnswer,
) {
  if (cells === undefined || acks === undefined) throw new Error('there is no such door');
  return (answered: Promise<DeviceAnswer>): void => {
    const startedAt = performance.now();
    void answered.then((answer) => {
      acks.observe((performance.now() - startedAt) / 1_000);
      countAnswer(cells, 'opened', answer);
    });
  };
}

/** Gauges and histograms that follow from what happened to devices in this process. */
function meterEvents(metrics: Metrics): DeviceListener {
  const events = metrics.counter(
    { name: 'claimd_ownership_changes_total', help: 'Changes of owner that became durable in this process.' },
    { change: Object.values(CHANGES) },
  );
  const expired = metrics.counter({
    name: 'claimd_windows_expired_total',
    help: 'Claim windows that ended because their time was over.',
  });
  const openFor = metrics.histogram(
    {
      name: 'claimd_claim_window_open_duration_seconds',
      help: 'From the opening of a window to the claim.',
    },
    OPEN_SECONDS,
  );
  const lateness = metrics.histogram(
    { name: 'claimd_expiry_lateness_seconds', help: 'How late the end of a window was recorded.' },
    LATENESS_SECONDS,
  );
  const expiredCell = expired.of();

  return (_id, event, _state, before) => {
    switch (event.type) {
      case 'ClaimWindowOpened':
        return;
      case 'ClaimWindowExpired': {
        expiredCell.value += 1;
        const window =
          before.status === 'absent' ? null : event.pending ? before.pendingWindow : before.window;
        if (window) lateness.observe(Math.max(0, event.at - window.closesAt) / 1_000);
        return;
      }
      case 'DeviceClaimed': {
        const window = before.status === 'absent' ? null : before.window;
        if (window !== null) openFor.observe(Math.max(0, event.at - window.openedAt) / 1_000);
        break;
      }
      default:
    }
    const change = changeOf(event.type);
    if (change !== undefined) events.of(change).value += 1;
  };
}

const CHANGES = {
  DeviceClaimed: 'claimed',
  DeviceReclaimed: 'given-back',
  DeviceAssigned: 'assigned',
  DeviceUnassigned: 'unassigned',
  DeviceTransferred: 'transferred',
  DeviceTakenOver: 'taken-over',
  DeviceReset: 'reset',
} as const;

function changeOf(type: string): string | undefined {
  return isChange(type) ? CHANGES[type] : undefined;
}

function isChange(type: string): type is keyof typeof CHANGES {
  return type in CHANGES;
}

function cellsOf(outcomes: readonly string[], cell: (outcome: string) => Cell): ReadonlyMap<string, Cell> {
  return new Map(outcomes.map((outcome) => [outcome, cell(outcome)]));
}

function countUp(cells: ReadonlyMap<string, Cell>, accepted: string, answer: DeviceAnswer): void {
  const outcome =
    answer.type === 'accepted' ? accepted : answer.type === 'refused' ? answer.refusal.reason : 'unavailable';
  const cell = cells.get(outcome) ?? cells.get('other');
  if (cell !== undefined) cell.value += 1;
}
