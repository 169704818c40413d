/** Claiming, by the person who has the device in hand: name and key, from the label or typed. */

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { CUSTOMER } from '../../auth/principal.ts';
import { deviceInfoView } from '../../views/device.ts';
import { CLAIM_REFUSAL_HEADER, REPLAYED_HEADER } from '../../wire/claim-refusal.ts';
import { type Answer, segment, toQuery } from '../api.ts';
import { type Element, memberPage, type Page, type PageReply, type SignedIn, seeOther } from '../page.ts';
import { Field, Head, Time } from '../parts/elements.tsx';
import { type Explained, explain, NAME_MISSING } from './claim-refusals.ts';

const claimedView = z.object({ device: z.object({ id: z.object({ id: z.string() }), name: z.string() }) });

function ClaimForm({ device, answered }: { device: string; answered: boolean }) {
  return (
    <form
      method="post"
      action="/claim"
      class="card"
      data-claim={answered ? 'answered' : ''}
      autocomplete="off"
    >
      <div class="note good" role="status" data-ready hidden>
        <p>
          Your label was read: <b data-ready-name />
        </p>
      </div>
      <div data-scan hidden>
        <p>
          <button type="button" class="wide">
            Scan the label
          </button>
        </p>
        <video muted playsinline hidden aria-label="Camera" />
        <p role="status" class="muted" />
      </div>
      {/* Sent twice, by a double tap or after a lost answer, the form claims once. */}
      <input type="hidden" name="once" value={randomUUID()} />
      <Field
        name="device"
        label="Device name"
        value={device}
        maxlength={255}
        required
        verbatim
        hint="As it is printed on the label, for example “Thermostat T1”."
      />
      <Field
        name="key"
        label="Key"
        type="password"
        autocomplete="off"
        verbatim
        hint="The secret on the label. Leave it empty if there is none."
      />
      <label class="check" hidden>
        <input type="checkbox" data-show-key /> Show the key
      </label>
      <button type="submit" class="primary wide">
        Claim
      </button>
    </form>
  );
}

function formReply(device: string, refusal?: Explained): PageReply {
  return {
    type: 'page',
    title: refusal?.title ?? 'Claim a device',
    narrow: true,
    islands: ['claim.js'],
    status: refusal?.status ?? 200,
    body: (
      <>
        <Head title="Claim a device" lead="Make it yours with the name and the key on its label." />
        {refusal === undefined ? null : (
          <div class={`note ${refusal.kind}`} role="alert">
            <h2>{refusal.title}</h2>
            <p>{refusal.text}</p>
          </div>
        )}
        <ClaimForm device={device} answered={refusal !== undefined} />
        <p>
          <a href="/claim/kit">A code for a whole box?</a>
        </p>
      </>
    ),
  };
}

function Claimed({ name, since, visit }: { name: string; since: number; visit: SignedIn }): Element {
  return (
    <div class="card">
      <div class="note good" role="status">
        <h1>It is yours</h1>
        <p>
          Since <Time at={since} now={visit.nowMs} locale={visit.locale} />.
        </p>
      </div>
      <p class="big">{name}</p>
      <p class="row">
        <a class="button primary" href="/my/devices">
          My devices
        </a>
        <a class="button" href="/claim">
          Claim another
        </a>
      </p>
    </div>
  );
}

const ONCE = /^[\w-]{1,64}$/;
/** Browsers and servers resolve these segments of a path, so no request can name such a device. */
const DOT_SEGMENT = /^\.{1,2}$/;
const NO_SUCH_DEVICE: Answer = { status: 404, text: '', json: undefined, headers: new Headers() };

/**
 * Claims once, however often the form is sent. But somebody who reloads a refusal, or goes back to the form, sends it
 * again because something has changed: then the claim is tried again, unless that could count as another wrong key.
 */
async function claim(api: SignedIn['api'], device: string, secretKey: string, once: string): Promise<Answer> {
  if (DOT_SEGMENT.test(device)) return NO_SUCH_DEVICE;
  const ask = (headers: Record<string, string>) =>
    api.send('POST', `/api/customer/device/${segment(device)}/claim`, { secretKey }, headers);
  const answer = await ask(ONCE.test(once) ? { 'Idempotency-Key': `web ${once}` } : {});
  const refusal = answer.headers.get(CLAIM_REFUSAL_HEADER);
  const outdated = answer.headers.has(REPLAYED_HEADER) && refusal !== null && refusal !== 'wrong-secret';
  const ofAnotherForm = answer.status === 422;
  return outdated || ofAnotherForm ? ask({}) : answer;
}

export const claimPages: readonly Page[] = [
  memberPage('/claim', CUSTOMER, {
    get: () => formReply(''),
    async post({ api, form, locale }) {
      const device = form.text('device').trim();
      if (device === '') return formReply('', NAME_MISSING);
      const answer = await claim(api, device, form.text('key'), form.text('once'));
      if (answer.status !== 200) return formReply(device, explain(answer, device, locale));
      const { id } = claimedView.parse(answer.json).device;
      // Shown at an address of its own, so that reloading it claims nothing.
      return seeOther(`/claim/done?${toQuery({ device: id.id })}`);
    },
  }),

  memberPage('/claim/done', CUSTOMER, {
    async get(visit) {
      const device = segment(visit.query.get('device') ?? '');
      const { name, ownedSince } = await visit.api.get(`/api/device/info/${device}`, deviceInfoView);
      return {
        type: 'page',
        title: 'It is yours',
        narrow: true,
        body: <Claimed name={name} since={ownedSince ?? visit.nowMs} visit={visit} />,
      };
    },
  }),
];
