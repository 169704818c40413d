/** Labels to print, of chosen devices, of all that fit, of an import or of a batch: on what, from which place on, what to know before, and the PDF. */

import { raw } from 'hono/html';
import type { z } from 'zod';
import { parseId } from '../../../actors/base/ids.ts';
import { unreachable } from '../../../actors/base/unreachable.ts';
import { TENANT } from '../../auth/principal.ts';
import { perPage, STOCKS, type Stock } from '../../labels/stocks.ts';
import { LABELS_MAX, labelPreviewView } from '../../routes/label-sheets.ts';
import { toQuery } from '../api.ts';
import type { Locale } from '../locale.ts';
import { memberPage, type Page, type PageReply, type SignedIn } from '../page.ts';
import { DaysField } from '../parts/claim-key.tsx';
import { whereIn } from '../parts/device-filters.ts';
import { Head, Note } from '../parts/elements.tsx';
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
function backFrom(devices: Devices): readonly [path: string, label: string] {
  if ('importId' in devices)
    return [`/devices/import/${encodeURIComponent(devices.importId)}`, 'Back to the import'];
  if ('batchId' in devices)
    return [`/devices/batches/${encodeURIComponent(devices.batchId)}`, 'Back to the batch'];
  return ['/devices', 'Back to the devices'];
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
  const wanted = wantedIn(query);
  const [name, value] = inAddress(wanted.devices);
  const nothing = name === 'ids' && value === '';
  const preview = nothing ? undefined : await api.get(routeOf('/preview', wanted), labelPreviewView);
  const keyless = preview?.troubles.find(({ type }) => type === 'no-key');
  const [back, label] = backFrom(wanted.devices);
  return {
    type: 'page',
    title: 'Labels',
    body: (
      <>
        <Head
          title="Labels"
          lead="Scanning a label opens the claim page with name and key filled in. Keep printed labels as safe as keys."
        >
          <div class="row">
            {preview === undefined || preview.labels === 0 ? null : (
              <a
                class="button primary"
                href={pathOf('/devices/labels.pdf', { ...wanted, through: preview.through ?? '' })}
                download="labels.pdf"
              >
                Download {locale.number(preview.labels)} label{preview.labels === 1 ? '' : 's'} as PDF
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
          <Note kind="plain">There is nothing to print yet. Select devices that have keys.</Note>
        ) : (
          <Before preview={preview} wanted={wanted} locale={locale} />
        )}
      </>
    ),
  };
}

/** Offered in one list. */
const PARTS_MAX = 1_000;

function StockForm({ wanted, total, locale }: { wanted: Wanted; total: number; locale: Locale }) {
  const { limit } = wanted;
  const parts = Math.min(Math.ceil(total / limit), PARTS_MAX);
  const [name, value] = inAddress(wanted.devices);
  return (
    <form class="search" action="/devices/labels">
      <input type="hidden" name={name} value={value} />
      <div class="small">
        <label for="stock">Printed on</label>
        <select id="stock" name="stock">
          {STOCKS.map(({ id, title }) => (
            <option value={id} selected={id === wanted.stock.id}>
              {title}
            </option>
          ))}
        </select>
      </div>
      <div class="small">
        <label for="first">First free label of the sheet</label>
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
          <label for="limit">At most in one file</label>
          <input id="limit" name="limit" type="number" min={1} max={LABELS_MAX} value={String(limit)} />
        </div>
      )}
      {wanted.after === '' ? null : <input type="hidden" name="after" value={wanted.after} />}
      {parts < 2 || name === 'where' ? null : (
        <div class="small">
          <label for="from">{name === 'import' ? 'Rows' : 'Devices'}</label>
          <select id="from" name="from">
            {Array.from({ length: parts }, (_, part) => (
              <option value={String(part * limit)} selected={part * limit === wanted.from}>
                {locale.number(part * limit + 1)} to {locale.number(Math.min(total, (part + 1) * limit))}
              </option>
            ))}
          </select>
        </div>
      )}
      <button type="submit">Show</button>
    </form>
  );
}

/** Of all that fit: which part this is, and the way to the others. */
function Parts({ wanted, preview, locale }: { wanted: Wanted; preview: Preview; locale: Locale }) {
  const { total, before, inPart, next } = preview;
  if (!('where' in wanted.devices) || (next === null && wanted.after === '')) return null;
  const start = { ...wanted, first: 1, after: '', through: '' };
  const after = new URLSearchParams(next ?? '').get('after') ?? '';
  return (
    <div class="card">
      <p>
        {inPart === 0
          ? 'No device that fits now comes behind the part before.'
          : `These are number ${locale.number(before + 1)} to ${locale.number(before + inPart)} of the ${locale.number(total)} devices that fit now, the oldest first.`}{' '}
        {next === null
          ? 'This is the last part.'
          : 'Print them before you go on. The next part goes on behind the last of these, also where devices are claimed meanwhile.'}
      </p>
      <div class="row">
        {next === null ? null : (
          <a class="button" rel="next" href={pathOf('/devices/labels', { ...start, after })}>
            Next part
          </a>
        )}
        {wanted.after === '' ? null : (
          <a class="button" href={pathOf('/devices/labels', start)}>
            From the beginning
          </a>
        )}
      </div>
    </div>
  );
}

/** Sets keys for devices that have none, and comes back to their labels. */
function KeylessForm({ trouble: { count, devices }, locale }: { trouble: Trouble; locale: Locale }) {
  const some = devices.slice(0, SELECTED_MAX);
  return (
    <form method="post" action="/devices/selected" class="card">
      <h2>{count === 1 ? 'One device has no key' : `${locale.number(count)} devices have no key`}</h2>
      <p>
        <Names devices={devices} count={count} locale={locale} /> No label is printed for{' '}
        {count === 1 ? 'it' : 'them'}.
      </p>
      {some.map(({ id }) => (
        <input type="hidden" name="id" value={id} />
      ))}
      {/* They have no key that a label could have been printed with. */}
      <input type="hidden" name="sure" value="yes" />
      <div class="search">
        <div class="small">
          <DaysField label="Valid for days" />
        </div>
        <button type="submit" name="do" value="keys" class="primary">
          {some.length === count
            ? 'Set keys for them'
            : `Set keys for the first ${locale.number(some.length)}`}
        </button>
      </div>
    </form>
  );
}

/** What is printed cannot be changed, so people see it before. */
function Before({ preview, wanted, locale }: { preview: Preview; wanted: Wanted; locale: Locale }) {
  const { labels, pages, address, addressTroubles, troubles, svg } = preview;
  return (
    <>
      {addressTroubles.map((type) => (
        <Note kind="warn">{addressText(type, address)}</Note>
      ))}
      {troubles.map((trouble) =>
        trouble.type === 'no-key' ? null : (
          <Note kind="warn">
            {troubleText(trouble.type)}{' '}
            <Names devices={trouble.devices} count={trouble.count} locale={locale} />
          </Note>
        ),
      )}
      <div class="card">
        <h2>
          {locale.number(labels)} label{labels === 1 ? '' : 's'} on {locale.number(pages)} page
          {pages === 1 ? '' : 's'}
        </h2>
        <p>
          They lead to {address}. Print them at their own size (“100 %”, not “fit to page”), and hold the
          first sheet against a sheet of labels before you print them all.
        </p>
        <figure class="sheet" role="img" aria-label={`The first page: ${wanted.stock.title}`}>
          {raw(svg.replace('<svg ', '<svg aria-hidden="true" '))}
        </figure>
      </div>
    </>
  );
}

const NAMES_SHOWN = 5;

function Names({ devices, count, locale }: Omit<Trouble, 'type'> & { locale: Locale }) {
  const shown = devices.slice(0, NAMES_SHOWN);
  const more = count - shown.length;
  return (
    <>
      {shown.map(({ name }, at) => (
        <>
          {at === 0 ? '' : ', '}
          {/* A name that runs to the left does not turn what is beside it round. */}
          <bdi>{name}</bdi>
        </>
      ))}
      {more > 0 ? ` and ${locale.number(more)} more` : ''}.
    </>
  );
}

function addressText(type: Preview['addressTroubles'][number], address: string): string {
  switch (type) {
    case 'loopback':
      return `The codes would lead to ${address}: that is this computer for whoever scans them, so nobody could claim. Open this page by the address that your customers use.`;
    case 'http':
      return `The codes would lead to ${address}, which is not encrypted: whoever listens on the way sees sessions and keys. Serve this site over HTTPS before you print.`;
    case 'not-configured':
      return `No address of this server is configured (HTTP_BASE_URL), so the labels have the one that you see in your browser: ${address}. Make sure that your customers reach it.`;
    default:
      return unreachable(type);
  }
}

function troubleText(type: Exclude<Trouble['type'], 'no-key'>): string {
  switch (type) {
    case 'no-code':
      return 'Name and key are longer than any code holds, so there is no label for:';
    case 'fine-code':
      return 'The code is finer than most phones read. Choose a larger label, or shorter names, for:';
    case 'name-cut':
      return 'The name does not fit, and its end is cut off in print (the code has it whole):';
    case 'key-left-out':
      return 'The key does not fit, and is only in the code:';
    case 'letters-missing':
      return 'No font here has some letters of the name, so boxes are printed instead (the code has them). Whoever runs this server can give it fonts (web.labelFonts). It concerns:';
    default:
      return unreachable(type);
  }
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
