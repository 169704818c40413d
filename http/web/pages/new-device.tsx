/** Creating one device, with a key for its label if wanted. */
import { TENANT } from '../../auth/principal.ts';
import { deviceView } from '../../views/device.ts';
import { toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { newClaimingData } from '../parts/claim-key.tsx';
import { Field, Refusal } from '../parts/elements.tsx';
import { refusalWords } from '../refusal-words.ts';

const formReply = (visit: SignedIn, refusal?: string): PageReply => ({
  type: 'page',
  title: visit.locale.say('new.title'),
  narrow: true,
  status: refusal === undefined ? 200 : 400,
  body: <NewDevice visit={visit} refusal={refusal} />,
});

function NewDevice({ visit, refusal }: { visit: SignedIn; refusal: string | undefined }) {
  const { form, locale } = visit;
  const { say } = locale;
  return (
    <div class="card">
      <h1>{say('new.title')}</h1>
      <Refusal text={refusal} />
      <form method="post" action="/devices/new">
        <Field
          name="name"
          label={say('new.name')}
          value={form.text('name')}
          maxlength={255}
          required
          verbatim
          hint={say('new.nameHint')}
        />
        <Field
          name="type"
          label={say('new.type')}
          value={form.text('type')}
          maxlength={255}
          hint={say('new.typeHint', { fallback: 'default' })}
        />
        <Field name="label" label={say('new.label')} value={form.text('label')} maxlength={255} />
        <Field
          name="accessToken"
          label={say('new.token')}
          value={form.text('accessToken')}
          maxlength={255}
          verbatim
          hint={say('new.tokenHint')}
        />
        <label class="check">
          <input type="checkbox" name="key" value="yes" /> {say('new.key')}
        </label>
        <div class="row">
          <button type="submit" class="primary">
            {say('new.create')}
          </button>
          <a class="button" href="/devices">
            {say('new.cancel')}
          </a>
        </div>
      </form>
    </div>
  );
}

export const newDevicePages: readonly Page[] = [
  memberPage('/devices/new', TENANT, {
    get: (visit) => formReply(visit),
    async post(visit) {
      const { api, form, nowMs, locale } = visit;
      const { say } = locale;
      const device = {
        name: form.text('name').trim(),
        type: form.text('type').trim(),
        label: form.text('label').trim(),
      };
      const token = toQuery({ accessToken: form.text('accessToken').trim() });
      const created = await api.post(`/api/device?${token}`, device, deviceView);
      if (created.type === 'refused') return formReply(visit, refusalWords(created, say, say('new.refused')));
      const { id } = created.value.id;
      if (form.text('key') === 'yes') {
        const attributes = `/api/plugins/telemetry/${id}/SERVER_SCOPE`;
        const keyed = await api.act('POST', attributes, newClaimingData(nowMs));
        if (keyed.type === 'refused')
          return refusedTo(`/devices/${id}`, say('new.keyless', { why: refusalWords(keyed, say) }));
      }
      return seeOther(`/devices/${id}`, say('new.created', { name: device.name }));
    },
  }),
];
