/**
 * Take-overs whose instant has come (N2). The device knows when, and who asked; only the accounts know whether that
 * newcomer still exists. So whoever serves the alarms looks there first, and then tells the device.
 *
 * A newcomer that is deleted at this very moment: its deletion first marks it and then clears its devices. Looked at
 * again afterwards, it is marked by now, and the device is given back; or it is not, and its deletion finds the device.
 */
import type { Accounts } from '../accounts/accounts.ts';
import type { DeviceId, TenantId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { isOwnedBy, type TakeOver } from '../device/state.ts';
import { dueTakeOver } from '../device/take-over.ts';
import type { DeviceAnswer, Devices } from '../fleet/devices.ts';
import { StoreUnavailable } from '../journal/unavailable.ts';
import { reportBug } from '../runtime/supervision.ts';

/** Whether who asked for a take-over still exists and may sign in. Rejects with `StoreUnavailable`. */
export type NewcomerStands = (tenantId: TenantId, takeOver: TakeOver) => Promise<boolean>;

const NO_ANSWER: DeviceAnswer = { type: 'unavailable', reason: 'store' };

/** The devices as the alarms wake them: what is due is done, a take-over too. */
export function completingTakeOvers(
  devices: Pick<Devices, 'ask'>,
  newcomerStands: NewcomerStands,
  log: Log,
): Pick<Devices, 'ask'> {
  async function complete(id: DeviceId, tenantId: TenantId, takeOver: TakeOver): Promise<DeviceAnswer> {
    const { customerId, userId, inEpoch } = takeOver;
    const stands = await newcomerStands(tenantId, takeOver);
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
    if (!isDone || (await newcomerStands(tenantId, takeOver))) return answer;
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
      return complete(id, state.tenantId, due).catch((error: unknown) => {
        // One account that cannot be read must not keep all other devices asleep.
        if (!(error instanceof StoreUnavailable)) reportBug(log, 'alarms', error, { stream: id });
        return NO_ANSWER;
      });
    },
  };
}

/** The user who asked is still one of the customer's, and may sign in. */
export function standsIn({ users }: Pick<Accounts, 'users'>): NewcomerStands {
  return async (tenantId, { customerId, userId }) => {
    const membership = (await users.standing(userId))?.user.membership;
    return (
      membership?.authority === 'CUSTOMER_USER' &&
      membership.tenantId === tenantId &&
      membership.customerId === customerId
    );
  };
}
