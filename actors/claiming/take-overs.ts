/**
 * Take-overs whose instant has come (N2). The device knows when, and who asked; only the accounts know whether that
 * newcomer still exists. So whoever serves the alarms looks there first, and then tells the device.
 *
 * A customer that is deleted at this very moment: its deletion first marks it and then clears its devices. Looked at
 * again afterwards, it is marked by now, and the device is given back; or it is not, and its deletion finds the device.
 * The user is not looked at again: the customer has the device by then, and keeps it whoever of its users comes or goes.
 *
 * The owner was told until when it may object. So a take-over goes by a time that doubts a clock that was set forward.
 */
import type { Accounts } from '../accounts/accounts.ts';
import type { Instant } from '../base/clock.ts';
import type { CustomerId, DeviceId, TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { isOwnedBy, type TakeOver } from '../device/state.ts';
import { dueTakeOver } from '../device/take-over.ts';
import type { DeviceAnswer, Devices } from '../fleet/devices.ts';
import { StoreUnavailable } from '../journal/unavailable.ts';
import { reportBug } from '../runtime/supervision.ts';

/** What is looked up of those who asked for take-overs. Rejects with `StoreUnavailable`. */
export interface Newcomers {
  /** Whether the user who asked still exists and may sign in. */
  stands(tenantId: TenantId, takeOver: TakeOver): Promise<boolean>;
  /** Whether there still is such a customer. */
  exists(tenantId: TenantId, customerId: CustomerId): Promise<boolean>;
}

const NO_ANSWER: DeviceAnswer = { type: 'unavailable', reason: 'store' };

/**
 * The devices as the alarms wake them: what is due is done, a take-over too.
 * @param time see `cautiousTime`
 */
export function completingTakeOvers(
  devices: Pick<Devices, 'ask'>,
  newcomers: Newcomers,
  time: () => Instant,
  log: Log,
): Pick<Devices, 'ask'> {
  async function complete(id: DeviceId, tenantId: TenantId, takeOver: TakeOver): Promise<DeviceAnswer> {
    const { customerId, userId, inEpoch } = takeOver;
    const stands = await newcomers.stands(tenantId, takeOver);
    const answer = await devices.ask(id, {
      type: 'CompleteTakeOver',
      customerId,
      inEpoch,
      newcomerStands: stands,
    });
    const isDone =
      stands &&
      answer.type === 'accepted' &&
      answer.state.status === 'provisioned' &&
      isOwnedBy(answer.state, customerId);
    if (!isDone || (await newcomers.exists(tenantId, customerId))) return answer;
    return devices.ask(id, { type: 'UnassignDevice', tenantId, userId, customerId });
  }

  return {
    async ask(id, command) {
      const answer = await devices.ask(id, command);
      if (command.type !== 'ExpireDue' || answer.type !== 'accepted') return answer;
      const { state, at } = answer;
      if (state.status === 'absent') return answer;
      const due = dueTakeOver(state, at);
      if (due === undefined) return answer;
      if (due.dueAt > time()) return NO_ANSWER; // it is woken again and again, every few seconds
      return complete(id, state.tenantId, due).catch((error: unknown) => {
        // One account that cannot be read must not keep all other devices asleep.
        if (!(error instanceof StoreUnavailable)) reportBug(log, 'alarms', error, { stream: id });
        return NO_ANSWER;
      });
    },
  };
}

export function newcomersOf({ users, customers }: Pick<Accounts, 'users' | 'customers'>): Newcomers {
  return {
    async stands(tenantId, { customerId, userId }) {
      const membership = (await users.standing(userId))?.user.membership;
      return (
        membership?.authority === 'CUSTOMER_USER' &&
        membership.tenantId === tenantId &&
        membership.customerId === customerId
      );
    },
    exists: async (tenantId, customerId) => (await customers.find(tenantId, customerId)) !== undefined,
  };
}
