/** Claiming a kit, by the person who has the box in hand: one code for all that is in it. */
import { CUSTOMER } from '../../auth/principal.ts';
import { claimedKitView } from '../../views/kit.ts';
import { segment } from '../api.ts';
import { memberPage, type Page, type PageReply, type SignedIn, seeOther } from '../page.ts';
import { Field, Head, Refusal } from '../parts/elements.tsx';
import { refusalWords } from '../refusal-words.ts';
import { explainOutcome, kitState } from './kit-words.ts';

const REFRESH_SECONDS = 2;

function formReply(
  { locale: { say } }: SignedIn,
  code: string,
  refusal?: { readonly status: 400 | 429 | 503; readonly text: string },
): PageReply {
  return {
    type: 'page',
    title: say('kit.title'),
    narrow: true,
    status: refusal?.status ?? 200,
    body: (
      <>
        <Head title={say('kit.title')} lead={say('kit.lead')} />
        <form method="post" action="/claim/kit" class="card" autocomplete="off">
          <Refusal text={refusal?.text} />
          <Field
            name="code"
            label={say('kit.code')}
            value={code}
            maxlength={255}
            required
            verbatim
            hint={say('kit.hint')}
          />
          <button type="submit" class="primary wide">
            {say('kit.button')}
          </button>
        </form>
        <p>
          <a href="/claim">{say('kit.single')}</a>
        </p>
      </>
    ),
  };
}

async function claim(visit: SignedIn): Promise<PageReply> {
  const { api, form, locale } = visit;
  const { say } = locale;
  const code = form.text('code').trim();
  if (code === '') return formReply(visit, '', { status: 400, text: say('kit.codeMissing') });
  const answer = await api.post('/api/customer/claim/kit', { code }, claimedKitView);
  // Shown at an address of its own, so that reloading it claims nothing.
  if (answer.type === 'ok') return seeOther(`/claim/kit/${segment(answer.value.id)}`);
  const { status, retryAfterSeconds } = answer;
  if (status === 429) {
    return formReply(visit, code, { status, text: say('kit.tooMany', { count: retryAfterSeconds ?? 60 }) });
  }
  if (status === 404) {
    return formReply(visit, code, { status: 400, text: say('kit.unknown') });
  }
  if (status === 400) return formReply(visit, code, { status, text: refusalWords(answer, say) });
  return formReply(visit, code, { status: 503, text: say('kit.away') });
}

async function outcomeReply({ api, params, locale: { say } }: SignedIn): Promise<PageReply> {
  const kit = await api.get(`/api/customer/claim/kit/${segment(params.kit ?? '')}`, claimedKitView);
  const underWay = kit.state === 'CLAIMING';
  return {
    type: 'page',
    title: underWay ? say('kit.claiming') : say('kit.yours'),
    narrow: true,
    ...(underWay ? { refreshSeconds: REFRESH_SECONDS } : {}),
    body: (
      <>
        <Head title={underWay ? say('kit.claiming') : say('claim.yours')} lead={kitState(kit.state, say)} />
        <div class="card">
          <p role="status">
            {say('kit.claimed', { claimed: kit.claimed, total: kit.total })}
            {kit.refused > 0 ? ` ${say('kit.refused', { count: kit.refused })}` : ''}
          </p>
          <ul class="feed">
            {kit.devices.map((device) => (
              <li>
                <span>{device.name}</span> <span class="muted">{explainOutcome(device, say)}</span>
              </li>
            ))}
          </ul>
          <p class="row">
            <a class="button primary" href="/my/devices">
              {say('mine.title')}
            </a>
          </p>
        </div>
      </>
    ),
  };
}

export const claimKitPages: readonly Page[] = [
  memberPage('/claim/kit', CUSTOMER, { get: (visit) => formReply(visit, ''), post: claim }),
  memberPage('/claim/kit/:kit', CUSTOMER, { get: outcomeReply }),
];
