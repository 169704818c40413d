/** The tenant's overview: figures and plots of the last day, open windows, and what happens right now. */

import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
import type { FeedEvent } from '../../feed.ts';
import { daysView, statisticsView, windowsView } from '../../routes/live.ts';
import { auditView } from '../../views/audit.ts';
import { deviceInfoView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Closes } from '../parts/device-parts.tsx';
import { Head, Time } from '../parts/elements.tsx';
import { Plot } from '../parts/plot.tsx';
import { type Column, PlainTable } from '../parts/table.tsx';
import { allReasons, reasonInWords, whatHappened } from '../parts/trail.tsx';
import type { Say } from '../texts/say.ts';
import type { LiveScriptWords } from './live-words.ts';

const HOURS = 24;
/** The event stream ends after this and the browser reconnects, which fails after signing out. */
const STREAM_SECONDS = 300;
/** Open windows that are listed. */
const LISTED = 50;
/** Entries of the trail that the feed begins with. */
const LATELY = 20;
const infosPage = pageView(deviceInfoView);
const auditPage = pageView(auditView);

type Windows = z.output<typeof windowsView>;
type Hour = z.output<typeof statisticsView>['hours'][number];

async function overviewReply(visit: SignedIn): Promise<PageReply> {
  const { api, locale } = visit;
  const { say } = locale;
  const [{ hours, complete, refusals, timeToClaim }, month, windows, devices, lately] = await Promise.all([
    api.get(`/api/tenant/claimStatistics?hours=${HOURS}`, statisticsView),
    api.get('/api/tenant/claimDays', daysView),
    api.get('/api/tenant/claimWindows', windowsView),
    api.get(`/api/tenant/deviceInfos?${toQuery({ pageSize: 1 })}`, infosPage),
    api.get(`/api/audit/logs?${toQuery({ pageSize: LATELY })}`, auditPage),
  ]);
  if (devices.totalElements === 0) return firstSteps(say);
  const sum = (of: (hour: Hour) => number) => hours.reduce((total, hour) => total + of(hour), 0);
  const values = (of: (hour: Hour) => number) => hours.map((hour) => [hour.startTime, of(hour)] as const);
  const figures = [
    [devices.totalElements, 'live.devices'],
    [windows.data.length, 'live.windowsNow'],
    [sum((hour) => hour.claimed), 'live.claimed'],
    [sum((hour) => hour.givenBack), 'live.givenBack'],
    [sum((hour) => hour.refused), 'live.refused'],
  ] as const;
  const { medianMs } = timeToClaim;
  return {
    type: 'page',
    title: say('frame.overview'),
    islands: ['live.js'],
    body: (
      <>
        <Head
          title={say('frame.overview')}
          lead={say(complete ? 'live.lead' : 'live.leadIncomplete', { hours: HOURS })}
        >
          <a class="button" href="/webhooks">
            {say('hooks.title')}
          </a>
        </Head>
        <div class="figures" data-fresh="figures">
          {figures.map(([count, key]) => (
            <div class="card">
              <b>{locale.number(count)}</b> {say(key, { count })}
            </div>
          ))}
          <div class="card">
            <b>{seconds(medianMs, say)}</b> {say('live.timeToClaim')}
          </div>
        </div>
        <div class="grid two" data-fresh="plots">
          <section class="card" aria-labelledby="claims">
            <h2 id="claims">{say('live.claimsPerHour')}</h2>
            <Plot title={say('live.claimsPerHour')} values={values((hour) => hour.claimed)} locale={locale} />
          </section>
          <section class="card" aria-labelledby="windows">
            <h2 id="windows">{say('live.openWindows')}</h2>
            <Plot title={say('live.openAtEnd')} values={values((hour) => hour.windowsOpen)} locale={locale} />
          </section>
        </div>
        <Month month={month} visit={visit} />
        <div data-fresh="refusals">
          {refusals.length === 0 ? null : <Refusals refusals={refusals} visit={visit} />}
        </div>
        <div class="grid two">
          <OpenWindows windows={windows} visit={visit} />
          <Feed lately={lately.data} visit={visit} />
        </div>
      </>
    ),
  };
}

type Day = z.output<typeof daysView>['days'][number];

interface MonthProps {
  readonly month: z.output<typeof daysView>;
  readonly visit: SignedIn;
}

/** A month back, day by day: two plots, and every number in a table. */
function Month({ month: { days, timeToClaim, complete }, visit: { locale } }: MonthProps) {
  const { say } = locale;
  const values = (of: (day: Day) => number) => days.map((day) => [day.startTime, of(day)] as const);
  const sum = (of: (day: Day) => number) => days.reduce((total, day) => total + of(day), 0);
  const number = (title: string, of: (day: Day) => number): Column<Day> => ({
    title,
    kind: 'number',
    cell: (day) => locale.number(of(day)),
  });
  const columns: readonly Column<Day>[] = [
    { title: say('live.day'), kind: 'row', cell: ({ startTime }) => locale.day(startTime) },
    number(say('live.columnOpened'), ({ windowsOpened }) => windowsOpened),
    number(say('live.columnClaimed'), ({ claimed }) => claimed),
    number(say('live.columnGivenBack'), ({ givenBack }) => givenBack),
    number(say('live.columnRefused'), ({ refused }) => refused),
    {
      title: say('live.columnMedian'),
      kind: 'number',
      cell: ({ timeToClaim: { medianMs } }) => seconds(medianMs, say),
    },
    {
      title: say('live.columnP90'),
      kind: 'number',
      cell: ({ timeToClaim: { p90Ms } }) => seconds(p90Ms, say),
    },
  ];
  return (
    <section class="card" aria-labelledby="month" data-fresh="month">
      <h2 id="month">{say('live.month', { days: days.length })}</h2>
      <p>
        {say('live.monthSum', {
          opened: sum(({ windowsOpened }) => windowsOpened),
          claimed: sum(({ claimed }) => claimed),
          givenBack: sum(({ givenBack }) => givenBack),
          refused: sum(({ refused }) => refused),
        })}{' '}
        {complete ? null : `${say('live.uncounted')} `}
        {say('live.utcDays')}
      </p>
      <div class="grid two">
        <div>
          <h3>{say('live.claimsPerDay')}</h3>
          <Plot
            title={say('live.claimsPerDay')}
            values={values(({ claimed }) => claimed)}
            locale={locale}
            by="day"
          />
          {timeToClaim.count === 0 ? null : (
            <p>
              {say('live.monthTimes', {
                median: seconds(timeToClaim.medianMs, say),
                p90: seconds(timeToClaim.p90Ms, say),
              })}
            </p>
          )}
        </div>
        <div>
          <h3>{say('live.refusedPerDay')}</h3>
          <Plot
            title={say('live.refusedPerDay')}
            values={values(({ refused }) => refused)}
            locale={locale}
            by="day"
          />
        </div>
      </div>
      <details>
        <summary>{say('live.dayByDay')}</summary>
        <PlainTable caption={say('live.dayCaption')} columns={columns} rows={[...days].reverse()} />
      </details>
    </section>
  );
}

const seconds = (ms: number | null, say: Say) =>
  ms === null ? '–' : say('live.seconds', { count: Math.round(ms / 1000) });

type Refusal = z.output<typeof statisticsView>['refusals'][number];

function Refusals({ refusals, visit: { locale } }: { refusals: readonly Refusal[]; visit: SignedIn }) {
  const { say } = locale;
  const columns: readonly Column<Refusal>[] = [
    {
      title: say('live.why'),
      kind: 'row',
      cell: ({ reason }) => reasonInWords(reason, say),
    },
    { title: say('live.howOften'), kind: 'number', cell: ({ count }) => locale.number(count) },
  ];
  return (
    <section class="card" aria-labelledby="refusals">
      <h2 id="refusals">{say('live.refusals')}</h2>
      <PlainTable caption={say('live.why')} columns={columns} rows={refusals} />
      <p>
        <a href="/audit?action=CLAIM_REFUSED">{say('live.inTrail')}</a>
      </p>
    </section>
  );
}

/** What a tenant without devices sees in place of zeros. */
const firstSteps = (say: Say): PageReply => ({
  type: 'page',
  title: say('frame.overview'),
  narrow: true,
  body: (
    <>
      <Head title={say('live.welcome')} lead={say('live.steps')} />
      <ol class="steps card">
        <li>
          <h2>{say('live.makeDevices')}</h2>
          <p>{say('live.makeDevicesText')}</p>
          <div class="row">
            <a class="button primary" href="/devices/import">
              {say('live.importFile')}
            </a>
            <a class="button" href="/devices/new">
              {say('live.makeOne')}
            </a>
          </div>
        </li>
        <li>
          <h2>{say('live.addCustomer')}</h2>
          <p>{say('live.addCustomerText')}</p>
          <a class="button" href="/customers">
            {say('frame.customers')}
          </a>
        </li>
        <li>
          <h2>{say('live.printLabels')}</h2>
          <p>{say('live.printLabelsText')}</p>
          <a class="button" href="/devices">
            {say('frame.fleet')}
          </a>
        </li>
      </ol>
    </>
  ),
});

function OpenWindows({ windows: { data, complete }, visit }: { windows: Windows; visit: SignedIn }) {
  const { say } = visit.locale;
  return (
    <section class="card" aria-labelledby="open" data-fresh="open">
      <h2 id="open">{say('live.openNow')}</h2>
      {data.length === 0 ? (
        <p class="muted">{say('live.noneOpen')}</p>
      ) : (
        <ul class="feed">
          {data.slice(0, LISTED).map(({ deviceId, deviceName, closesAt }) => (
            <li>
              <a href={`/devices/${deviceId}`}>
                <bdi>{deviceName}</bdi>
              </a>
              <Closes at={closesAt} visit={visit} />
            </li>
          ))}
        </ul>
      )}
      {data.length > LISTED || !complete ? <p class="muted">{say('live.moreOpen')}</p> : null}
    </section>
  );
}

type Entry = z.output<typeof auditView>;

/** What the feed says of an event: the same as the trail, with which it begins. */
const EVENTS = {
  opened: 'trail.CLAIM_WINDOW_OPENED',
  pending: 'trail.CLAIM_WINDOW_PENDING',
  approved: 'trail.CLAIM_WINDOW_APPROVED',
  closed: 'trail.CLAIM_WINDOW_CLOSED',
  elapsed: 'trail.CLAIM_WINDOW_EXPIRED',
  claimed: 'change.claim',
  refused: 'trail.CLAIM_REFUSED',
  assigned: 'trail.assigned',
  transferred: 'change.transfer',
  'given-back': 'change.giveBack',
  unassigned: 'trail.taken',
  reset: 'trail.reset',
  'take-over-asked': 'trail.TAKE_OVER_ASKED',
  'take-over-ended': 'trail.TAKE_OVER_ENDED',
  'taken-over': 'change.takeOver',
} as const satisfies Readonly<Record<FeedEvent['type'], string>>;

function scriptWords(say: Say): LiveScriptWords {
  const events = Object.entries(EVENTS).map(([type, key]) => [type, say(key)]);
  return {
    watching: say('live.watching'),
    notWatching: say('live.notWatching'),
    reconnecting: say('live.reconnecting'),
    withReason: say('trail.of', { what: '{what}', whatOf: '{whatOf}' }),
    events: Object.fromEntries(events),
    reasons: allReasons(say),
  };
}

/** Begins with what the trail has of all nodes; an island adds what happens. */
function Feed({ lately, visit: { locale, nowMs } }: { lately: readonly Entry[]; visit: SignedIn }) {
  const { say } = locale;
  return (
    <section class="card" aria-labelledby="now">
      <h2 id="now">{say('live.now')}</h2>
      <ol
        class="feed"
        data-feed="/live/events"
        data-words={JSON.stringify(scriptWords(say))}
        aria-live="polite"
        aria-relevant="additions"
      >
        {lately
          .filter(({ entityId }) => entityId.entityType === 'DEVICE')
          .map((entry) => (
            <li>
              <Time at={entry.createdTime} now={nowMs} locale={locale} />
              <a href={`/devices/${entry.entityId.id}`}>
                <bdi>{entry.entityName ?? say('live.aDevice')}</bdi>
              </a>
              {whatHappened(entry, say)}
            </li>
          ))}
      </ol>
      <p class="muted" data-feed-state>
        {say('live.needsScript')}
      </p>
    </section>
  );
}

export const livePages: readonly Page[] = [
  memberPage('/live', TENANT, { get: overviewReply }),
  memberPage('/live/events', TENANT, {
    get: async ({ api }) => ({
      type: 'stream',
      response: await api.open(`/api/events?seconds=${STREAM_SECONDS}`),
    }),
  }),
];
