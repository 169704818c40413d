/**
 * Labels to print, of chosen devices, of all that fit, of an import or of a batch: on what, from which place on, what to know
 * before, and the PDF.
 */

import { raw } from 'hono/html';
import type { z } from 'zod';
import { parseId } from '../../../actors/base/ids.ts';
import { unreachable } from '../../../actors/base/unreachable.ts';
import { TENANT } from '../../auth/principal.ts';
import { perPage, STOCKS, type Stock } from '../../labels/stocks.ts';
import { LABELS_MAX } from '../../routes/label-parts.ts';
import { labelPreviewView } from '../../routes/label-sheets.ts';
import { toQuery } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { DaysField } from '../parts/claim-key.tsx';
import { whereIn } from '../parts/device-filters.ts';
import { Head, Note } from '../parts/elements.tsx';
import type { Say } from '../texts/say.ts';
import { SELECTED_MAX } from './batches.tsx';

type Preview = z.output<typeof labelPreviewView>;
type Trouble = Preview['troubles'][number];

/** Of which devices, as parameters of the API; one of them. */
type Devices =
  | { readonly importId: string }
  | { readonly batchId: string }
  | { readonly where: string }
  | { readonly deviceIds: string };

/** What is to be printed, as the address of the page has it. What makes no sense is taken for its default. */
interface Wanted {
  readonly devices: Devices;
  readonly stock: Stock;
  readonly first: number;
  /** How many devices or rows one PDF is of. */
  readonly limit: number;
  /** Where a part begins: at a row of an import or a batch, */
  readonly from: number;
  /** or behind a device of all that fit; and the last one of it. None: empty. */
  readonly after: string;
  readonly through: string;
}

/** The names of these parameters in the address of the page. */
function devicesIn(query: URLSearchParams): Devices {
  const text = (name: string) => query.get(name) ?? '';
  if (text('import') !== '') return { importId: text('import') };
  if (text('batch') !== '') return { batchId: text('batch') };
  const described = whereIn(text('where'));
  if (described !== undefined) return { where: JSON.stringify(described) };
  const ids = text('ids').split(',');
  return {
    deviceIds: ids
      .filter((id) => id !== '')
      .slice(0, SELECTED_MAX)
      .join(','),
  };
}

function inAddress(devices: Devices): readonly [name: string, value: string] {
  if ('importId' in devices) return ['import', devices.importId];
  if ('batchId' in devices) return ['batch', devices.batchId];
  return 'where' in devices ? ['where', devices.where] : ['ids', devices.deviceIds];
}

/** Where they come from: its address and how it is called. */
function backFrom(devices: Devices, say: Say): readonly [path: string, label: string] {
  if ('importId' in devices)
    return [`/devices/import/${encodeURIComponent(devices.importId)}`, say('labels.backImport')];
  if ('batchId' in devices)
    return [`/devices/batches/${encodeURIComponent(devices.batchId)}`, say('labels.backBatch')];
  return ['/devices', say('fleet.back')];
}

const isId = (text: string | null): string => (text !== null && parseId(text)) || '';

function wantedIn(query: URLSearchParams): Wanted {
  const whole = (name: string) => {
    const value = Number(query.get(name));
    return Number.isSafeInteger(value) && value > 0 ? value : 0;
  };
  const stock = STOCKS.find(({ id }) => id === query.get('stock')) ?? STOCKS[0];
  return {
    devices: devicesIn(query),
    stock,
    first: Math.min(Math.max(1, whole('first')), perPage(stock)),
    limit: Math.min(whole('limit') || LABELS_MAX, LABELS_MAX),
    from: Math.min(whole('from'), 999_999),
    after: isId(query.get('after')),
    through: isId(query.get('through')),
  };
}

/** The part that is wanted, as the API and the address of the page name it. */
const partIn = ({ devices, limit, from, after, through }: Wanted) => ({
  limit,
  ...('where' in devices ? { after, through } : { from }),
});

const routeOf = (what: '' | '/preview', wanted: Wanted) =>
  `/api/deviceLabels${what}?${toQuery({ ...wanted.devices, stock: wanted.stock.id, first: wanted.first, ...partIn(wanted) })}`;

function pathOf(path: string, wanted: Wanted) {
  const [name, value] = inAddress(wanted.devices);
  return `${path}?${toQuery({ [name]: value, stock: wanted.stock.id, first: wanted.first, ...partIn(wanted) })}`;
}

async function labelsReply({ api, query, locale }: SignedIn): Promise<PageReply> {
  const { say } = locale;
  const wanted = wantedIn(query);
  const [name, value] = inAddress(wanted.devices);
  const nothing = name === 'ids' && value === '';
  const preview = nothing ? undefined : await api.get(routeOf('/preview', wanted), labelPreviewView);
  const keyless = preview?.troubles.find(({ type }) => type === 'no-key');
  const [back, label] = backFrom(wanted.devices, say);
  return {
    type: 'page',
    title: say('labels.title'),
    body: (
      <>
        <Head title={say('labels.title')} lead={say('labels.lead')}>
          <div class="row">
            {preview === undefined || preview.labels === 0 ? null : (
              <a
                class="button primary"
                href={pathOf('/devices/labels.pdf', { ...wanted, through: preview.through ?? '' })}
                download="labels.pdf"
              >
                {say('labels.download', { count: preview.labels })}
              </a>
            )}
            <a class="button" href={back}>
              {label}
            </a>
          </div>
        </Head>
        <StockForm wanted={wanted} total={preview?.total ?? 0} locale={locale} />
        {preview === undefined ? null : <Parts wanted={wanted} preview={preview} locale={locale} />}
        {keyless === undefined ? null : <KeylessForm trouble={keyless} locale={locale} />}
        {preview === undefined || preview.labels === 0 ? (
          <Note kind="plain">{say('labels.nothing')}</Note>
        ) : (
          <Before preview={preview} wanted={wanted} locale={locale} />
        )}
      </>
    ),
  };
}

/** Offered in one list. */
const PARTS_MAX = 1_000;

function stockWords({ sold, label: { width, height }, columns, rows }: Stock, say: Say): string {
  switch (sold.type) {
    case 'sheet':
      return say('labels.sheet', { name: sold.name, width, height, count: columns * rows });
    case 'roll':
      return say('labels.roll', { across: sold.across, along: sold.along });
    case 'tape':
      return say('labels.tape', { across: sold.across, along: sold.along });
    case 'single':
      return sold.name === undefined
        ? say('labels.single', { width, height })
        : say('labels.singleNamed', { name: sold.name });
    default:
      return unreachable(sold);
  }
}

function StockForm({ wanted, total, locale }: { wanted: Wanted; total: number; locale: Locale }) {
  const { say } = locale;
  const { limit } = wanted;
  const parts = Math.min(Math.ceil(total / limit), PARTS_MAX);
  const [name, value] = inAddress(wanted.devices);
  return (
    <form class="search" action="/devices/labels">
      <input type="hidden" name={name} value={value} />
      <div class="small">
        <label for="stock">{say('labels.printedOn')}</label>
        <select id="stock" name="stock">
          {STOCKS.map((stock) => (
            <option value={stock.id} selected={stock.id === wanted.stock.id}>
              {stockWords(stock, say)}
            </option>
          ))}
        </select>
      </div>
      <div class="small">
        <label for="first">{say('labels.first')}</label>
        <input
          id="first"
          name="first"
          type="number"
          min={1}
          max={perPage(wanted.stock)}
          value={String(wanted.first)}
        />
      </div>
      {name === 'ids' ? null : (
        <div class="small">
          <label for="limit">{say('labels.limit')}</label>
          <input id="limit" name="limit" type="number" min={1} max={LABELS_MAX} value={String(limit)} />
        </div>
      )}
      {wanted.after === '' ? null : <input type="hidden" name="after" value={wanted.after} />}
      {parts < 2 || name === 'where' ? null : (
        <div class="small">
          <label for="from">{say(name === 'import' ? 'labels.rows' : 'frame.fleet')}</label>
          <select id="from" name="from">
            {Array.from({ length: parts }, (_, part) => (
              <option value={String(part * limit)} selected={part * limit === wanted.from}>
                {say('labels.fromTo', { from: part * limit + 1, to: Math.min(total, (part + 1) * limit) })}
              </option>
            ))}
          </select>
        </div>
      )}
      <button type="submit">{say('one.show')}</button>
    </form>
  );
}

/** Of all that fit: which part this is, and the way to the others. */
function Parts({ wanted, preview, locale }: { wanted: Wanted; preview: Preview; locale: Locale }) {
  const { say } = locale;
  const { total, before, inPart, next } = preview;
  if (!('where' in wanted.devices) || (next === null && wanted.after === '')) return null;
  const start = { ...wanted, first: 1, after: '', through: '' };
  const after = new URLSearchParams(next ?? '').get('after') ?? '';
  return (
    <div class="card">
      <p>
        {inPart === 0
          ? say('labels.noneBehind')
          : say('labels.these', { from: before + 1, to: before + inPart, total })}{' '}
        {say(next === null ? 'labels.lastPart' : 'labels.goOn')}
      </p>
      <div class="row">
        {next === null ? null : (
          <a class="button" rel="next" href={pathOf('/devices/labels', { ...start, after })}>
            {say('labels.nextPart')}
          </a>
        )}
        {wanted.after === '' ? null : (
          <a class="button" href={pathOf('/devices/labels', start)}>
            {say('labels.beginning')}
          </a>
        )}
      </div>
    </div>
  );
}

/** Sets keys for devices that have none, and comes back to their labels. */
function KeylessForm({ trouble: { count, devices }, locale }: { trouble: Trouble; locale: Locale }) {
  const { say } = locale;
  const some = devices.slice(0, SELECTED_MAX);
  return (
    <form method="post" action="/devices/selected" class="card">
      <h2>{say('labels.keyless', { count })}</h2>
      <p>
        <Names devices={devices} count={count} say={say} /> {say('labels.keylessText', { count })}
      </p>
      {some.map(({ id }) => (
        <input type="hidden" name="id" value={id} />
      ))}
      {/* They have no key that a label could have been printed with. */}
      <input type="hidden" name="sure" value="yes" />
      <div class="search">
        <div class="small">
          <DaysField label={say('fleet.validDays')} />
        </div>
        <button type="submit" name="do" value="keys" class="primary">
          {some.length === count ? say('labels.setKeys') : say('labels.setFirst', { count: some.length })}
        </button>
      </div>
    </form>
  );
}

/** What is printed cannot be changed, so people see it before. */
function Before({ preview, wanted, locale }: { preview: Preview; wanted: Wanted; locale: Locale }) {
  const { say } = locale;
  const { labels, pages, address, addressTroubles, troubles, svg } = preview;
  return (
    <>
      {addressTroubles.map((type) => (
        <Note kind="warn">{say(`labels.${type}`, { address })}</Note>
      ))}
      {troubles.map((trouble) =>
        trouble.type === 'no-key' ? null : (
          <Note kind="warn">
            {say(`labels.${trouble.type}`)}{' '}
            <Names devices={trouble.devices} count={trouble.count} say={say} />
          </Note>
        ),
      )}
      <div class="card">
        <h2>{say('labels.onPages', { labels, pages })}</h2>
        <p>{say('labels.howTo', { address })}</p>
        <figure
          class="sheet"
          role="img"
          aria-label={say('labels.firstPage', { stock: stockWords(wanted.stock, say) })}
        >
          {raw(svg.replace('<svg ', '<svg aria-hidden="true" '))}
        </figure>
      </div>
    </>
  );
}

const NAMES_SHOWN = 5;

/** A name that runs to the left does not turn what is beside it round. */
function Names({ devices, count, say }: Omit<Trouble, 'type'> & { say: Say }) {
  const shown = devices.slice(0, NAMES_SHOWN);
  const more = count - shown.length;
  const names = (
    <>
      {shown.map(({ name }, at) => (
        <>
          {at === 0 ? '' : say('labels.between')}
          <bdi>{name}</bdi>
        </>
      ))}
    </>
  );
  return (
    <>
      {more > 0
        ? say.pieces('labels.namesMore', { names, count: more })
        : say.pieces('labels.names', { names })}
    </>
  );
}

export const labelPages: readonly Page[] = [
  memberPage('/devices/labels', TENANT, { get: labelsReply }),

  memberPage('/devices/labels.pdf', TENANT, {
    async get({ api, query }) {
      const response = await api.open(routeOf('', wantedIn(query)));
      response.headers.set('Content-Disposition', 'attachment; filename="labels.pdf"');
      return { type: 'stream', response };
    },
  }),
];
