/**
 * What gateways ask for, as an actor: one message of a gateway after the other, different gateways side by side. So a
 * gateway has a bounded number of questions under way, and of two claims for one device the later one stands. That holds
 * across its connections too: what an earlier one asked for and is not done comes first.
 *
 * A gateway that comes back again and again may send more, while what it sent before still waits. So what waits is bounded
 * for the gateway and not for its connection; beyond that nothing is taken, and the gateway sends it again.
 */
import type { DeviceId } from '../../../actors/base/ids.ts';
import { type Actor, spawnActor } from '../../../actors/runtime/actor.ts';
import type { Parent } from '../../../actors/runtime/nact.ts';

/** What is to be done for one publication of a gateway. */
export interface GatewayWork {
  readonly gateway: DeviceId;
  /** Resolves when the publication is settled. */
  perform(): Promise<void>;
  /** `perform` has met a bug. */
  fail(error: unknown): void;
}

/** @param messagesMax messages of one gateway that are carried out or wait */
export function spawnGatewayWork(parent: Parent, messagesMax: number): Actor<GatewayWork> {
  return spawnActor<GatewayWork>(parent, 'gateways', {
    keyOf: ({ gateway }) => gateway,
    waitingMax: messagesMax - 1,
    receive: (work) => work.perform(),
    onCrash(error, work) {
      work.fail(error); // the session that sent it ends, and says so in the log
      return 'resume';
    },
  });
}
