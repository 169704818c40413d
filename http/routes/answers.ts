/** What a device's answer to a command becomes. Success differs from route to route; why not is the same for all. */
import type { Device, DeviceState } from '../../actors/device/protocol.ts';
import type { DeviceAnswer } from '../../actors/devices.ts';
import type { DeviceId } from '../../actors/ids.ts';
import { notFound, refusedByDevice, unavailable } from '../errors.ts';
import { empty, json, type Reply } from '../reply.ts';
import { viewDevice } from '../views.ts';

/** The device after a command, or why there is none. */
export function deviceReply(id: DeviceId, answer: DeviceAnswer): Reply {
  return replyTo(answer, (state) => (isThere(state) ? json(viewDevice(id, state)) : notFound));
}

/** Nothing but that it is done, or why not. */
export function doneReply(answer: DeviceAnswer): Reply {
  return replyTo(answer, () => empty);
}

function replyTo(answer: DeviceAnswer, accepted: (state: DeviceState) => Reply): Reply {
  switch (answer.type) {
    case 'accepted':
      return accepted(answer.state);
    case 'refused':
      return refusedByDevice(answer.refusal);
    case 'unavailable':
      return unavailable(answer.reason);
    default:
      return answer satisfies never;
  }
}

function isThere(state: DeviceState): state is Device {
  return state.status === 'provisioned';
}
