/** All the facts, and how many each section's table has. */
import { EMPTY_PAYLOADS, WHAT_DEVICES_SEE, WRONG_TYPES } from './facts-claim.ts';
import { CONNECTS } from './facts-connect.ts';
import { GATEWAYS } from './facts-gateway.ts';
import { CONFIRMS } from './facts-rest.ts';
import type { Row } from './model.ts';

export const FACTS: readonly Row[] = [
  ...EMPTY_PAYLOADS,
  ...WRONG_TYPES,
  ...WHAT_DEVICES_SEE,
  ...GATEWAYS,
  ...CONNECTS,
  ...CONFIRMS,
];

/** Rows of the tables in the sheet of facts: every one of them must be here. */
export const ROWS_IN_SECTION: Readonly<Record<string, number>> = {
  '1.3': 8,
  '1.4': 14,
  '1.6': 10,
  '1.7': 8,
  '2.2': 6,
  '3.2': 19,
};
