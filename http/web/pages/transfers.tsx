/** Handing a device over to another customer: offering it, and what is offered to oneself. */

import { z } from 'zod';
import { CUSTOMER } from '../../auth/principal.ts';
import { deviceInfoView, deviceView } from '../../views/device.ts';
import { incomingOfferView, newOfferView, offerView } from '../../views/transfer.ts';
import { segment } from '../api.ts';
import {
  memberPage,
  type Page,
  type PageReply,
  refusedTo,
  type SignedIn,
  saidAt,
  seeOther,
} from '../page.ts';
import type { DeviceInfo } from '../parts/device-parts.tsx';
import { Back, Field, Head, Refusal, Time } from '../parts/elements.tsx';
import { refusalWords } from '../refusal-words.ts';
import type { Say } from '../texts/say.ts';

type Offer = z.output<typeof offerView>;
type NewOffer = z.output<typeof newOfferView>;
type Incoming = z.output<typeof incomingOfferView>;

const DAY_MS = 86_400_000;
const DAYS_DEFAULT = 7;
const DAYS_MAX = 90;

// ----------------------------------------------------------------------------------------------------- the owner's side

const transferOf = (name: string) => `/api/customer/device/${segment(name)}/transfer`;
const deviceOf = ({ api, params }: SignedIn): Promise<DeviceInfo> =>
  api.get(`/api/device/info/${segment(params.id ?? '')}`, deviceInfoView);

async function handOverReply(visit: SignedIn, refusal?: string): Promise<PageReply> {
  const device = await deviceOf(visit);
  const answer = await visit.api.send('GET', transferOf(device.name));
  const { say } = visit.locale;
  const offer = answer.status === 200 ? offerView.parse(answer.json) : undefined;
  return {
    type: 'page',
    title: say('offer.title', { name: device.name }),
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/my/devices" label={say('mine.title')} />
        <Head title={say('device.handOver')} lead={device.name} />
        <Refusal text={refusal} />
        {offer === undefined ? null : <OpenOffer device={device} offer={offer} visit={visit} />}
        <OfferForm device={device} again={offer !== undefined} visit={visit} />
      </>
    ),
  };
}

/** For whom an offer is, in words. */
function partyText(to: Offer['to'], say: Say): string {
  if (to.type === 'code') return say('offer.toCode');
  return to.type === 'email' ? (to.email ?? say('offer.toUnreadable')) : say('offer.toCustomer');
}

interface OfferProps {
  readonly device: DeviceInfo;
  readonly offer: Offer;
  readonly visit: SignedIn;
}

function OpenOffer({ device, offer, visit: { locale } }: OfferProps) {
  const { say } = locale;
  const when = <Time at={offer.expiresAt} locale={locale} />;
  return (
    <section class="card" aria-labelledby="open">
      <h2 id="open">{say('offer.open')}</h2>
      <p>{say.pieces('offer.openText', { whom: partyText(offer.to, say), when })}</p>
      <form method="post" action={`/my/devices/${device.id.id}/withdraw`}>
        <button type="submit">{say('offer.withdraw')}</button>
      </form>
    </section>
  );
}

interface OfferFormProps {
  readonly device: DeviceInfo;
  readonly again: boolean;
  readonly visit: SignedIn;
}

function OfferForm({ device, again, visit }: OfferFormProps) {
  const { form, locale } = visit;
  const { say } = locale;
  return (
    <form method="post" action={`/my/devices/${device.id.id}/hand-over`} class="card">
      {again ? <h2>{say('offer.again')}</h2> : null}
      <Field
        name="to"
        label={say('offer.email')}
        value={form.text('to')}
        maxlength={254}
        verbatim
        hint={say('offer.emailHint')}
      />
      <Field
        name="days"
        label={say('offer.days')}
        type="number"
        value={form.text('days') || String(DAYS_DEFAULT)}
        hint={say('offer.daysHint', { max: DAYS_MAX })}
      />
      <button type="submit" class="primary wide">
        {say('offer.button')}
      </button>
    </form>
  );
}

async function makeOffer(visit: SignedIn): Promise<PageReply> {
  const { api, form, locale } = visit;
  const { say } = locale;
  const device = await deviceOf(visit);
  const days = Number(form.text('days').trim() || DAYS_DEFAULT);
  if (!(days > 0 && days <= DAYS_MAX)) return handOverReply(visit, say('offer.daysWrong', { max: DAYS_MAX }));
  const body = { to: form.text('to').trim() || null, expiresInMs: Math.ceil(days * DAY_MS) };
  const result = await api.post(transferOf(device.name), body, newOfferView);
  if (result.type === 'refused') return handOverReply(visit, refusalWords(result, say));
  const { code, to } = result.value;
  if (code === null) {
    const text = say('offer.made', { name: device.name, whom: partyText(to, say) });
    return seeOther(`/my/devices/${device.id.id}/hand-over`, text);
  }
  return codeReply(visit, device, result.value, code);
}

/** Shown in the answer itself, and nowhere after: the server does not keep codes. */
function codeReply({ locale }: SignedIn, device: DeviceInfo, offer: NewOffer, code: string): PageReply {
  const { say } = locale;
  const when = <Time at={offer.expiresAt} locale={locale} />;
  return {
    type: 'page',
    title: say('offer.codeTitle'),
    narrow: true,
    body: (
      <div class="card">
        <h1>{say('offer.codeHead')}</h1>
        <p class="big">
          <code>{code}</code>
        </p>
        <p>{say.pieces('offer.codeText', { name: device.name, when })}</p>
        <p>
          <a class="button primary" href="/my/devices">
            {say('mine.title')}
          </a>
        </p>
      </div>
    ),
  };
}

// ----------------------------------------------------------------------------------------------------- the other side

async function offersReply(visit: SignedIn, refusal?: string, status: 400 | 429 = 400): Promise<PageReply> {
  const { say } = visit.locale;
  const offers = await visit.api.get('/api/transfers', z.array(incomingOfferView));
  return {
    type: 'page',
    title: say('frame.offers'),
    narrow: true,
    status: refusal === undefined ? 200 : status,
    body: (
      <>
        <Head title={say('offer.heading')} lead={say('offer.lead')} />
        <Refusal text={refusal} />
        {offers.length === 0 ? <div class="card empty">{say('offer.none')}</div> : null}
        {offers.map((offer) => (
          <IncomingOffer offer={offer} visit={visit} />
        ))}
        <form method="post" action="/offers/code" class="card" autocomplete="off">
          <h2>{say('offer.gotCode')}</h2>
          <Field
            name="code"
            label={say('kit.code')}
            value={visit.form.text('code')}
            maxlength={64}
            required
            verbatim
            hint={say('offer.codeHint')}
          />
          <button type="submit" class="primary wide">
            {say('offer.accept')}
          </button>
        </form>
      </>
    ),
  };
}

function IncomingOffer({ offer, visit: { locale } }: { offer: Incoming; visit: SignedIn }) {
  const { say } = locale;
  const { transferId, deviceName, deviceType, offeredBy, expiresAt } = offer;
  return (
    <section class="card">
      <h2>
        {deviceName} <small>{deviceType}</small>
      </h2>
      <p>{say.pieces('offer.from', { whom: offeredBy, when: <Time at={expiresAt} locale={locale} /> })}</p>
      <div class="row">
        <form method="post" action={`/offers/${transferId}/accept`}>
          <button type="submit" class="primary" aria-label={say('offer.acceptOf', { name: deviceName })}>
            {say('offer.accept')}
          </button>
        </form>
        <form method="post" action={`/offers/${transferId}/decline`}>
          <button type="submit" aria-label={say('offer.declineOf', { name: deviceName })}>
            {say('offer.decline')}
          </button>
        </form>
      </div>
    </section>
  );
}

async function acceptOffer({ api, params, locale: { say } }: SignedIn): Promise<PageReply> {
  const path = `/api/transfer/${segment(params.id ?? '')}/accept`;
  const result = await api.post(path, undefined, deviceView);
  if (result.type === 'ok') return seeOther('/my/devices', say('offer.yours', { name: result.value.name }));
  return refusedTo(
    '/offers',
    result.status === 404 || result.status === 410 ? say('offer.gone') : refusalWords(result, say),
  );
}

async function acceptCode(visit: SignedIn): Promise<PageReply> {
  const { say } = visit.locale;
  const code = visit.form.text('code').trim();
  const result = await visit.api.post('/api/transfer/accept', { code }, deviceView);
  if (result.type === 'ok') return seeOther('/my/devices', say('offer.yours', { name: result.value.name }));
  if (result.status === 404) {
    return offersReply(visit, say('offer.codeUnknown'));
  }
  return offersReply(visit, refusalWords(result, say), result.status === 429 ? 429 : 400);
}

export const transferPages: readonly Page[] = [
  memberPage('/my/devices/:id/hand-over', CUSTOMER, {
    get: (visit) => handOverReply(visit),
    post: makeOffer,
  }),
  memberPage('/my/devices/:id/withdraw', CUSTOMER, {
    async post(visit) {
      const { id, name } = await deviceOf(visit);
      const result = await visit.api.act('DELETE', transferOf(name));
      return saidAt(
        `/my/devices/${id.id}/hand-over`,
        result,
        visit.locale.say('offer.withdrawn'),
        visit.locale,
      );
    },
  }),
  memberPage('/offers', CUSTOMER, { get: (visit) => offersReply(visit) }),
  memberPage('/offers/code', CUSTOMER, { post: acceptCode }),
  memberPage('/offers/:id/accept', CUSTOMER, { post: acceptOffer }),
  memberPage('/offers/:id/decline', CUSTOMER, {
    async post({ api, params, locale: { say } }) {
      const result = await api.act('POST', `/api/transfer/${segment(params.id ?? '')}/decline`);
      return result.type === 'ok'
        ? seeOther('/offers', say('offer.declined'))
        : refusedTo('/offers', say('offer.gone'));
    },
  }),
];
