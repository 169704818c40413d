/** The driver of each protocol. */
import { unreachable } from '../../actors/base/unreachable.ts';
import type { Job, Step } from '../contract.ts';
import { CoapDriver } from './coap.ts';
import { ConnectDriver } from './connect.ts';
import type { Answered, Driver } from './driver.ts';
import { HttpDriver } from './http.ts';
import { MqttDriver } from './mqtt.ts';

/** @param tokenOf the token that a device has by now, where devices learn them */
export function driverOf(
  step: Step,
  job: Job,
  answered: Answered,
  tokenOf: (n: number) => string | undefined,
): Driver {
  switch (step.type) {
    case 'mqtt':
      return new MqttDriver(step, job, answered, tokenOf);
    case 'connect':
      return new ConnectDriver(step, answered);
    case 'http':
      return new HttpDriver(step, job, answered);
    case 'coap':
      return new CoapDriver(step, job, answered);
    default:
      return unreachable(step);
  }
}
