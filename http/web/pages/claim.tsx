/**
 * Claiming, by the person who has the device in hand: name and key, from the label or typed. After a scan there is the
 * device's name and one button. The key stays in the browser's tab (`islands/page.ts`) over refusals and sign-in; the server
 * never sends it back.
 */

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { CUSTOMER, EVERYBODY } from '../../auth/principal.ts';
import { deviceInfoView, deviceView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { CLAIM_REFUSAL_HEADER, REPLAYED_HEADER } from '../../wire/claim-refusal.ts';
import { type Answer, segment, toQuery } from '../api.ts';
import { type Element, memberPage, type Page, type PageReply, type SignedIn, seeOther } from '../page.ts';
import { type DeviceInfo, NameIt } from '../parts/device-parts.tsx';
import { Field, Head, Refusal, Time } from '../parts/elements.tsx';
import type { Say } from '../texts/say.ts';
import { type Explained, explain, nameMissing } from './claim-refusals.ts';
import type { ClaimScriptWords } from './claim-words.ts';
import { ALREADY_YOURS } from './my-device.tsx';

const claimedView = z.object({ device: z.object({ id: z.object({ id: z.string() }), name: z.string() }) });

/** For the browser's part, which fills in what stands for itself here. */
const scriptWords = (say: Say): ClaimScriptWords => ({
  claiming: say('claim.claiming'),
  waiting: say('claim.waiting'),
  left: say('claim.left', { time: '{time}' }),
  waitedInVain: say('claim.waitedInVain'),
  stopped: say('claim.stopped'),
  offline: say('claim.offline'),
  away: say('claim.away'),
  gaveUp: say('claim.gaveUp'),
  readAs: say('claim.readAs', { key: '{key}' }),
  scan: say('claim.scan'),
  stopCamera: say('claim.stopCamera'),
  point: say('claim.point'),
  loading: say('claim.loading'),
  wasRead: say('claim.wasRead'),
  foreign: say('claim.foreign', { text: '{text}' }),
  noCamera: say('claim.noCamera'),
});

function ClaimForm({ device, typed, say }: { device: string; typed: boolean; say: Say }) {
  return (
    <form
      method="post"
      action="/claim"
      class="card"
      data-claim
      data-typed={typed ? '' : undefined}
      data-words={JSON.stringify(scriptWords(say))}
      autocomplete="off"
    >
      <div data-scanned hidden>
        <p class="muted scanned">{say('claim.scanned')}</p>
        <p class="big" data-scanned-name />
      </div>
      <div data-scan hidden>
        <p>
          <button type="button" class="wide">
            {say('claim.scan')}
          </button>
        </p>
        <video muted playsinline hidden aria-label={say('claim.camera')} />
        <p role="status" class="muted" />
      </div>
      {/* Sent twice, by a double tap or after a lost answer, the form claims once. */}
      <input type="hidden" name="once" value={randomUUID()} />
      <div data-fields>
        <Field
          name="device"
          label={say('claim.device')}
          value={device}
          maxlength={255}
          required
          verbatim
          hint={say('claim.deviceHint')}
        />
        <Field
          name="key"
          label={say('claim.key')}
          autocomplete="off"
          verbatim
          secret
          hint={say('claim.keyHint')}
        />
        <p class="big mono" data-groups hidden />
      </div>
      <button type="submit" class="primary wide">
        {say('claim.button')}
      </button>
      <p data-state role="status" hidden />
      <p class="instead" data-instead hidden>
        <button type="button" class="plain">
          {say('claim.typeInstead')}
        </button>
      </p>
    </form>
  );
}

/** Shown by the browser's part, which waits in place of the person. */
function Waiting({ say }: { say: Say }) {
  return (
    <div class="waiting" data-waiting hidden>
      <h3>{say('claim.waitTitle')}</h3>
      <progress aria-label={say('claim.waitTitle')} max={1} value={0} />
      <p class="row">
        <span class="muted" data-left />
        <button type="button">{say('claim.stopWaiting')}</button>
      </p>
    </div>
  );
}

const needsButton = ({ next }: Explained): boolean => next === 'wait' || next === 'press';

function formReply({ settings, locale: { say } }: SignedIn, device: string, refusal?: Explained): PageReply {
  return {
    type: 'page',
    title: refusal?.title ?? say('claim.title'),
    narrow: true,
    islands: ['claim.js'],
    status: refusal?.status ?? 200,
    body: (
      <>
        <Head title={say('claim.title')} lead={say('claim.lead')} />
        {refusal === undefined ? null : (
          <div class={`note ${refusal.kind}`} role="alert">
            <h2>{refusal.title}</h2>
            <p>
              {refusal.text}
              {needsButton(refusal) ? <span data-by-hand> {say('claim.thenClaim')}</span> : null}
            </p>
            {needsButton(refusal) && settings.buttonHint !== null ? <p>{settings.buttonHint}</p> : null}
            {refusal.next === 'wait' ? <Waiting say={say} /> : null}
          </div>
        )}
        <ClaimForm device={device} typed={refusal?.next === 'correct'} say={say} />
        <p>
          <a href="/claim/kit">{say('claim.wholeBox')}</a>
        </p>
      </>
    ),
  };
}

/** The moment after: what it is, a name for it, and what comes next. */
function Claimed({ device, visit }: { device: DeviceInfo; visit: SignedIn }): Element {
  const { locale, nowMs, settings } = visit;
  const { afterClaim } = settings;
  const { say } = locale;
  const when = <Time at={device.ownedSince ?? nowMs} now={nowMs} locale={locale} />;
  return (
    <div class="card moment">
      <Tick />
      <div role="status">
        <h1>{say('claim.yours')}</h1>
        <p class="big">{device.name}</p>
        <p class="muted">
          {device.type === 'default'
            ? say.pieces('claim.since', { when })
            : say.pieces('claim.sinceOfType', { type: device.type, when })}
        </p>
      </div>
      <NameIt device={device} say={say} />
      {afterClaim === null ? null : (
        <div class="next">
          <p>{afterClaim.text}</p>
          {afterClaim.link === null ? null : (
            <p>
              <a class="button primary wide" href={afterClaim.link}>
                {say('claim.goOn')}
              </a>
            </p>
          )}
        </div>
      )}
      <p class="row next">
        <a class="button" href={`/my/devices/${device.id.id}`}>
          {say('claim.seeIt')}
        </a>
        <a class="button" href="/claim">
          {say('claim.another')}
        </a>
      </p>
    </div>
  );
}

function Tick() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentcolor" stroke-width="2" aria-hidden="true">
      <circle cx="12" cy="12" r="10" />
      <path d="m7.5 12.5 3 3 6-6.5" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

const ONCE = /^[\w-]{1,64}$/;
/** Browsers and servers resolve these segments of a path, so no request can name such a device. */
const DOT_SEGMENT = /^\.{1,2}$/;
const NO_SUCH_DEVICE: Answer = { status: 404, text: '', json: undefined, headers: new Headers() };

interface Sent {
  readonly device: string;
  readonly secretKey: string;
  readonly once: string;
  /** Wait until the device opens its window, for some seconds. */
  readonly waits: boolean;
}

/**
 * Claims once, however often the form is sent. But somebody who reloads a refusal, or goes back to the form, sends it
 * again because something has changed: then the claim is tried again, unless that could count as another wrong key.
 */
async function claim(api: SignedIn['api'], { device, secretKey, once, waits }: Sent): Promise<Answer> {
  if (DOT_SEGMENT.test(device)) return NO_SUCH_DEVICE;
  const path = `/api/customer/device/${segment(device)}/claim${waits ? '/wait' : ''}`;
  const ask = (headers: Record<string, string>) => api.send('POST', path, { secretKey }, headers);
  const answer = await ask(ONCE.test(once) ? { 'Idempotency-Key': `web ${once}` } : {});
  const refusal = answer.headers.get(CLAIM_REFUSAL_HEADER);
  const outdated = answer.headers.has(REPLAYED_HEADER) && refusal !== null && refusal !== 'wrong-secret';
  const ofAnotherForm = answer.status === 422;
  return outdated || ofAnotherForm ? ask({}) : answer;
}

async function claimReply(visit: SignedIn): Promise<PageReply> {
  const { api, form, locale } = visit;
  const device = form.text('device').trim();
  if (device === '') return formReply(visit, '', nameMissing(locale.say));
  const sent = { device, secretKey: form.text('key'), once: form.text('once') };
  const answer = await claim(api, { ...sent, waits: form.text('wait') !== '' });
  if (answer.status === 200) {
    const { id } = claimedView.parse(answer.json).device;
    // Shown at an address of its own, so that reloading it claims nothing.
    return seeOther(`/claim/done?${toQuery({ device: id.id })}`);
  }
  const own =
    answer.headers.get(CLAIM_REFUSAL_HEADER) === 'already-yours' ? await ownId(visit, device) : undefined;
  // Told by the address: a notice would be used up where a script follows the redirect first.
  if (own !== undefined) return seeOther(`/my/devices/${own}?${ALREADY_YOURS}`);
  return formReply(visit, device, explain(answer, sent, locale));
}

/** The customer's own device of a name, as it was typed. */
async function ownId({ api, user }: SignedIn, name: string): Promise<string | undefined> {
  const query = toQuery({ page: 0, pageSize: OWN_LOOKED_AT, sortProperty: 'name', textSearch: name });
  const { data } = await api.get(
    `/api/customer/${user.customerId.id}/deviceInfos?${query}`,
    pageView(deviceInfoView),
  );
  const typed = data.filter((device) => device.name.toLowerCase() === name.toLowerCase());
  return (typed.find((device) => device.name === name) ?? typed[0])?.id.id;
}

const OWN_LOOKED_AT = 50;

/** An administrator scans a label to see how the device stands: the label leads to its page. */
function adminReply({ locale: { say } }: SignedIn, device = '', refusal?: string): PageReply {
  return {
    type: 'page',
    title: say('claim.find'),
    narrow: true,
    islands: ['claim.js'],
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Head title={say('claim.find')} lead={say('claim.findLead')} />
        <form method="post" action="/claim" class="card" data-find autocomplete="off">
          <Refusal text={refusal} />
          <Field name="device" label={say('claim.device')} value={device} maxlength={255} required verbatim />
          <button type="submit" class="primary wide">
            {say('claim.findButton')}
          </button>
        </form>
      </>
    ),
  };
}

async function findReply(visit: SignedIn): Promise<PageReply> {
  const { api, form, locale } = visit;
  const name = form.text('device').trim();
  const answer = await api.send('GET', `/api/tenant/devices?${toQuery({ deviceName: name })}`);
  if (answer.status !== 200) return adminReply(visit, name, locale.say('claim.findNone', { name }));
  return seeOther(`/devices/${deviceView.parse(answer.json).id.id}`);
}

const systemReply = ({ locale: { say } }: SignedIn): PageReply => ({
  type: 'page',
  title: say('claim.title'),
  narrow: true,
  body: (
    <div class="card">
      <h1>{say('claim.title')}</h1>
      <p>{say('claim.system')}</p>
    </div>
  ),
});

export const claimPages: readonly Page[] = [
  memberPage('/claim', EVERYBODY, {
    get(visit) {
      const { authority } = visit.user;
      if (authority === 'SYS_ADMIN') return systemReply(visit);
      return authority === 'TENANT_ADMIN' ? adminReply(visit) : formReply(visit, '');
    },
    post(visit) {
      if (visit.user.authority === 'SYS_ADMIN') return systemReply(visit);
      return visit.user.authority === 'TENANT_ADMIN' ? findReply(visit) : claimReply(visit);
    },
  }),

  memberPage('/claim/done', CUSTOMER, {
    async get(visit) {
      const id = segment(visit.query.get('device') ?? '');
      const device = await visit.api.get(`/api/device/info/${id}`, deviceInfoView);
      return {
        type: 'page',
        title: visit.locale.say('claim.yours'),
        narrow: true,
        body: <Claimed device={device} visit={visit} />,
      };
    },
  }),
];
