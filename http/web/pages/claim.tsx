/** Claiming, by whoever holds the device in its hands: name and key, from the label or typed. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { deviceInfoView } from '../../views/device.ts';
import {
  ATTEMPTS_LEFT_HEADER,
  CLAIM_REFUSAL_HEADER,
  isClaimRefusal,
  REPLAYED_HEADER,
} from '../../wire/claim-refusal.ts';
import { failedOf, part, query, type Sent } from '../api.ts';
import { memberPage, type Node, type Page, type PageReply, type SignedIn } from '../page.ts';
import { Field, Time } from '../parts/layout.tsx';

const claimedView = z.object({ device: z.object({ id: z.object({ id: z.string() }), name: z.string() }) });

interface Refused {
  readonly title: string;
  readonly what: string;
  /** Not the key's fault: showing the form at once would only have it tried again. */
  readonly kind: 'bad' | 'warn';
}

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
      {/* Sent twice, by a double tap or after a lost answer, it is carried out once. */}
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

function reply(device: string, refused?: Refused, status: 200 | 400 | 429 | 503 = 400): PageReply {
  return {
    type: 'page',
    title: refused?.title ?? 'Claim a device',
    narrow: true,
    islands: ['claim.js'],
    status: refused === undefined ? 200 : status,
    body: (
      <>
        <div class="head">
          <div>
            <h1>Claim a device</h1>
            <p class="lead">Make it yours with the name and the key on its label.</p>
          </div>
        </div>
        {refused === undefined ? null : (
          <div class={`note ${refused.kind}`} role="alert">
            <h2>{refused.title}</h2>
            <p>{refused.what}</p>
          </div>
        )}
        <ClaimForm device={device} answered={refused !== undefined} />
      </>
    ),
  };
}

/** Every refusal in plain words: what happened, and what to do. */
function refusalOf(
  sent: Sent,
  device: string,
  locale: SignedIn['locale'],
): readonly [Refused, 400 | 429 | 503] {
  const { status, retryAfterSeconds } = failedOf(sent);
  const bad = (title: string, what: string): readonly [Refused, 400] => [{ title, what, kind: 'bad' }, 400];
  const warn = (title: string, what: string): readonly [Refused, 400] => [{ title, what, kind: 'warn' }, 400];
  if (status === 429) {
    const wait = retryAfterSeconds ?? 60;
    const what = `Too many wrong keys were tried. Please wait ${seconds(wait, locale)} and try again with the key from the label.`;
    return [{ title: 'Please wait a little', what, kind: 'warn' }, 429];
  }
  if (status === 404) {
    return bad(
      'There is no such device',
      `Nothing here is called “${device}”. Check the name on the label, letter by letter; capitals matter.`,
    );
  }
  if (status !== 400) {
    const what = 'The server can not answer just now. Your device is safe; please try again in a moment.';
    return [{ title: 'Just a moment', what, kind: 'warn' }, 503];
  }
  const header = sent.headers.get(CLAIM_REFUSAL_HEADER) ?? (sent.json === 'CLAIMED' ? 'already-claimed' : '');
  const left = sent.headers.get(ATTEMPTS_LEFT_HEADER);
  if (!isClaimRefusal(header)) {
    return bad(
      'This could not be claimed',
      'Name, key or moment do not fit. Check both on the label, press the button on the device again, and repeat.',
    );
  }
  switch (header) {
    case 'wrong-secret': {
      const more =
        left === null
          ? ''
          : Number(left) === 0
            ? ' That was the last attempt for now.'
            : ` You have ${attempts(Number(left), locale)} left.`;
      return bad(
        'The key is wrong',
        `The device is waiting, but this is not its key. Check it on the label, letter by letter.${more}`,
      );
    }
    case 'no-window':
      return warn(
        'The device is not waiting for you',
        'Press the button on the device, so that it opens its claim window. Then claim it here again.',
      );
    case 'window-elapsed':
      return warn(
        'The time was up',
        'The device stopped waiting before you claimed it. Press the button on the device again, then claim it here.',
      );
    case 'not-allowed':
      return warn(
        'Not allowed yet',
        'Whoever supplied the device has not released it for claiming. Please ask there.',
      );
    case 'already-claimed':
      return bad(
        'It belongs to someone else',
        'Somebody has claimed this device already. Whoever owns it has to give it back before you can claim it.',
      );
    case 'already-yours':
      return warn(
        'It is yours already',
        'You own this device; there is nothing left to do. You find it under “My devices”.',
      );
    default:
      return header satisfies never;
  }
}

const seconds = (count: number, { number }: SignedIn['locale']) =>
  `${number(count)} second${count === 1 ? '' : 's'}`;
const attempts = (count: number, { number }: SignedIn['locale']) =>
  `${number(count)} attempt${count === 1 ? '' : 's'}`;

function Claimed({ name, since, visit }: { name: string; since: number; visit: SignedIn }): Node {
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
/** No path can have them as a part: browsers and servers take them for steps up. */
const STEPS = /^\.{1,2}$/;
const NO_SUCH_DEVICE: Sent = { status: 404, text: '', json: undefined, headers: new Headers() };

/**
 * Claims, once however often the form is sent. But who loads the page of a refusal anew, or goes back to the form, sends
 * it again because something has changed since: then it is asked anew, unless that would count as one more wrong key.
 */
async function claim(api: SignedIn['api'], device: string, secretKey: string, once: string): Promise<Sent> {
  if (STEPS.test(device)) return NO_SUCH_DEVICE;
  const ask = (headers: Record<string, string>) =>
    api.send('POST', `/api/customer/device/${part(device)}/claim`, { secretKey }, headers);
  const sent = await ask(ONCE.test(once) ? { 'Idempotency-Key': `web ${once}` } : {});
  const why = sent.headers.get(CLAIM_REFUSAL_HEADER);
  const outdated = sent.headers.has(REPLAYED_HEADER) && why !== null && why !== 'wrong-secret';
  const ofAnotherForm = sent.status === 422;
  return outdated || ofAnotherForm ? ask({}) : sent;
}

export const claimPages: readonly Page[] = [
  memberPage('/claim', ['CUSTOMER_USER'], {
    get: () => reply(''),
    async post(visit) {
      const { api, form, locale } = visit;
      const device = form.text('device').trim();
      if (device === '')
        return reply('', {
          title: 'The name is missing',
          what: 'Type the name from the label.',
          kind: 'bad',
        });
      const sent = await claim(api, device, form.text('key'), form.text('once'));
      if (sent.status !== 200) return reply(device, ...refusalOf(sent, device, locale));
      const { id } = claimedView.parse(sent.json).device;
      // Shown under an address of its own: loading that again claims nothing again.
      return { type: 'see-other', to: `/claim/done?${query({ device: id.id })}` };
    },
  }),

  memberPage('/claim/done', ['CUSTOMER_USER'], {
    async get(visit) {
      const info = await visit.api.get(
        `/api/device/info/${part(visit.query.get('device') ?? '')}`,
        deviceInfoView,
      );
      const since = info.ownedSince ?? visit.nowMs;
      return {
        type: 'page',
        title: 'It is yours',
        narrow: true,
        body: <Claimed name={info.name} since={since} visit={visit} />,
      };
    },
  }),
];
