/** One device, for its owner: what it is, how it stands, what it has been through, and what can be done with it. */
import type { z } from 'zod';
import { CUSTOMER } from '../../auth/principal.ts';
import { deviceInfoView, deviceView } from '../../views/device.ts';
import { ownershipView } from '../../views/ownership.ts';
import { segment } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn, saidAt } from '../page.ts';
import { type DeviceInfo, NameIt } from '../parts/device-parts.tsx';
import { Back, Head, Note, Time } from '../parts/elements.tsx';
import type { Say } from '../texts/say.ts';
import { changeWords } from './device-history.tsx';

/** In the query: the owner has claimed it once more. */
export const ALREADY_YOURS = 'already-yours';

type Ownership = z.output<typeof ownershipView>;

const deviceOf = ({ api, params }: SignedIn): Promise<DeviceInfo> =>
  api.get(`/api/device/info/${segment(params.id ?? '')}`, deviceInfoView);

async function deviceReply(visit: SignedIn): Promise<PageReply> {
  const { say } = visit.locale;
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
        <Back to="/my/devices" label={say('mine.title')} />
        {visit.query.has(ALREADY_YOURS) ? <Note kind="good">{say('device.already')}</Note> : null}
        <Head title={device.label ?? device.name} lead={device.label === null ? undefined : device.name} />
        <div class="grid two">
          <div>
            <State device={device} visit={visit} />
            <Story id={device.id.id} ownership={ownership} visit={visit} />
          </div>
          <div>
            <Doings device={device} say={say} />
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
  const { say } = locale;
  return (
    <section class="card" aria-labelledby="state">
      <h2 id="state">{say('device.state')}</h2>
      <dl>
        <dt>{say('device.label')}</dt>
        <dd>{device.name}</dd>
        {device.type === 'default' ? null : (
          <>
            <dt>{say('mine.type')}</dt>
            <dd>{device.type}</dd>
          </>
        )}
        {device.ownedSince === null ? null : (
          <>
            <dt>{say('mine.since')}</dt>
            <dd>
              <Time at={device.ownedSince} now={nowMs} locale={locale} />
            </dd>
          </>
        )}
      </dl>
      <p>
        <span class={`state ${device.active ? 'owned' : 'free'}`}>
          {device.active ? say('device.connected') : say('device.away')}
        </span>
      </p>
      {device.offer === null ? null : (
        <p class="note">
          {say.pieces('device.offered', { when: <Time at={device.offer.expiresAt} locale={locale} /> })}
        </p>
      )}
      <NameIt device={device} say={say} />
    </section>
  );
}

/** The newest first. */
function Story({ id, ownership, visit }: { id: string; ownership: Ownership; visit: SignedIn }) {
  const { say } = visit.locale;
  return (
    <section class="card" aria-labelledby="story">
      <h2 id="story">{say('mine.history')}</h2>
      {ownership.ownerEpoch === 0 ? <p>{say('device.always')}</p> : null}
      <ol class="story" reversed>
        {ownership.changes.toReversed().map(({ at, by }) => (
          <li>
            <Time at={at} locale={visit.locale} /> {changeWords(by, say)}
          </li>
        ))}
      </ol>
      {ownership.complete ? null : <p class="muted">{say('device.before')}</p>}
      <p>
        <a href={`/my/devices/${id}/history`}>{say('device.statement')}</a>
      </p>
    </section>
  );
}

function Doings({ device: { id }, say }: Pick<Props, 'device'> & { readonly say: Say }) {
  const path = `/my/devices/${id.id}`;
  return (
    <section class="card" aria-labelledby="doings">
      <h2 id="doings">{say('device.doings')}</h2>
      <p>{say('device.handOverWhy')}</p>
      <p>
        <a class="button" href={`${path}/hand-over`}>
          {say('device.handOver')}
        </a>
      </p>
      <p>{say('device.giveBackWhy')}</p>
      <p>
        <a class="button" href={`${path}/give-back`}>
          {say('mine.giveBackYes')}
        </a>
      </p>
      <h3>{say('device.reset')}</h3>
      <p>{say('device.resetWhy')}</p>
    </section>
  );
}

/** The page of the device for whoever administers it: nobody else gets in, whoever has the link. */
function Help({ device: { id }, visit: { settings, linkBase, locale } }: Props) {
  const { say } = locale;
  return (
    <section class="card" aria-labelledby="help">
      <h2 id="help">{say('device.help')}</h2>
      <p>{say('device.helpWhy')}</p>
      <p>
        <code>{`${linkBase}/devices/${id.id}`}</code>
      </p>
      {settings.support === null ? null : (
        <p>
          <a class="button" href={settings.support}>
            {say('device.support')}
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
      return saidAt(`/my/devices/${id.id}`, result, visit.locale.say('device.saved'), visit.locale);
    },
  }),
];
