/** One device, for its owner: what it is, how it stands, what it has been through, and what can be done with it. */
import type { z } from 'zod';
import { CUSTOMER } from '../../auth/principal.ts';
import { deviceInfoView, deviceView } from '../../views/device.ts';
import { ownershipView } from '../../views/ownership.ts';
import { segment } from '../api.ts';
import { memberPage, type Page, type PageReply, resultAt, type SignedIn } from '../page.ts';
import { type DeviceInfo, NameIt } from '../parts/device-parts.tsx';
import { Back, Head, Note, Time } from '../parts/elements.tsx';
import { CHANGES } from './device-history.tsx';

/** In the query: the owner has claimed it once more. */
export const ALREADY_YOURS = 'already-yours';

const WORDS = {
  already: 'It is yours already. There is nothing left to do.',
  mine: 'My devices',
  state: 'How it stands',
  connected: 'Connected just now',
  away: 'Not connected just now',
  since: 'Yours since',
  type: 'Type',
  label: 'On its label',
  offered: 'You offer it to somebody, until',
  story: 'History',
  always: 'It has always been yours.',
  before: 'Of the time before nothing more is known.',
  statement: 'Statement for a buyer or a repair shop',
  handOver: 'Hand it over',
  handOverWhy:
    'Pass it on to somebody, by e-mail or by a code that you tell. It stays yours until they accept.',
  giveBack: 'Give it back',
  giveBackWhy: 'Give it up without naming anybody: whoever has it in hand can claim it then.',
  reset: 'Factory reset',
  resetWhy:
    'A reset on the device itself clears the device. Whether it also ends that it is yours is up to your supplier; to be sure, hand it over or give it back.',
  doings: 'What you can do with it',
  help: 'Ask for help',
  helpWhy:
    'Send your supplier’s support this link. It opens the device for them alone, and says nothing to anybody else.',
  support: 'To the support',
} as const;

type Ownership = z.output<typeof ownershipView>;

const deviceOf = ({ api, params }: SignedIn): Promise<DeviceInfo> =>
  api.get(`/api/device/info/${segment(params.id ?? '')}`, deviceInfoView);

async function deviceReply(visit: SignedIn): Promise<PageReply> {
  const id = segment(visit.params.id ?? '');
  const [device, ownership] = await Promise.all([
    deviceOf(visit),
    visit.api.get(`/api/device/${id}/ownership`, ownershipView),
  ]);
  return {
    type: 'page',
    title: device.label ?? device.name,
    body: (
      <>
        <Back to="/my/devices" label={WORDS.mine} />
        {visit.query.has(ALREADY_YOURS) ? <Note kind="good">{WORDS.already}</Note> : null}
        <Head title={device.label ?? device.name} lead={device.label === null ? undefined : device.name} />
        <div class="grid two">
          <div>
            <State device={device} visit={visit} />
            <Story id={device.id.id} ownership={ownership} visit={visit} />
          </div>
          <div>
            <Doings device={device} />
            <Help device={device} visit={visit} />
          </div>
        </div>
      </>
    ),
  };
}

interface Props {
  readonly device: DeviceInfo;
  readonly visit: SignedIn;
}

function State({ device, visit: { locale, nowMs } }: Props) {
  return (
    <section class="card" aria-labelledby="state">
      <h2 id="state">{WORDS.state}</h2>
      <dl>
        <dt>{WORDS.label}</dt>
        <dd>{device.name}</dd>
        {device.type === 'default' ? null : (
          <>
            <dt>{WORDS.type}</dt>
            <dd>{device.type}</dd>
          </>
        )}
        {device.ownedSince === null ? null : (
          <>
            <dt>{WORDS.since}</dt>
            <dd>
              <Time at={device.ownedSince} now={nowMs} locale={locale} />
            </dd>
          </>
        )}
      </dl>
      <p>
        <span class={`state ${device.active ? 'owned' : 'free'}`}>
          {device.active ? WORDS.connected : WORDS.away}
        </span>
      </p>
      {device.offer === null ? null : (
        <p class="note">
          {WORDS.offered} <Time at={device.offer.expiresAt} locale={locale} />.
        </p>
      )}
      <NameIt device={device} button="Save" />
    </section>
  );
}

/** The newest first. */
function Story({ id, ownership, visit }: { id: string; ownership: Ownership; visit: SignedIn }) {
  return (
    <section class="card" aria-labelledby="story">
      <h2 id="story">{WORDS.story}</h2>
      {ownership.ownerEpoch === 0 ? <p>{WORDS.always}</p> : null}
      <ol class="story" reversed>
        {ownership.changes.toReversed().map(({ at, by }) => (
          <li>
            <Time at={at} locale={visit.locale} /> {CHANGES[by]}
          </li>
        ))}
      </ol>
      {ownership.complete ? null : <p class="muted">{WORDS.before}</p>}
      <p>
        <a href={`/my/devices/${id}/history`}>{WORDS.statement}</a>
      </p>
    </section>
  );
}

function Doings({ device: { id } }: Pick<Props, 'device'>) {
  const path = `/my/devices/${id.id}`;
  return (
    <section class="card" aria-labelledby="doings">
      <h2 id="doings">{WORDS.doings}</h2>
      <p>{WORDS.handOverWhy}</p>
      <p>
        <a class="button" href={`${path}/hand-over`}>
          {WORDS.handOver}
        </a>
      </p>
      <p>{WORDS.giveBackWhy}</p>
      <p>
        <a class="button" href={`${path}/give-back`}>
          {WORDS.giveBack}
        </a>
      </p>
      <h3>{WORDS.reset}</h3>
      <p>{WORDS.resetWhy}</p>
    </section>
  );
}

/** The page of the device for whoever administers it: nobody else gets in, whoever has the link. */
function Help({ device: { id }, visit: { settings, linkBase } }: Props) {
  return (
    <section class="card" aria-labelledby="help">
      <h2 id="help">{WORDS.help}</h2>
      <p>{WORDS.helpWhy}</p>
      <p>
        <code>{`${linkBase}/devices/${id.id}`}</code>
      </p>
      {settings.support === null ? null : (
        <p>
          <a class="button" href={settings.support}>
            {WORDS.support}
          </a>
        </p>
      )}
    </section>
  );
}

export const myDevicePage: readonly Page[] = [
  memberPage('/my/devices/:id', CUSTOMER, { get: deviceReply }),
  memberPage('/my/devices/:id/name', CUSTOMER, {
    async post(visit) {
      const { id, name, type, additionalInfo } = await deviceOf(visit);
      const label = visit.form.text('label').trim();
      const result = await visit.api.post(
        '/api/device',
        { id, name, type, additionalInfo, label },
        deviceView,
      );
      return resultAt(`/my/devices/${id.id}`, result, 'Saved.');
    },
  }),
];
