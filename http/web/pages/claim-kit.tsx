/** Claiming a kit, by the person who has the box in hand: one code for all that is in it. */
import { CUSTOMER } from '../../auth/principal.ts';
import { claimedKitView } from '../../views/kit.ts';
import { segment } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn, seeOther } from '../page.ts';
import { Field, Head, Refusal } from '../parts/elements.tsx';
import { count } from '../parts/list.tsx';
import { explainOutcome, KIT_STATES } from './kit-words.ts';

const REFRESH_SECONDS = 2;

function formReply(
  code: string,
  refusal?: { readonly status: 400 | 429 | 503; readonly text: string },
): PageReply {
  return {
    type: 'page',
    title: 'Claim a kit',
    narrow: true,
    status: refusal?.status ?? 200,
    body: (
      <>
        <Head title="Claim a kit" lead="All devices of an order at once, with the code on the box." />
        <form method="post" action="/claim/kit" class="card" autocomplete="off">
          <Refusal text={refusal?.text} />
          <Field
            name="code"
            label="Code"
            value={code}
            maxlength={255}
            required
            verbatim
            hint="Four groups of four letters and digits, as they are printed on the box."
          />
          <button type="submit" class="primary wide">
            Claim all
          </button>
        </form>
        <p>
          <a href="/claim">Claim a single device</a>
        </p>
      </>
    ),
  };
}

async function claim({ api, form, locale }: SignedIn): Promise<PageReply> {
  const code = form.text('code').trim();
  if (code === '') return formReply('', { status: 400, text: 'Type the code from the box.' });
  const answer = await api.post('/api/customer/claim/kit', { code }, claimedKitView);
  // Shown at an address of its own, so that reloading it claims nothing.
  if (answer.type === 'ok') return seeOther(`/claim/kit/${segment(answer.value.id)}`);
  const { status, retryAfterSeconds, message } = answer;
  if (status === 429) {
    const wait = count(locale, retryAfterSeconds ?? 60, 'second');
    return formReply(code, { status, text: `Too many wrong codes were tried. Please wait ${wait}.` });
  }
  if (status === 404) {
    const text = 'There is no such code. Check it on the box, letter by letter.';
    return formReply(code, { status: 400, text });
  }
  if (status === 400) return formReply(code, { status, text: message });
  return formReply(code, { status: 503, text: 'The server cannot answer just now. Please try again.' });
}

async function outcomeReply({ api, params }: SignedIn): Promise<PageReply> {
  const kit = await api.get(`/api/customer/claim/kit/${segment(params.kit ?? '')}`, claimedKitView);
  const underWay = kit.state === 'CLAIMING';
  return {
    type: 'page',
    title: underWay ? 'Claiming your kit' : 'Your kit',
    narrow: true,
    ...(underWay ? { refreshSeconds: REFRESH_SECONDS } : {}),
    body: (
      <>
        <Head title={underWay ? 'Claiming your kit' : 'It is yours'} lead={KIT_STATES[kit.state]} />
        <div class="card">
          <p role="status">
            {kit.claimed} of {kit.total} devices are yours.
            {kit.refused > 0 ? ` ${kit.refused} could not be claimed.` : ''}
          </p>
          <ul class="feed">
            {kit.devices.map((device) => (
              <li>
                <span>{device.name}</span> <span class="muted">{explainOutcome(device)}</span>
              </li>
            ))}
          </ul>
          <p class="row">
            <a class="button primary" href="/my/devices">
              My devices
            </a>
          </p>
        </div>
      </>
    ),
  };
}

export const claimKitPages: readonly Page[] = [
  memberPage('/claim/kit', CUSTOMER, { get: () => formReply(''), post: claim }),
  memberPage('/claim/kit/:kit', CUSTOMER, { get: outcomeReply }),
];
