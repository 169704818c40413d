/** One device, as its tenant sees it: how it stands, whose it is, how it is claimed, what happened to it. */
import { auditView } from '../../views/audit.ts';
import { credentialsView } from '../../views/credentials.ts';
import { customerView } from '../../views/customer.ts';
import { attributesView, deviceInfoView, deviceView } from '../../views/device.ts';
import { pageView } from '../../views/page.ts';
import { type Failed, part, query, type Result } from '../api.ts';
import { memberPage, type Page, refusedTo, type SignedIn, seeOther } from '../page.ts';
import { claimingData, daysOf } from '../parts/claim-key.ts';
import { ClaimDetail, ClaimState, type DeviceInfo } from '../parts/claim-state.tsx';
import { confirmReply } from '../parts/confirm.tsx';
import { Claiming, Owner } from '../parts/device-sections.tsx';
import { Field, Pager, pageOf, rangeOf, Time } from '../parts/layout.tsx';
import { Trail } from '../parts/trail.tsx';

const TENANT = ['TENANT_ADMIN'] as const;
const auditPage = pageView(auditView);
const customersPage = pageView(customerView);
const TRAIL_SIZE = 50;
/** Customers offered by name; others are typed. */
const OFFERED = 100;

const deviceOf = ({ api, params }: SignedIn): Promise<DeviceInfo> =>
  api.get(`/api/device/info/${part(params.id ?? '')}`, deviceInfoView);

const attributesOf = (id: string) => `/api/plugins/telemetry/${id}/SERVER_SCOPE`;

/** A form of one device: does something, and leads back with what came of it. */
function action(
  name: string,
  good: string,
  run: (visit: SignedIn, device: DeviceInfo) => Promise<Result<unknown>>,
): Page {
  return memberPage(`/devices/:id/${name}`, TENANT, {
    async post(visit) {
      const device = await deviceOf(visit);
      const done = await run(visit, device);
      const to = `/devices/${device.id.id}`;
      return done.type === 'ok' ? seeOther(to, good) : refusedTo(to, done.message);
    },
  });
}

export const devicePagesOfOne: readonly Page[] = [
  memberPage('/devices/:id', TENANT, {
    async get(visit) {
      const { api, locale, nowMs } = visit;
      const device = await deviceOf(visit);
      const { id } = device.id;
      const [credentials, rows, customers] = await Promise.all([
        api.get(`/api/device/${id}/credentials`, credentialsView),
        api.get(
          `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SERVER_SCOPE?keys=claimingData`,
          attributesView,
        ),
        api.get(`/api/customers?${query({ pageSize: OFFERED })}`, customersPage),
      ]);
      const titles = customers.data.map(({ title }) => title);
      return {
        type: 'page',
        title: device.name,
        body: (
          <>
            <p>
              <a href="/devices">Devices</a>
            </p>
            <div class="head">
              <div>
                <h1>{device.name}</h1>
                <p>
                  <ClaimState device={device} locale={locale} nowMs={nowMs} />{' '}
                  <ClaimDetail device={device} locale={locale} nowMs={nowMs} />
                </p>
              </div>
              <a class="button" href={`/devices/${id}/history`}>
                What happened to it
              </a>
            </div>
            <div class="grid two">
              <div>
                <section class="card" aria-labelledby="about">
                  <h2 id="about">About</h2>
                  <dl>
                    <dt>Created</dt>
                    <dd>
                      <Time at={device.createdTime} locale={locale} />
                    </dd>
                    <dt>Connected</dt>
                    <dd>{device.active ? 'Yes, by MQTT' : 'Not at this moment'}</dd>
                    <dt>Profile</dt>
                    <dd>{device.deviceProfileName}</dd>
                    <dt>Credentials</dt>
                    <dd>
                      <details>
                        <summary>Show</summary>
                        <code>{credentials.credentialsId}</code> <small>{credentials.credentialsType}</small>
                      </details>
                    </dd>
                  </dl>
                </section>
                <section class="card" aria-labelledby="edit">
                  <h2 id="edit">Name and type</h2>
                  <form method="post" action={`/devices/${id}/edit`}>
                    <Field name="name" label="Name" value={device.name} maxlength={255} required verbatim />
                    <Field name="type" label="Type" value={device.type} maxlength={255} />
                    <Field name="label" label="Description" value={device.label ?? ''} maxlength={255} />
                    <button type="submit">Save</button>
                  </form>
                </section>
              </div>
              <div>
                <Owner device={device} titles={titles} visit={visit} />
                <Claiming device={device} visit={visit} keyed={rows.length > 0} />
                <p>
                  <a href={`/devices/${id}/delete`}>Delete this device</a>
                </p>
              </div>
            </div>
          </>
        ),
      };
    },
  }),

  memberPage('/devices/:id/history', TENANT, {
    async get(visit) {
      const { api, locale, query: given } = visit;
      const device = await deviceOf(visit);
      const { id } = device.id;
      const page = pageOf(given);
      const wanted = query({ page, pageSize: TRAIL_SIZE, startTime: device.createdTime });
      const trail = await api.get(`/api/audit/logs/entity/DEVICE/${id}?${wanted}`, auditPage);
      return {
        type: 'page',
        title: `History of ${device.name}`,
        body: (
          <>
            <p>
              <a href={`/devices/${id}`}>{device.name}</a>
            </p>
            <div class="head">
              <h1>What happened to it</h1>
            </div>
            {trail.data.length === 0 ? (
              <div class="card empty">Nothing is written down yet.</div>
            ) : (
              <Trail entries={trail.data} locale={locale} />
            )}
            <Pager
              path={`/devices/${id}/history`}
              query={given}
              page={page}
              hasNext={trail.hasNext}
              summary={rangeOf(locale, page, TRAIL_SIZE, trail.data.length, trail.totalElements)}
            />
          </>
        ),
      };
    },
  }),

  action('edit', 'Saved.', async ({ api, form }, device) => {
    const { id, additionalInfo, deviceProfileId } = device;
    const names = {
      name: form.text('name').trim(),
      type: form.text('type').trim(),
      label: form.text('label').trim(),
    };
    return api.post('/api/device', { id, additionalInfo, deviceProfileId, ...names }, deviceView);
  }),
  action('permission', 'Saved.', async ({ api, form }, { id }) => {
    const given = form.text('permission');
    return given === 'default'
      ? api.act('DELETE', `${attributesOf(id.id)}?keys=claimingAllowed`)
      : api.act('POST', attributesOf(id.id), { claimingAllowed: given === 'allow' });
  }),
  action('key', 'The key is set. Print its label now, or later.', async ({ api, form, nowMs }, { id }) =>
    api.act('POST', attributesOf(id.id), { claimingData: claimingData(nowMs, daysOf(form.text('days'))) }),
  ),
  action('remove-key', 'The key is removed.', async ({ api }, { id }) =>
    api.act('DELETE', `${attributesOf(id.id)}?keys=claimingData`),
  ),
  action('close-window', 'The window is closed.', async ({ api }, { name }) =>
    api.act('DELETE', `/api/customer/device/${part(name)}/claim`),
  ),
  action('assign', 'Assigned.', async ({ api, form }, { id }) => {
    const title = form.text('customer').trim();
    const sent = await api.send('GET', `/api/tenant/customers?${query({ customerTitle: title })}`);
    if (sent.status !== 200) return unknownCustomer(title);
    const customer = customerView.parse(sent.json);
    return api.act('POST', `/api/customer/${customer.id.id}/device/${id.id}`);
  }),
  action('unassign', 'Nobody owns it now.', async ({ api }, { id }) =>
    api.act('DELETE', `/api/customer/device/${id.id}`),
  ),

  memberPage('/devices/:id/delete', TENANT, {
    async get(visit) {
      const device = await deviceOf(visit);
      const path = `/devices/${device.id.id}`;
      return confirmReply({
        title: 'Delete this device?',
        what: device.name,
        consequence:
          'It can not connect any more, and nobody owns it. Its name and its access token are free again. There is no way back.',
        action: `${path}/delete`,
        yes: 'Delete it',
        back: path,
      });
    },
    async post(visit) {
      const device = await deviceOf(visit);
      const done = await visit.api.act('DELETE', `/api/device/${device.id.id}`);
      return done.type === 'ok'
        ? seeOther('/devices', `“${device.name}” is deleted.`)
        : refusedTo('/devices', done.message);
    },
  }),
];

function unknownCustomer(title: string): Failed {
  return {
    type: 'failed',
    status: 404,
    message: `There is no customer “${title}”.`,
    retryAfterSeconds: undefined,
  };
}
