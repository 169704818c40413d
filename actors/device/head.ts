/**
 * A device's head, in two parts. What a claim window or a change of owner changes is the *standing*, about a hundred bytes
 * that are written with every event. The rest, its *details* (name, credentials, attributes …), is written only with an
 * event that changed it. A store writes both parts in one step, so a reader never finds parts that do not belong together.
 *
 * Standing, as most devices have it, is one line in which the first character is the version:
 *
 *   U+0001 <owner epoch or nothing>;<owner or nothing>;<window or nothing>
 *   U+0002 <the same>;<recent handovers>
 *   owner     <how: c claim, a assignment, t transfer, o take-over><since>,<customer>[,<evidence or nothing>[,<transfer>]]
 *   window    <opened by: d device, g gateway><opened at>,<closes at>,<digest of the secret>[,<arrived at>]
 *   handovers <at> <evidence>[,<at> <evidence>]…
 *
 * Numbers are decimal, instants in ms. A standing that has more (a server key, a gateway's grant, a trace) is JSON,
 * `{"v":2,…}`, or `{"v":3,…}` with recent handovers. The details are JSON, `{"v":2,…}`. A state in one piece, `{"v":1,"status":…}`, is what
 * formats 1 to 3 of the stores have: it is read for ever, and becomes two parts with the next event.
 */
import type { Instant } from '../base/clock.ts';
import type { CustomerId, TransferId } from '../base/ids.ts';
import type { SecretDigest } from '../base/secret.ts';
import { EVIDENCE, type Evidence, type Handover } from './messages.ts';
import type { ClaimWindow, Device, Owner } from './state.ts';

/** What is written with every event. */
export type Standing = Pick<Device, 'owner' | 'ownerEpoch' | 'window' | 'serverKey' | 'recentHandovers'>;

/** What is written with the events that change it. */
export type Details = Omit<Device, 'status' | keyof Standing>;

/** In front of a standing in one line: without recent handovers, and with them. */
export const LINE_MARK = '\u0001';
export const HANDOVERS_MARK = '\u0002';

/** Whether a standing is one line. */
export function isLine(standing: string): boolean {
  return standing.startsWith(LINE_MARK) || standing.startsWith(HANDOVERS_MARK);
}

/** `All` while its fields are just these: what knows nothing of a new one would lose it, and does not compile. */
type Just<All, Fields extends keyof All> = Exclude<keyof All, Fields> extends never ? All : never;

type WholeDetails = Just<
  Details,
  | 'attributes'
  | 'credentials'
  | 'nextCredentials'
  | 'credentialsRead'
  | 'credentialsEpoch'
  | 'quarantined'
  | 'pendingWindow'
  | 'offer'
  | 'takeOver'
  | 'challenges'
  | 'handovers'
  | 'tenantAttributes'
  | 'tenantDescription'
  | 'lastResetAt'
  | 'viaGateway'
  | 'name'
  | 'type'
  | 'label'
  | 'additionalInfo'
  | 'profileId'
  | 'tenantId'
  | 'createdAt'
>;

/** Whether both have the same details: `evolve` leaves alone what an event does not change, so the same values are there. */
export function haveSameDetails(one: WholeDetails, other: WholeDetails): boolean {
  return (
    one.attributes === other.attributes &&
    one.credentials === other.credentials &&
    one.nextCredentials === other.nextCredentials &&
    one.credentialsRead === other.credentialsRead &&
    one.credentialsEpoch === other.credentialsEpoch &&
    one.quarantined === other.quarantined &&
    one.pendingWindow === other.pendingWindow &&
    one.offer === other.offer &&
    one.takeOver === other.takeOver &&
    one.challenges === other.challenges &&
    one.handovers === other.handovers &&
    one.tenantAttributes === other.tenantAttributes &&
    one.tenantDescription === other.tenantDescription &&
    one.lastResetAt === other.lastResetAt &&
    one.viaGateway === other.viaGateway &&
    one.name === other.name &&
    one.type === other.type &&
    one.label === other.label &&
    one.additionalInfo === other.additionalInfo &&
    one.profileId === other.profileId &&
    one.tenantId === other.tenantId &&
    one.createdAt === other.createdAt
  );
}

export function detailsOf(device: Device): Details {
  const {
    status: _status,
    owner: _owner,
    ownerEpoch: _ownerEpoch,
    window: _window,
    serverKey: _serverKey,
    recentHandovers: _recentHandovers,
    ...details
  } = device;
  return details;
}

/** The standing in one line, or undefined where that cannot say all of it. */
export function standingLine(standing: Standing): string | undefined {
  const { owner, ownerEpoch, window, serverKey, recentHandovers } = standing;
  if (serverKey !== null || (ownerEpoch !== undefined && !Number.isSafeInteger(ownerEpoch))) return undefined;
  const ownerText = owner === null ? '' : ownerLine(owner);
  const windowText = window === null ? '' : windowLine(window);
  if (ownerText === undefined || windowText === undefined) return undefined;
  const line = `${ownerEpoch ?? ''};${ownerText};${windowText}`;
  if (recentHandovers === undefined) return LINE_MARK + line;
  const handovers = handoversLine(recentHandovers);
  return handovers === undefined ? undefined : `${HANDOVERS_MARK}${line};${handovers}`;
}

/** Reads what `standingLine` wrote; undefined for what it cannot have written. */
export function parseStandingLine(line: string): Standing | undefined {
  const [epoch = '', ownerText, windowText, ...more] = line.slice(LINE_MARK.length).split(';');
  if (ownerText === undefined || windowText === undefined) return undefined;
  const owner = ownerText === '' ? null : parseOwner(ownerText);
  const window = windowText === '' ? null : parseWindow(windowText);
  const ownerEpoch = epoch === '' ? undefined : wholeNumber(epoch);
  if (owner === undefined || window === undefined || (epoch !== '' && ownerEpoch === undefined))
    return undefined;
  const standing = { owner, window, serverKey: null };
  const inEpoch = ownerEpoch === undefined ? standing : { ...standing, ownerEpoch };
  const [handovers, ...beyond] = more;
  if (!line.startsWith(HANDOVERS_MARK)) return handovers === undefined ? inEpoch : undefined;
  const recentHandovers = handovers === undefined ? undefined : parseHandovers(handovers);
  if (recentHandovers === undefined || beyond.length > 0) return undefined;
  return { ...inEpoch, recentHandovers };
}

/** The line of a device without an owner behind its mark, with the end of its window, and with its recent handovers. */
const OWNERLESS = /^.\d{0,16};;(?:[dg]\d{1,16},(\d{1,16}),[\w-]+(?:,\d{1,16})?)?(;[\w ,-]+)?$/;

/** When the window of a device that nobody owns closes, by its line alone; 0: it has none. Undefined: another standing. */
export function closesAtIn(line: string): Instant | undefined {
  const found = isLine(line) ? OWNERLESS.exec(line) : null;
  if (found === null || line.startsWith(LINE_MARK) !== (found[2] === undefined)) return undefined;
  return found[1] === undefined ? 0 : wholeNumber(found[1]);
}

const HOW = { claim: 'c', assignment: 'a', transfer: 't', 'take-over': 'o' } as const satisfies Readonly<
  Record<Owner['by'], string>
>;
const BY: { readonly [letter: string]: Owner['by'] } = {
  c: 'claim',
  a: 'assignment',
  t: 'transfer',
  o: 'take-over',
};

/** Texts that can stand between commas and semicolons: ids and digests are such. */
export const PLAIN = /^[\w-]+$/;

type WholeOwner = Just<Owner, 'by' | 'since' | 'customerId' | 'evidence' | 'transferId'>;

function ownerLine({ by, since, customerId, evidence, transferId }: WholeOwner): string | undefined {
  if (!isInstant(since) || !PLAIN.test(customerId)) return undefined;
  const front = `${HOW[by]}${since},${customerId}`;
  if (transferId !== undefined) {
    return PLAIN.test(transferId) ? `${front},${evidence ?? ''},${transferId}` : undefined;
  }
  return evidence === undefined ? front : `${front},${evidence}`;
}

function parseOwner(text: string): Owner | undefined {
  const [at = '', customerId = '', evidence = '', transferId, ...more] = text.slice(1).split(',');
  const by = BY[text.charAt(0)];
  const since = wholeNumber(at);
  const known = evidence === '' ? undefined : evidenceIn(evidence);
  const isWhole = more.length === 0 && (evidence === '' || known !== undefined);
  if (by === undefined || since === undefined || !PLAIN.test(customerId) || !isWhole) return undefined;
  return {
    customerId: customerId as CustomerId,
    since,
    by,
    ...(known === undefined ? {} : { evidence: known }),
    ...(transferId === undefined ? {} : { transferId: transferId as TransferId }),
  };
}

function evidenceIn(text: string): Evidence | undefined {
  return EVIDENCE.find((one) => one === text);
}

type WholeWindow = Just<
  ClaimWindow,
  'openedBy' | 'openedAt' | 'closesAt' | 'secretDigest' | 'arrivedAt' | 'gateway' | 'trace'
>;

function windowLine(window: WholeWindow): string | undefined {
  const { openedBy, openedAt, closesAt, secretDigest, arrivedAt, gateway, trace } = window;
  const isLine = gateway === undefined && trace === undefined && isInstant(openedAt) && isInstant(closesAt);
  if (!isLine || !PLAIN.test(secretDigest)) return undefined;
  const line = `${openedBy === 'device' ? 'd' : 'g'}${openedAt},${closesAt},${secretDigest}`;
  if (arrivedAt === undefined) return line;
  return isInstant(arrivedAt) ? `${line},${arrivedAt}` : undefined;
}

function parseWindow(text: string): ClaimWindow | undefined {
  const [opened = '', closes = '', digest = '', arrived, ...more] = text.slice(1).split(',');
  const letter = text.charAt(0);
  const [openedAt, closesAt] = [wholeNumber(opened), wholeNumber(closes)];
  const arrivedAt = arrived === undefined ? undefined : wholeNumber(arrived);
  if (openedAt === undefined || closesAt === undefined || !PLAIN.test(digest)) return undefined;
  if ((letter !== 'd' && letter !== 'g') || more.length > 0) return undefined;
  if (arrived !== undefined && arrivedAt === undefined) return undefined;
  const openedBy = letter === 'd' ? 'device' : 'gateway';
  const window = { secretDigest: digest as SecretDigest, openedAt, closesAt, openedBy } as const;
  return arrivedAt === undefined ? window : { ...window, arrivedAt };
}

function handoversLine(handovers: readonly Handover[]): string | undefined {
  let line = '';
  for (const [at, evidence] of handovers) {
    if (!isInstant(at)) return undefined;
    line += `${line === '' ? '' : ','}${at} ${evidence}`;
  }
  return line;
}

function parseHandovers(text: string): readonly Handover[] | undefined {
  const handovers: Handover[] = [];
  for (const one of text.split(',')) {
    const [at = '', word = '', ...more] = one.split(' ');
    const [instant, evidence] = [wholeNumber(at), evidenceIn(word)];
    if (instant === undefined || evidence === undefined || more.length > 0) return undefined;
    handovers.push([instant, evidence]);
  }
  return handovers;
}

/** Whether digits alone say it. */
function isInstant(at: Instant): boolean {
  return Number.isSafeInteger(at) && at >= 0;
}

const DIGITS = /^\d{1,16}$/;

function wholeNumber(text: string): number | undefined {
  const number = DIGITS.test(text) ? Number(text) : undefined;
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
}
