/** The tenant's overview: figures and plots of the last day, open windows, and what happens right now. */

import type { z } from 'zod';
import { TENANT } from '../../auth/principal.ts';
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
import { reasonInWords, whatHappened } from '../parts/trail.tsx';

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
  const [
    { hours, complete, refusals, timeToClaim },
    { days, complete: isCounted },
    windows,
    devices,
    lately,
  ] = await Promise.all([
    api.get(`/api/tenant/claimStatistics?hours=${HOURS}`, statisticsView),
    api.get('/api/tenant/claimDays', daysView),
    api.get('/api/tenant/claimWindows', windowsView),
    api.get(`/api/tenant/deviceInfos?${toQuery({ pageSize: 1 })}`, infosPage),
    api.get(`/api/audit/logs?${toQuery({ pageSize: LATELY })}`, auditPage),
  ]);
  if (devices.totalElements === 0) return firstSteps;
  const sum = (of: (hour: Hour) => number) => hours.reduce((total, hour) => total + of(hour), 0);
  const values = (of: (hour: Hour) => number) => hours.map((hour) => [hour.startTime, of(hour)] as const);
  const figures = [
    [devices.totalElements, devices.totalElements === 1 ? 'device in all' : 'devices in all'],
    [windows.data.length, windows.data.length === 1 ? 'window open now' : 'windows open now'],
    [sum((hour) => hour.claimed), 'claimed'],
    [sum((hour) => hour.givenBack), 'given back'],
    [sum((hour) => hour.refused), 'claims refused'],
  ] as const;
  const { medianMs } = timeToClaim;
  const incomplete = complete ? '' : '; the oldest hours are incomplete, because so much happened';
  return {
    type: 'page',
    title: 'Overview',
    islands: ['live.js'],
    body: (
      <>
        <Head title="Overview" lead={`The last ${HOURS} hours${incomplete}.`}>
          <a class="button" href="/webhooks">
            Webhooks
          </a>
        </Head>
        <div class="figures" data-fresh="figures">
          {figures.map(([value, text]) => (
            <div class="card">
              <b>{locale.number(value)}</b> {text}
            </div>
          ))}
          <div class="card">
            <b>{medianMs === null ? '–' : `${locale.number(Math.round(medianMs / 1000))} s`}</b> from a window
            to its claim, in the middle
          </div>
        </div>
        <div class="grid two" data-fresh="plots">
          <section class="card" aria-labelledby="claims">
            <h2 id="claims">Claims per hour</h2>
            <Plot title="Claims per hour" values={values((hour) => hour.claimed)} locale={locale} />
          </section>
          <section class="card" aria-labelledby="windows">
            <h2 id="windows">Open windows</h2>
            <Plot
              title="Open windows at the end of the hour"
              values={values((hour) => hour.windowsOpen)}
              locale={locale}
            />
          </section>
        </div>
        <Month days={days} complete={isCounted} visit={visit} />
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
  readonly days: readonly Day[];
  readonly complete: boolean;
  readonly visit: SignedIn;
}

/** A month back, day by day: two plots, and every number in a table. */
function Month({ days, complete, visit: { locale } }: MonthProps) {
  const values = (of: (day: Day) => number) => days.map((day) => [day.startTime, of(day)] as const);
  const sum = (of: (day: Day) => number) => locale.number(days.reduce((total, day) => total + of(day), 0));
  const number = (title: string, of: (day: Day) => number): Column<Day> => ({
    title,
    kind: 'number',
    cell: (day) => locale.number(of(day)),
  });
  const columns: readonly Column<Day>[] = [
    { title: 'Day', kind: 'row', cell: ({ startTime }) => locale.day(startTime) },
    number('Windows opened', ({ windowsOpened }) => windowsOpened),
    number('Claimed', ({ claimed }) => claimed),
    number('Given back', ({ givenBack }) => givenBack),
    number('Claims refused', ({ refused }) => refused),
  ];
  return (
    <section class="card" aria-labelledby="month" data-fresh="month">
      <h2 id="month">The last {days.length} days</h2>
      <p>
        {sum(({ windowsOpened }) => windowsOpened)} windows opened, {sum(({ claimed }) => claimed)} claimed,{' '}
        {sum(({ givenBack }) => givenBack)} given back, {sum(({ refused }) => refused)} claims refused.
        {complete ? null : ' The newest days are still being counted.'} Days are those of UTC.
      </p>
      <div class="grid two">
        <div>
          <h3>Claims per day</h3>
          <Plot title="Claims per day" values={values(({ claimed }) => claimed)} locale={locale} by="day" />
        </div>
        <div>
          <h3>Claims refused per day</h3>
          <Plot
            title="Claims refused per day"
            values={values(({ refused }) => refused)}
            locale={locale}
            by="day"
          />
        </div>
      </div>
      <details>
        <summary>Day by day, in numbers</summary>
        <PlainTable caption="What happened day by day" columns={columns} rows={[...days].reverse()} />
      </details>
    </section>
  );
}

type Refusal = z.output<typeof statisticsView>['refusals'][number];

function Refusals({ refusals, visit: { locale } }: { refusals: readonly Refusal[]; visit: SignedIn }) {
  const columns: readonly Column<Refusal>[] = [
    {
      title: 'Why claims were refused',
      kind: 'row',
      cell: ({ reason }) => reasonInWords(reason, locale.say),
    },
    { title: 'How often', kind: 'number', cell: ({ count }) => locale.number(count) },
  ];
  return (
    <section class="card" aria-labelledby="refusals">
      <h2 id="refusals">Refusals</h2>
      <PlainTable caption="Why claims were refused" columns={columns} rows={refusals} />
      <p>
        <a href="/audit?action=CLAIM_REFUSED">Each of them, in the audit trail</a>
      </p>
    </section>
  );
}

/** What a tenant without devices sees in place of zeros. */
const firstSteps: PageReply = {
  type: 'page',
  title: 'Overview',
  narrow: true,
  body: (
    <>
      <Head title="Welcome" lead="Three steps to the first claimed device." />
      <ol class="steps card">
        <li>
          <h2>Make devices</h2>
          <p>One by hand, or all that you have from a file.</p>
          <div class="row">
            <a class="button primary" href="/devices/import">
              Import a file
            </a>
            <a class="button" href="/devices/new">
              Make one
            </a>
          </div>
        </li>
        <li>
          <h2>Add a customer</h2>
          <p>Customers claim devices. Each has people who sign in.</p>
          <a class="button" href="/customers">
            Customers
          </a>
        </li>
        <li>
          <h2>Print labels</h2>
          <p>Set a key for a device and print its label: whoever scans it can claim the device.</p>
          <a class="button" href="/devices">
            Devices
          </a>
        </li>
      </ol>
    </>
  ),
};

function OpenWindows({ windows: { data, complete }, visit }: { windows: Windows; visit: SignedIn }) {
  return (
    <section class="card" aria-labelledby="open" data-fresh="open">
      <h2 id="open">Open now</h2>
      {data.length === 0 ? (
        <p class="muted">No window is open. A device opens one when its button is pressed.</p>
      ) : (
        <ul class="feed">
          {data.slice(0, LISTED).map(({ deviceId, deviceName, closesAt }) => (
            <li>
              <a href={`/devices/${deviceId}`}>{deviceName}</a>
              <Closes at={closesAt} visit={visit} />
            </li>
          ))}
        </ul>
      )}
      {data.length > LISTED || !complete ? (
        <p class="muted">There are more; listed are those that close first.</p>
      ) : null}
    </section>
  );
}

type Entry = z.output<typeof auditView>;

/** Begins with what the trail has of all nodes; an island adds what happens. */
function Feed({ lately, visit: { locale, nowMs } }: { lately: readonly Entry[]; visit: SignedIn }) {
  return (
    <section class="card" aria-labelledby="now">
      <h2 id="now">Happening now</h2>
      <ol class="feed" data-feed="/live/events" aria-live="polite" aria-relevant="additions">
        {lately
          .filter(({ entityId }) => entityId.entityType === 'DEVICE')
          .map((entry) => (
            <li>
              <Time at={entry.createdTime} now={nowMs} locale={locale} />
              <a href={`/devices/${entry.entityId.id}`}>{entry.entityName ?? 'A device'}</a>
              {whatHappened(entry, locale.say)}
            </li>
          ))}
      </ol>
      <p class="muted" data-feed-state>
        With script enabled, events appear here as they happen.
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
