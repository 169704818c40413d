/** The audit trail in words: as a table of everything, and as the story of one device. */
import type { Child } from 'hono/jsx';
import type { z } from 'zod';
import { NULL_UUID } from '../../../actors/base/ids.ts';
import { REASONS as CODES } from '../../../actors/claiming/reasons.ts';
import { CLAIM_PUBLIC_KEY, CLAIMING_ALLOWED, CLAIMING_DATA } from '../../../actors/device/state.ts';
import type { auditView } from '../../views/audit.ts';
import type { Locale } from '../locale.ts';
import { everyWhy, whyInWords } from '../refusal-words.ts';
import type { TextKey } from '../texts/catalogues.ts';
import type { Say } from '../texts/say.ts';
import { Time } from './elements.tsx';
import { type Column, Table } from './table.tsx';

type Entry = z.output<typeof auditView>;
/** Texts without places. */
type BareTrailKey = Exclude<
  Extract<TextKey, `trail.${string}`>,
  'trail.of' | 'trail.repeated' | 'trail.byWhom'
>;
type BareKey = Extract<TextKey, `change.${string}`> | BareTrailKey | Decided;
type Decided = 'batch.done.ALLOW_CLAIMING' | 'batch.done.FORBID_CLAIMING';

/** What an entry is of, in words. */
export const actionWords = (action: Entry['actionType'], say: Say): string => say(`trail.${action}`);

/** By what a device got its owner, or lost it; entries of older records have `by` alone. */
const CAME_BY: Readonly<Record<string, BareKey>> = {
  claim: 'change.claim',
  secret: 'change.secret',
  'server-key': 'trail.serverKey',
  proof: 'trail.proof',
  kit: 'change.kit',
  transfer: 'change.transfer',
  'take-over': 'change.takeOver',
};
const WENT_BY: Readonly<Record<string, BareKey>> = {
  reclaim: 'change.giveBack',
  'give-back': 'change.giveBack',
  reset: 'trail.reset',
};

/** Why a take-over did not happen. */
const ENDS: Readonly<Record<string, BareKey>> = {
  objected: 'trail.objected',
  cancelled: 'trail.cancelled',
  withdrawn: 'trail.withdrawn',
  'not-allowed': 'trail.notAllowed',
  'newcomer-gone': 'trail.newcomerGone',
};

/** What was changed, where it is no device and no person. */
const SETTINGS: Readonly<Record<string, BareKey>> = {
  customer: 'trail.customer',
  tenant: 'trail.tenant',
  'device profile': 'trail.profile',
  'default device profile': 'trail.defaultProfile',
  'second factor': 'trail.secondFactor',
};
const KINDS = { kit: 'trail.kit', webhook: 'trail.webhook', provider: 'trail.provider' } as const;

/** What an entry says, in a sentence without a subject: "Claimed with its key". */
export function whatHappened({ actionType, actionData, entityId, actionStatus }: Entry, say: Say): string {
  const { by, evidence, setting } = actionData;
  if (actionType === 'ASSIGNED_TO_CUSTOMER')
    return say(CAME_BY[String(evidence)] ?? CAME_BY[String(by)] ?? 'trail.assigned');
  if (actionType === 'UNASSIGNED_FROM_CUSTOMER')
    return say(WENT_BY[String(evidence)] ?? WENT_BY[String(by)] ?? 'trail.taken');
  if (actionType === 'ADDED' && entityId.entityType === 'DEVICE') return createdBy(actionData, say);
  if (actionType === 'CREDENTIALS_UPDATED' && entityId.entityType === 'USER')
    return userSecret(actionData, say);
  if (actionType === 'LOGIN' && actionStatus === 'FAILURE') return say('trail.notLetIn');
  const done = actionWords(actionType, say);
  // What changes who may claim is said wherever the entry is, also where nothing else of it is shown.
  const { steering } = steeringIn({ actionType, actionData });
  if (steering.length > 0) return steering.map((key) => say(key)).join(say('trail.between'));
  if (typeof setting === 'string') {
    const known = SETTINGS[setting];
    return say('trail.of', { what: done, whatOf: known === undefined ? setting : say(known) });
  }
  for (const kind of ['kit', 'webhook', 'provider'] as const) {
    if (actionData[kind] !== undefined) return say('trail.of', { what: done, whatOf: say(KINDS[kind]) });
  }
  return done;
}

/** What attributes that steer claiming mean to people, when they are saved and when they are deleted. */
const STEERING: Readonly<Record<string, readonly [saved: BareKey, deleted: BareKey]>> = {
  [CLAIMING_DATA]: ['trail.keySet', 'trail.keyRemoved'],
  [CLAIMING_ALLOWED]: ['trail.claimingSet', 'trail.claimingAsServer'],
  [CLAIM_PUBLIC_KEY]: ['trail.publicKeySet', 'trail.publicKeyRemoved'],
};

/** The attributes of an entry: those that steer claiming in words, the others by their names. */
function steeringIn({ actionType, actionData }: Pick<Entry, 'actionType' | 'actionData'>) {
  const { keys, scope } = actionData;
  const all = Array.isArray(keys) ? keys.map(String) : [];
  const steers = (key: string) => scope === 'SERVER_SCOPE' && Object.hasOwn(STEERING, key);
  const saved = actionType === 'ATTRIBUTES_UPDATED';
  const words = (key: string): readonly BareKey[] => {
    // Entries of older records have its name alone.
    const allowed = saved && key === CLAIMING_ALLOWED ? actionData[CLAIMING_ALLOWED] : undefined;
    if (typeof allowed === 'boolean')
      return [allowed ? 'batch.done.ALLOW_CLAIMING' : 'batch.done.FORBID_CLAIMING'];
    return STEERING[key]?.slice(saved ? 0 : 1, saved ? 1 : 2) ?? [];
  };
  return { steering: all.filter(steers).flatMap(words), others: all.filter((key) => !steers(key)) };
}

function createdBy({ viaGateway, importId }: Entry['actionData'], say: Say): string {
  if (viaGateway !== undefined) return say('trail.createdByGateway');
  return say(importId === undefined ? 'trail.ADDED' : 'trail.createdByImport');
}

function userSecret({ apiKey, secondFactor, activationLink }: Entry['actionData'], say: Say): string {
  if (typeof apiKey === 'string') return say(apiKey === 'made' ? 'trail.keyMade' : 'trail.keyRevoked');
  if (activationLink !== undefined) return say('trail.anotherLink');
  return say(secondFactor === undefined ? 'trail.passwordChanged' : 'trail.secondFactorChanged');
}

const ALL_REASONS = new Map(Object.entries(CODES).map(([code, { words }]) => [code, words] as const));

/** Why something was refused, by its code. What no text knows is said in English, and elsewhere by its code. */
export function reasonInWords(code: string, say: Say): string {
  return whyInWords(code, say) ?? (say.language === 'en' ? ALL_REASONS.get(code) : undefined) ?? code;
}

/** The words for every reason that an event may give, by its code: for what is told in the browser. */
export function allReasons(say: Say): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ...everyWhy(say),
    ...Object.entries(ENDS).map(([code, key]) => [code, say(key)] as const),
  ]);
}

/** What else there is to know: why it was refused, how often, what it was about. Nothing: an empty list. */
function whatElse(
  { actionType, actionData, actionFailureDetails, entityId }: Entry,
  { say }: Locale,
): readonly Child[] {
  const { why, repeated, title, name, openedBy, label } = actionData;
  const parts: Child[] = [];
  if (actionFailureDetails !== null) parts.push(reasonInWords(actionFailureDetails, say));
  if (typeof repeated === 'number') parts.push(say('trail.repeated', { count: repeated }));
  if (typeof why === 'string') parts.push(endWords(why, say));
  const { others } = steeringIn({ actionType, actionData });
  if (others.length > 0) parts.push(<code>{others.join(', ')}</code>);
  if (openedBy === 'gateway') parts.push(say('trail.byGateway'));
  // A device is named beside it.
  const names = entityId.entityType === 'USER' ? [title, name, label] : [];
  const named = names.find((text) => typeof text === 'string' && text !== '');
  if (typeof named === 'string') parts.push(named);
  // Each by itself: what people typed may run the other way.
  return parts.flatMap((part, at) => [at === 0 ? null : say('trail.between'), <bdi>{part}</bdi>]);
}

function endWords(why: string, say: Say): string {
  const known = ENDS[why];
  return known === undefined ? why : say(known);
}

interface TrailProps {
  readonly entries: readonly Entry[];
  readonly locale: Locale;
}

/** The newest first, of all devices and people. */
export function Trail({ entries, locale }: TrailProps) {
  const { say } = locale;
  const columns: readonly Column<Entry>[] = [
    {
      title: say('mine.when'),
      kind: 'bare',
      cell: ({ createdTime }) => <Time at={createdTime} locale={locale} exact />,
    },
    { title: say('trail.what'), kind: 'row', cell: (entry) => whatHappened(entry, say) },
    { title: say('trail.subject'), cell: (entry) => <Subject entry={entry} /> },
    {
      title: say('trail.by'),
      kind: 'who',
      cell: ({ entityId, userName }) =>
        entityId.entityType === 'USER' || userName === null ? null : <bdi>{userName}</bdi>,
    },
    { title: say('trail.more'), kind: 'bare', cell: (entry) => <>{whatElse(entry, locale)}</> },
  ];
  return <Table caption={say('trail.caption')} columns={columns} rows={entries} />;
}

function Subject({ entry: { entityId, entityName, actionType } }: { entry: Entry }) {
  if (entityName === null) return null;
  if (entityId.entityType === 'USER' || actionType === 'DELETED') return <bdi>{entityName}</bdi>;
  return (
    <a href={`/devices/${entityId.id}`}>
      <bdi>{entityName}</bdi>
    </a>
  );
}

/** The story of one device, the newest first. */
export function Story({ entries, locale }: TrailProps) {
  const { say } = locale;
  return (
    <ol class="story" reversed>
      {entries.map((entry) => {
        const more = whatElse(entry, locale);
        const { customerId } = entry;
        return (
          <li>
            <Time at={entry.createdTime} locale={locale} exact />
            <b>{whatHappened(entry, say)}</b>
            {entry.userName === null ? null : ` ${say('trail.byWhom', { who: entry.userName })} `}
            {more.length === 0 ? null : <small class="muted">{more}</small>}
            <Whereto
              entry={entry}
              say={say}
              customer={CHANGES_OWNER.has(entry.actionType) ? customerId.id : NULL_UUID}
            />
          </li>
        );
      })}
    </ol>
  );
}

const CHANGES_OWNER: ReadonlySet<Entry['actionType']> = new Set([
  'ASSIGNED_TO_CUSTOMER',
  'UNASSIGNED_FROM_CUSTOMER',
]);

/** To the customer, gateway or import that an entry is about. A deleted one is told by its own page. */
function Whereto({ entry: { actionData }, customer, say }: { entry: Entry; customer: string; say: Say }) {
  const { viaGateway, importId } = actionData;
  return (
    <>
      {customer === NULL_UUID ? null : <a href={`/customers/${customer}`}>{say('trail.toCustomer')}</a>}
      {typeof viaGateway === 'string' ? (
        <a href={`/devices/${viaGateway}`}>{say('trail.toGateway')}</a>
      ) : null}
      {typeof importId === 'string' ? (
        <a href={`/devices/import/${importId}`}>{say('trail.toImport')}</a>
      ) : null}
    </>
  );
}
