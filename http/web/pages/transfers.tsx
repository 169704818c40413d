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
  resultAt,
  type SignedIn,
  seeOther,
} from '../page.ts';
import type { DeviceInfo } from '../parts/device-parts.tsx';
import { Back, Field, Head, Refusal, Time } from '../parts/elements.tsx';

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
  const offer = answer.status === 200 ? offerView.parse(answer.json) : undefined;
  return {
    type: 'page',
    title: `Hand ${device.name} over`,
    narrow: true,
    status: refusal === undefined ? 200 : 400,
    body: (
      <>
        <Back to="/my/devices" label="My devices" />
        <Head title="Hand it over" lead={device.name} />
        <Refusal text={refusal} />
        {offer === undefined ? null : <OpenOffer device={device} offer={offer} visit={visit} />}
        <OfferForm device={device} again={offer !== undefined} visit={visit} />
      </>
    ),
  };
}

/** For whom an offer is, in words. */
function partyText(to: Offer['to']): string {
  if (to.type === 'code') return 'whoever has its code';
  return to.type === 'email'
    ? (to.email ?? 'an e-mail address that cannot be read any more')
    : 'a customer, by its id';
}

interface OfferProps {
  readonly device: DeviceInfo;
  readonly offer: Offer;
  readonly visit: SignedIn;
}

function OpenOffer({ device, offer, visit: { locale } }: OfferProps) {
  return (
    <section class="card" aria-labelledby="open">
      <h2 id="open">It is on offer</h2>
      <p>
        To {partyText(offer.to)}, until <Time at={offer.expiresAt} locale={locale} />. It stays yours until
        the other side accepts.
      </p>
      <form method="post" action={`/my/devices/${device.id.id}/withdraw`}>
        <button type="submit">Withdraw the offer</button>
      </form>
    </section>
  );
}

interface OfferFormProps {
  readonly device: DeviceInfo;
  readonly again: boolean;
  readonly visit: SignedIn;
}

function OfferForm({ device, again, visit: { form } }: OfferFormProps) {
  return (
    <form method="post" action={`/my/devices/${device.id.id}/hand-over`} class="card">
      {again ? <h2>Make another offer instead</h2> : null}
      <Field
        name="to"
        label="E-mail of the new owner"
        value={form.text('to')}
        maxlength={254}
        verbatim
        hint="Leave it empty to get a code, which you give to the new owner yourself."
      />
      <Field
        name="days"
        label="The offer stands for days"
        type="number"
        value={form.text('days') || String(DAYS_DEFAULT)}
        hint={`At most ${DAYS_MAX}. You can withdraw it before.`}
      />
      <button type="submit" class="primary wide">
        Offer it
      </button>
    </form>
  );
}

async function makeOffer(visit: SignedIn): Promise<PageReply> {
  const { api, form } = visit;
  const device = await deviceOf(visit);
  const days = Number(form.text('days').trim() || DAYS_DEFAULT);
  if (!(days > 0 && days <= DAYS_MAX)) return handOverReply(visit, `Choose 1 to ${DAYS_MAX} days.`);
  const body = { to: form.text('to').trim() || null, expiresInMs: Math.ceil(days * DAY_MS) };
  const result = await api.post(transferOf(device.name), body, newOfferView);
  if (result.type === 'refused') return handOverReply(visit, result.message);
  const { code, to } = result.value;
  if (code === null) {
    const text = `“${device.name}” is offered to ${partyText(to)}. Tell them to look at “Offers” when they are signed in.`;
    return seeOther(`/my/devices/${device.id.id}/hand-over`, text);
  }
  return codeReply(visit, device, result.value, code);
}

/** Shown in the answer itself, and nowhere after: the server does not keep codes. */
function codeReply({ locale }: SignedIn, device: DeviceInfo, offer: NewOffer, code: string): PageReply {
  return {
    type: 'page',
    title: 'The code of your offer',
    narrow: true,
    body: (
      <div class="card">
        <h1>Give this code to the new owner</h1>
        <p class="big">
          <code>{code}</code>
        </p>
        <p>
          Whoever types it under “Offers” gets “{device.name}”, until{' '}
          <Time at={offer.expiresAt} locale={locale} />. It is shown only now; if it is lost, make another
          offer.
        </p>
        <p>
          <a class="button primary" href="/my/devices">
            My devices
          </a>
        </p>
      </div>
    ),
  };
}

// ----------------------------------------------------------------------------------------------------- the other side

async function offersReply(visit: SignedIn, refusal?: string, status: 400 | 429 = 400): Promise<PageReply> {
  const offers = await visit.api.get('/api/transfers', z.array(incomingOfferView));
  return {
    type: 'page',
    title: 'Offers',
    narrow: true,
    status: refusal === undefined ? 200 : status,
    body: (
      <>
        <Head title="Offered to you" lead="Devices that their owners want to hand over." />
        <Refusal text={refusal} />
        {offers.length === 0 ? (
          <div class="card empty">
            Nobody offers you a device by your e-mail. Its owner makes an offer under “My devices”, or tells
            you a code.
          </div>
        ) : null}
        {offers.map((offer) => (
          <IncomingOffer offer={offer} visit={visit} />
        ))}
        <form method="post" action="/offers/code" class="card" autocomplete="off">
          <h2>Did you get a code?</h2>
          <Field
            name="code"
            label="Code"
            value={visit.form.text('code')}
            maxlength={64}
            required
            verbatim
            hint="Four groups of four."
          />
          <button type="submit" class="primary wide">
            Accept
          </button>
        </form>
      </>
    ),
  };
}

function IncomingOffer({ offer, visit: { locale } }: { offer: Incoming; visit: SignedIn }) {
  const { transferId, deviceName, deviceType, offeredBy, expiresAt } = offer;
  return (
    <section class="card">
      <h2>
        {deviceName} <small>{deviceType}</small>
      </h2>
      <p>
        From {offeredBy}, until <Time at={expiresAt} locale={locale} />
      </p>
      <div class="row">
        <form method="post" action={`/offers/${transferId}/accept`}>
          <button type="submit" class="primary">
            Accept<span class="sr"> {deviceName}</span>
          </button>
        </form>
        <form method="post" action={`/offers/${transferId}/decline`}>
          <button type="submit">
            Decline<span class="sr"> {deviceName}</span>
          </button>
        </form>
      </div>
    </section>
  );
}

const GONE = 'It is not on offer any more. Ask its owner for another offer.';

async function acceptOffer({ api, params }: SignedIn): Promise<PageReply> {
  const path = `/api/transfer/${segment(params.id ?? '')}/accept`;
  const result = await api.post(path, undefined, deviceView);
  if (result.type === 'ok') return seeOther('/my/devices', `“${result.value.name}” is yours now.`);
  return refusedTo('/offers', result.status === 404 || result.status === 410 ? GONE : result.message);
}

async function acceptCode(visit: SignedIn): Promise<PageReply> {
  const code = visit.form.text('code').trim();
  const result = await visit.api.post('/api/transfer/accept', { code }, deviceView);
  if (result.type === 'ok') return seeOther('/my/devices', `“${result.value.name}” is yours now.`);
  if (result.status === 404) {
    return offersReply(visit, 'No device is offered under this code: it is mistyped, used, or too old.');
  }
  return offersReply(visit, result.message, result.status === 429 ? 429 : 400);
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
      return resultAt(`/my/devices/${id.id}/hand-over`, result, 'The offer is withdrawn.');
    },
  }),
  memberPage('/offers', CUSTOMER, { get: (visit) => offersReply(visit) }),
  memberPage('/offers/code', CUSTOMER, { post: acceptCode }),
  memberPage('/offers/:id/accept', CUSTOMER, { post: acceptOffer }),
  memberPage('/offers/:id/decline', CUSTOMER, {
    async post({ api, params }) {
      const result = await api.act('POST', `/api/transfer/${segment(params.id ?? '')}/decline`);
      return result.type === 'ok' ? seeOther('/offers', 'Declined.') : refusedTo('/offers', GONE);
    },
  }),
];
