/**
 * What gateways ask for, as an actor: one message of a gateway after the other, different gateways side by side. So a
 * gateway has a bounded number of questions under way, and of two claims for one device the later one stands. That holds
 * across its connections too: what an earlier one asked for and is not done comes first.
 *
 * A gateway that comes back again and again may send more, while what it sent before still waits. So what waits is bounded
 * for the gateway and not for its connection; beyond that nothing is taken, and the gateway sends it again. What waits of all
 * gateways is bounded in bytes, too: a tenant may have thousands of them. Beyond that each still has as much as one message may take.
 */
import type { DeviceId } from '../../../actors/base/ids.ts';
import { createHeld } from '../../../actors/limits/held.ts';
import { type Actor, spawnActor } from '../../../actors/runtime/actor.ts';
import type { Parent } from '../../../actors/runtime/nact.ts';

/** What is to be done for one publication of a gateway. */
export interface GatewayWork {
  readonly gateway: DeviceId;
  /** Of the message, which is kept until it is done. */
  readonly bytes: number;
  /** Resolves when the publication is settled. */
  perform(): Promise<void>;
  /** `perform` has met a bug. */
  fail(error: unknown): void;
}

export interface GatewayWorkLimits {
  /** Messages of one gateway that are carried out or wait. */
  readonly messagesMax: number;
  /** Of one message. */
  readonly messageBytesMax: number;
  /** Of all messages of all gateways. */
  readonly bytesMax?: number;
}

const BYTES_MAX = 256 * 1024 * 1024;

export function spawnGatewayWork(
  parent: Parent,
  limits: GatewayWorkLimits,
): Pick<Actor<GatewayWork>, 'tell'> {
  const { messagesMax, messageBytesMax, bytesMax = BYTES_MAX } = limits;
  const held = createHeld<DeviceId>();
  const actor = spawnActor<GatewayWork>(parent, 'gateways', {
    keyOf: ({ gateway }) => gateway,
    waitingMax: messagesMax - 1,
    receive: (work) => work.perform().finally(() => held.add(work.gateway, -work.bytes)),
    onCrash(error, work) {
      work.fail(error); // the session that sent it ends, and says so in the log
      return 'resume';
    },
  });

  return {
    tell(work) {
      const { gateway, bytes } = work;
      if (held.all + bytes > bytesMax && held.by(gateway) + bytes > messageBytesMax) return false;
      held.add(gateway, bytes); // first: it may be carried out at once
      const isTaken = actor.tell(work);
      if (!isTaken) held.add(gateway, -bytes);
      return isTaken;
    },
  };
}
