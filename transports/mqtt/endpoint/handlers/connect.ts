/**
 * CONNECT: which device is it, and what may each side send? A list of steps; the first that refuses ends it.
 *
 * Deviations from ThingsBoard: Session Present is always 0, because no session outlives its connection [MQTT-3.2.2-3]
 * (ThingsBoard says 1 to clients that ask for a kept session, and has none); no DISCONNECT follows a CONNACK that refuses
 * [MQTT5-3.14.0-1]. A publication that is to be retained is taken like any: nobody could subscribe to what it retains.
 */
import { randomUUID } from 'node:crypto';
import { unreachable } from '../../../../actors/base/unreachable.ts';
import { ifUnavailable } from '../../../../actors/journal/unavailable.ts';
import type { ConnectPacket } from '../packets.ts';
import { ConnectRefusal, Reason } from '../reasons.ts';
import type { Session } from '../session.ts';
import { packetBytesMax } from '../settings.ts';

type Refused = ConnectRefusal | undefined;
type Step = (session: Session, packet: ConnectPacket) => Refused | Promise<Refused>;

const steps: readonly Step[] = [
  checkClientIdentifier,
  checkAuthenticationMethod,
  noteClientLimits,
  authenticate,
  askProfile,
  setKeepAlive,
  takeOver,
  welcome,
];

export async function connect(session: Session, packet: ConnectPacket): Promise<void> {
  session.version = packet.protocolVersion;
  for (const step of steps) {
    const refused = await step(session, packet);
    if (session.over) return; // closed while the step waited
    if (refused !== undefined) {
      refuse(session, refused);
      return;
    }
  }
}

/** Says no in CONNACK and closes [MQTT-3.2.2-5] [MQTT5-3.2.2-7]. */
export function refuse(session: Session, refused: ConnectRefusal): void {
  const { returnCode, reasonCode } = ConnectRefusal[refused];
  session.send({ cmd: 'connack', sessionPresent: false, returnCode, reasonCode }); // [MQTT-3.2.2-4]
  session.context.log.debug({ peer: session.connection.peer, refused }, 'mqtt connection refused');
  session.close();
}

const CLIENT_IDENTIFIER_CHARS_MAX_3_1 = 23;

function checkClientIdentifier(_session: Session, packet: ConnectPacket): Refused {
  const { protocolVersion, clientId, clean } = packet;
  if (protocolVersion === 3) {
    const sound = clientId.length >= 1 && clientId.length <= CLIENT_IDENTIFIER_CHARS_MAX_3_1; // 3.1, section 3.1
    return sound ? undefined : 'identifierRejected';
  }
  return protocolVersion === 4 && clientId === '' && !clean ? 'identifierRejected' : undefined; // [MQTT-3.1.3-8]
}

/** Enhanced authentication (version 5, section 4.12) is not offered. */
function checkAuthenticationMethod(_session: Session, { properties }: ConnectPacket): Refused {
  return properties?.authenticationMethod === undefined ? undefined : 'badAuthenticationMethod';
}

/** The limits of the client (version 5, section 3.1.2.11). Zero, or one given twice, is a protocol error. */
function noteClientLimits(session: Session, { properties }: ConnectPacket): Refused {
  if (properties === undefined) return undefined;
  const { packetBytesMax, receiveMaximum } = session.limits;
  const limits = {
    packetBytesMax: properties.maximumPacketSize ?? packetBytesMax,
    receiveMaximum: properties.receiveMaximum ?? receiveMaximum,
    wantsProblemInformation: properties.requestProblemInformation !== false,
  };
  if (!(limits.packetBytesMax > 0 && limits.receiveMaximum > 0)) return 'protocolError';
  session.limits = limits;
  return undefined;
}

/** A certificate, or an access token as user name, whatever the password, or MQTT_BASIC credentials (facts 2.1). */
async function authenticate(session: Session, packet: ConnectPacket): Promise<Refused> {
  const { claiming, guard, log } = session.context;
  const { certificate, address } = session.connection;
  // A client with a certificate is authenticated by it alone (facts 2.1); its other credentials are ignored.
  if (certificate !== undefined && certificate.type !== 'der') return 'certificateNotAccepted';
  const find = () =>
    certificate === undefined
      ? claiming.authenticateMqtt({
          clientId: packet.clientId,
          userName: packet.username,
          password: packet.password?.toString('utf8'),
        })
      : claiming.authenticateCertificate(certificate.der);
  const admission = await guard.admit(address, find).catch(
    ifUnavailable((error) => {
      log.warn({ err: error }, 'mqtt: a device could not be looked up');
      return { type: 'unavailable' } as const;
    }),
  );
  switch (admission.type) {
    case 'admitted':
      session.device = admission.device;
      session.superseded = admission.device.superseded === true;
      return undefined;
    case 'blocked':
      return 'tooManyWrong';
    case 'unknown':
      return certificate === undefined ? whatWasWrong(packet) : 'certificateNotAccepted';
    case 'unavailable':
      return 'serverUnavailable';
    default:
      return unreachable(admission);
  }
}

/** Facts 2.2. */
function whatWasWrong({ username, password, clientId }: ConnectPacket): ConnectRefusal {
  if (username || password?.length) return 'wrongCredentials';
  return clientId === '' ? 'noCredentialsAtAll' : 'identifierRejected';
}

/** How the device speaks; refused where its profile is for another transport (facts 1.6, 2.2). */
async function askProfile(session: Session): Promise<Refused> {
  const { device, context } = session;
  if (device === undefined) return undefined;
  const payloadRules = await context.profiles.payloadRules(device, 'MQTT').catch(
    ifUnavailable((error) => {
      context.log.warn({ err: error }, 'mqtt: a device profile could not be looked up');
      return undefined;
    }),
  );
  if (payloadRules === undefined) return 'serverUnavailable';
  session.payloadRules = payloadRules;
  return undefined;
}

const KEEP_ALIVE_GRACE = 1.5;

/** One and a half times the keep-alive [MQTT-3.1.2-24]; without one, the endpoint's own limit. */
function setKeepAlive(session: Session, { keepalive = 0 }: ConnectPacket): Refused {
  if (keepalive > 0) session.silenceMaxMs = keepalive * 1000 * KEEP_ALIVE_GRACE;
  else if (session.version === 5) session.silenceMaxMs = serverKeepAlive(session) * 1000 * KEEP_ALIVE_GRACE;
  else session.silenceMaxMs = session.context.settings.inactivityTimeoutMs;
  return undefined;
}

/** What a version 5 client without a keep-alive is told to use, in seconds [MQTT5-3.2.2-21]. */
function serverKeepAlive(session: Session): number {
  return Math.min(Math.ceil(session.context.settings.inactivityTimeoutMs / 1000), 0xffff);
}

function takeOver(session: Session): Refused {
  if (session.device !== undefined) session.context.table.enter(session.device.id, session);
  return undefined;
}

function welcome(session: Session, packet: ConnectPacket): Refused {
  session.status = 'connected';
  const properties = session.version === 5 ? terms(session, packet) : undefined;
  const sent = session.send({
    cmd: 'connack',
    sessionPresent: false,
    returnCode: 0,
    reasonCode: Reason.success,
    ...(properties === undefined ? {} : { properties }),
  });
  if (!sent) session.close(); // a client that cannot take a CONNACK cannot be served
  session.context.log.debug(
    { peer: session.connection.peer, deviceId: session.device?.id, version: session.version },
    'mqtt session opened',
  );
  return undefined;
}

/** The limits of the server (version 5, section 3.2.2.3). Shared subscriptions are not offered. */
function terms(session: Session, { clientId, keepalive, properties }: ConnectPacket) {
  const { settings } = session.context;
  return {
    ...(properties?.sessionExpiryInterval ? { sessionExpiryInterval: 0 } : {}),
    receiveMaximum: settings.inFlightMax,
    maximumPacketSize: packetBytesMax(settings),
    ...(clientId === '' ? { assignedClientIdentifier: randomUUID() } : {}), // [MQTT5-3.2.2-16]
    topicAliasMaximum: settings.topicAliasMax,
    wildcardSubscriptionAvailable: true, // those with a `+` that devices use
    subscriptionIdentifiersAvailable: false,
    sharedSubscriptionAvailable: false,
    ...(keepalive === 0 ? { serverKeepAlive: serverKeepAlive(session) } : {}),
  };
}
