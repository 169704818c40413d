/** All scenarios, in the order of listing and running. */
import type { Scenario } from '../bench.ts';
import { byTurnsScenario } from './by-turns.ts';
import { coldStartScenario } from './cold-start.ts';
import { confirmScenario } from './confirm.ts';
import { connectStormScenario } from './connect-storm.ts';
import { contendScenario } from './contend.ts';
import { expiryStormScenario } from './expiry-storm.ts';
import { firstWindowsScenario } from './first-windows.ts';
import { floodScenario } from './flood.ts';
import { gatewayBatchScenario } from './gateway-batch.ts';
import { growthScenario } from './growth.ts';
import { idleFleetScenario } from './idle-fleet.ts';
import { initiateCoapScenario } from './initiate-coap.ts';
import { initiateHttpScenario } from './initiate-http.ts';
import { initiateMqttScenario } from './initiate-mqtt.ts';
import { lifecycleScenario } from './lifecycle.ts';
import { provisioningScenario } from './provisioning.ts';
import { reconnectStormScenario } from './reconnect-storm.ts';
import { recoveryScenario } from './recovery.ts';
import { wholeFleetScenario } from './whole-fleet.ts';
import { wrongSecretsScenario } from './wrong-secrets.ts';

export const SCENARIOS: readonly Scenario[] = [
  initiateMqttScenario,
  firstWindowsScenario,
  initiateHttpScenario,
  initiateCoapScenario,
  gatewayBatchScenario,
  confirmScenario,
  contendScenario,
  wrongSecretsScenario,
  lifecycleScenario,
  connectStormScenario,
  reconnectStormScenario,
  provisioningScenario,
  expiryStormScenario,
  floodScenario,
  idleFleetScenario,
  coldStartScenario,
  recoveryScenario,
  growthScenario,
  wholeFleetScenario,
  byTurnsScenario,
];
