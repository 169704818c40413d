/**
 * The codes with which the server refuses: reason codes of version 5, return codes of 3.1 and 3.1.1.
 *
 * Clauses are cited as [MQTT-…] for version 3.1.1 and as [MQTT5-…] for version 5, here and in all files beside this.
 */

export type ProtocolVersion = 3 | 4 | 5;

/** Reason codes of version 5 (section 2.4) that this server uses. */
export const Reason = {
  success: 0x00,
  noSubscriptionExisted: 0x11,
  unspecifiedError: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  implementationSpecific: 0x83,
  unsupportedProtocolVersion: 0x84,
  clientIdentifierNotValid: 0x85,
  badUserNameOrPassword: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverShuttingDown: 0x8b,
  badAuthenticationMethod: 0x8c,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdentifierNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  payloadFormatInvalid: 0x99,
  sharedSubscriptionsNotSupported: 0x9e,
  connectionRateExceeded: 0x9f,
  subscriptionIdentifiersNotSupported: 0xa1,
} as const;

export type ReasonCode = (typeof Reason)[keyof typeof Reason];

/** Why a CONNECT is refused: the return code of 3.1 and 3.1.1 (table 3.1) beside the reason code of version 5. */
export const ConnectRefusal = {
  unacceptableProtocolVersion: { returnCode: 1, reasonCode: Reason.unsupportedProtocolVersion },
  identifierRejected: { returnCode: 2, reasonCode: Reason.clientIdentifierNotValid },
  serverUnavailable: { returnCode: 3, reasonCode: Reason.serverUnavailable },
  wrongCredentials: { returnCode: 5, reasonCode: Reason.badUserNameOrPassword },
  noCredentialsAtAll: { returnCode: 5, reasonCode: Reason.notAuthorized },
  certificateNotAccepted: { returnCode: 5, reasonCode: Reason.notAuthorized },
  /** The address has to wait: a client understands 3 so, and comes back later (facts 2.2). */
  tooManyWrong: { returnCode: 3, reasonCode: Reason.connectionRateExceeded },
  /** Version 5 only, like the next. */
  protocolError: { returnCode: 5, reasonCode: Reason.protocolError },
  badAuthenticationMethod: { returnCode: 5, reasonCode: Reason.badAuthenticationMethod },
} as const;

export type ConnectRefusal = keyof typeof ConnectRefusal;

/** Failure in SUBACK for 3.1.1; version 5 has several codes. 3.1 has none, and gets 0x80 too, as from ThingsBoard. */
export const SUBACK_FAILURE = 0x80;
