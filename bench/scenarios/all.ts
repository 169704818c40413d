/** All scenarios, in the order in which they are listed and run. */
import type { Scenario } from '../bench.ts';
import { confirmScenario } from './confirm.ts';
import { initiateMqttScenario } from './initiate-mqtt.ts';

export const SCENARIOS: readonly Scenario[] = [initiateMqttScenario, confirmScenario];
