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
import { type Explained, explain, NAME_MISSING } from './claim-refusals.ts';
import { ADMIN_WORDS, CLAIM_SCRIPT_WORDS, CLAIM_WORDS as WORDS } from './claim-words.ts';
import { ALREADY_YOURS } from './my-device.tsx';

const claimedView = z.object({ device: z.object({ id: z.object({ id: z.string() }), name: z.string() }) });

function ClaimForm({ device, typed }: { device: string; typed: boolean }) {
  return (
    <form
      method="post"
      action="/claim"
      class="card"
      data-claim
      data-typed={typed ? '' : undefined}
      data-words={JSON.stringify(CLAIM_SCRIPT_WORDS)}
      autocomplete="off"
    >
      <div data-scanned hidden>
        <p class="muted scanned">{WORDS.scanned}</p>
        <p class="big" data-scanned-name />
      </div>
      <div data-scan hidden>
        <p>
          <button type="button" class="wide">
            {WORDS.scan}
          </button>
        </p>
        <video muted playsinline hidden aria-label={WORDS.camera} />
        <p role="status" class="muted" />
      </div>
      {/* Sent twice, by a double tap or after a lost answer, the form claims once. */}
      <input type="hidden" name="once" value={randomUUID()} />
      <div data-fields>
        <Field
          name="device"
          label={WORDS.device}
          value={device}
          maxlength={255}
          required
          verbatim
          hint={WORDS.deviceHint}
        />
        <Field name="key" label={WORDS.key} autocomplete="off" verbatim secret hint={WORDS.keyHint} />
        <p class="big mono" data-groups hidden />
      </div>
      <button type="submit" class="primary wide">
        {WORDS.button}
      </button>
      <p data-state role="status" hidden />
      <p class="instead" data-instead hidden>
        <button type="button" class="plain">
          {WORDS.typeInstead}
        </button>
      </p>
    </form>
  );
}

/** Shown by the browser's part, which waits in place of the person. */
function Waiting() {
  return (
    <div class="waiting" data-waiting hidden>
      <h3>{WORDS.waitTitle}</h3>
      <progress aria-label={WORDS.waitTitle} max={1} value={0} />
      <p class="row">
        <span class="muted" data-left />
        <button type="button">{WORDS.stopWaiting}</button>
      </p>
    </div>
  );
}

const needsButton = ({ next }: Explained): boolean => next === 'wait' || next === 'press';

function formReply({ settings }: SignedIn, device: string, refusal?: Explained): PageReply {
  return {
    type: 'page',
    title: refusal?.title ?? WORDS.title,
    narrow: true,
    islands: ['claim.js'],
    status: refusal?.status ?? 200,
    body: (
      <>
        <Head title={WORDS.title} lead={WORDS.lead} />
        {refusal === undefined ? null : (
          <div class={`note ${refusal.kind}`} role="alert">
            <h2>{refusal.title}</h2>
            <p>
              {refusal.text}
              {needsButton(refusal) ? <span data-by-hand> {WORDS.thenClaim}</span> : null}
            </p>
            {needsButton(refusal) && settings.buttonHint !== null ? <p>{settings.buttonHint}</p> : null}
            {refusal.next === 'wait' ? <Waiting /> : null}
          </div>
        )}
        <ClaimForm device={device} typed={refusal?.next === 'correct'} />
        <p>
          <a href="/claim/kit">{WORDS.wholeBox}</a>
        </p>
      </>
    ),
  };
}

/** The moment after: what it is, a name for it, and what comes next. */
function Claimed({ device, visit }: { device: DeviceInfo; visit: SignedIn }): Element {
  const { locale, nowMs, settings } = visit;
  const { afterClaim } = settings;
  return (
    <div class="card moment">
      <Tick />
      <div role="status">
        <h1>{WORDS.yours}</h1>
        <p class="big">{device.name}</p>
        <p class="muted">
          {device.type === 'default' ? '' : `${device.type}, `}
          {WORDS.since} <Time at={device.ownedSince ?? nowMs} now={nowMs} locale={locale} />
        </p>
      </div>
      <NameIt device={device} button={WORDS.nameButton} />
      {afterClaim === null ? null : (
        <div class="next">
          <p>{afterClaim.text}</p>
          {afterClaim.link === null ? null : (
            <p>
              <a class="button primary wide" href={afterClaim.link}>
                {WORDS.goOn}
              </a>
            </p>
          )}
        </div>
      )}
      <p class="row next">
        <a class="button" href={`/my/devices/${device.id.id}`}>
          {WORDS.seeIt}
        </a>
        <a class="button" href="/claim">
          {WORDS.another}
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
  if (device === '') return formReply(visit, '', NAME_MISSING);
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
function adminReply(device = '', refusal?: string): PageReply {
  return {
    type: 'page',
    title: ADMIN_WORDS.title,
    narrow: true,
    islands: ['claim.js'],
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Head title={ADMIN_WORDS.title} lead={ADMIN_WORDS.lead} />
        <form method="post" action="/claim" class="card" data-find autocomplete="off">
          <Refusal text={refusal} />
          <Field name="device" label={WORDS.device} value={device} maxlength={255} required verbatim />
          <button type="submit" class="primary wide">
            {ADMIN_WORDS.button}
          </button>
        </form>
      </>
    ),
  };
}

async function findReply({ api, form }: SignedIn): Promise<PageReply> {
  const name = form.text('device').trim();
  const answer = await api.send('GET', `/api/tenant/devices?${toQuery({ deviceName: name })}`);
  if (answer.status !== 200) return adminReply(name, ADMIN_WORDS.notFound(name));
  return seeOther(`/devices/${deviceView.parse(answer.json).id.id}`);
}

const systemReply: PageReply = {
  type: 'page',
  title: WORDS.title,
  narrow: true,
  body: (
    <div class="card">
      <h1>{WORDS.title}</h1>
      <p>{ADMIN_WORDS.system}</p>
    </div>
  ),
};

export const claimPages: readonly Page[] = [
  memberPage('/claim', EVERYBODY, {
    get(visit) {
      const { authority } = visit.user;
      if (authority === 'SYS_ADMIN') return systemReply;
      return authority === 'TENANT_ADMIN' ? adminReply() : formReply(visit, '');
    },
    post(visit) {
      if (visit.user.authority === 'SYS_ADMIN') return systemReply;
      return visit.user.authority === 'TENANT_ADMIN' ? findReply(visit) : claimReply(visit);
    },
  }),

  memberPage('/claim/done', CUSTOMER, {
    async get(visit) {
      const id = segment(visit.query.get('device') ?? '');
      const device = await visit.api.get(`/api/device/info/${id}`, deviceInfoView);
      return {
        type: 'page',
        title: WORDS.yours,
        narrow: true,
        body: <Claimed device={device} visit={visit} />,
      };
    },
  }),
];
