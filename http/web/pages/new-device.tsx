/** Creating one device, with a key for its label if wanted. */
import { TENANT } from '../../auth/principal.ts';
import { deviceView } from '../../views/device.ts';
import { toQuery } from '../api.ts';
import { memberPage, type Page, type PageReply, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { newClaimingData } from '../parts/claim-key.tsx';
import { Field, Refusal } from '../parts/elements.tsx';

const formReply = (visit: SignedIn, refusal?: string): PageReply => ({
  type: 'page',
  title: 'New device',
  narrow: true,
  status: refusal === undefined ? 200 : 400,
  body: <NewDevice visit={visit} refusal={refusal} />,
});

function NewDevice({ visit: { form }, refusal }: { visit: SignedIn; refusal: string | undefined }) {
  return (
    <div class="card">
      <h1>New device</h1>
      <Refusal text={refusal} />
      <form method="post" action="/devices/new">
        <Field
          name="name"
          label="Name"
          value={form.text('name')}
          maxlength={255}
          required
          verbatim
          hint="Unique among your devices; it is printed on the label."
        />
        <Field
          name="type"
          label="Type"
          value={form.text('type')}
          maxlength={255}
          hint="For example “thermostat”. Empty: default."
        />
        <Field name="label" label="Description" value={form.text('label')} maxlength={255} />
        <Field
          name="accessToken"
          label="Access token"
          value={form.text('accessToken')}
          maxlength={255}
          verbatim
          hint="The device connects with it. Empty: one is made."
        />
        <label class="check">
          <input type="checkbox" name="key" value="yes" /> Set a key for its label, so that it can be claimed
          without opening a window
        </label>
        <div class="row">
          <button type="submit" class="primary">
            Create
          </button>
          <a class="button" href="/devices">
            Cancel
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
      const { api, form, nowMs } = visit;
      const device = {
        name: form.text('name').trim(),
        type: form.text('type').trim(),
        label: form.text('label').trim(),
      };
      const token = toQuery({ accessToken: form.text('accessToken').trim() });
      const created = await api.post(`/api/device?${token}`, device, deviceView);
      if (created.type === 'refused') return formReply(visit, created.message);
      const { id } = created.value.id;
      if (form.text('key') === 'yes') {
        const attributes = `/api/plugins/telemetry/${id}/SERVER_SCOPE`;
        const keyed = await api.act('POST', attributes, newClaimingData(nowMs));
        if (keyed.type === 'refused')
          return refusedTo(`/devices/${id}`, `It was created, but has no key: ${keyed.message}`);
      }
      return seeOther(`/devices/${id}`, `“${device.name}” was created.`);
    },
  }),
];
