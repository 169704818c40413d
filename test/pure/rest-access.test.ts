/**
 * Every route by every role on own, sibling's and foreign entities, walked from the definitions: a route without an
 * expectation here fails, and so does an expectation without a route.
 *
 * Expectations are statuses in the order foreign (another tenant's), sibling (same tenant, another customer's), own.
 * Without a token the answer is 401, wherever a route is not public.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TenantId } from '../../actors/base/ids.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import { firstProfileOf } from '../../actors/fleet/profiles.ts';
import type { Role } from '../../http/auth/principal.ts';
import type { Route } from '../../http/route.ts';
import {
  type Answer,
  type Caller,
  createRestWorld,
  type Household,
  openWindow,
  provision,
  type Resident,
  type RestWorld,
  settle,
  systemAdministrator,
} from '../kit/rest-client.ts';

/** What a request can be about: one customer with its user and a device that it owns, and a free device. */
interface Things {
  readonly tenantId: string;
  readonly customerId: string;
  readonly userId: string;
  readonly email: string;
  readonly deviceId: string;
  readonly deviceName: string;
  /** Nobody owns it; its window is open under the empty secret. */
  readonly freeName: string;
}

interface Request {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
}

interface Expectation {
  readonly request: (things: Things) => Request;
  readonly customer: string;
  readonly tenant: string;
  readonly system: string;
  /** Only for public routes. */
  readonly nobody?: string;
}

const ALL = (status: number) => `${status} ${status} ${status}`;
const NEVER = ALL(403);

/** A request that names no entity: the answer is the same for foreign, sibling and own. */
const unrelated = (customer: number, tenant: number, system: number, request: Request = {}): Expectation => ({
  request: () => request,
  customer: ALL(customer),
  tenant: ALL(tenant),
  system: ALL(system),
});
const publicly = (status: number, request: Request = {}): Expectation => ({
  ...unrelated(status, status, status, request),
  nobody: ALL(status),
});

const byDevice = ({ deviceId }: Things): Request => ({ params: { deviceId } });
const byCustomer = ({ customerId }: Things): Request => ({ params: { customerId } });
const byUser = ({ userId }: Things): Request => ({ params: { userId } });
const byTenant = ({ tenantId }: Things): Request => ({ params: { tenantId } });
const firstProfile = (tenantId: string) => firstProfileOf(tenantId as TenantId);
const byProfile = ({ tenantId }: Things): Request => ({ params: { profileId: firstProfile(tenantId) } });
const device = (id: string) => ({ entityType: 'DEVICE', id });

const DEVICE_READ = { customer: '404 403 200', tenant: '404 200 200', system: NEVER };
const TENANT_ONLY = { customer: NEVER, tenant: '404 200 200', system: NEVER };

/** A tenant sees its own audit trail only; a test of that is in `audit.test.ts`. */
const AUDIT = { customer: NEVER, tenant: ALL(200), system: NEVER };

const BASE = '/api/plugins/telemetry';
const attributes = (more: Request, bound: Readonly<Record<string, string>> = {}): Expectation => ({
  request: ({ deviceId }) => ({
    ...more,
    params: { deviceId, entityType: 'DEVICE', entityId: deviceId, scope: 'SERVER_SCOPE', ...bound },
  }),
  ...DEVICE_READ,
});
const saving = attributes({ body: { colour: 'red' } });
const deleting = attributes({ query: 'keys=colour' });
const reading = attributes({});

const calling = (status: number): Expectation => ({
  request: ({ deviceId }) => ({ params: { deviceId }, body: { method: 'reboot', params: {} } }),
  customer: `404 403 ${status}`,
  tenant: `404 ${status} ${status}`,
  system: NEVER,
});

const A_BATCH: Request = { params: { batchId: '00000000-0000-7000-8000-000000000000' } };
const AN_IMPORT: Request = { params: { importId: '00000000-0000-7000-8000-000000000000' } };

const A_TRANSFER: Request = { params: { transferId: '00000000-0000-7000-8000-000000000000' } };

const A_KIT: Request = { params: { kitId: '00000000-0000-7000-8000-000000000000' } };

/** No webhook has this id. */
const A_WEBHOOK = { webhookId: '00000000-0000-7000-8000-000000000000' };
const aboutWebhook = (body?: unknown): Expectation =>
  unrelated(403, 404, 403, { params: A_WEBHOOK, ...(body === undefined ? {} : { body }) });
const AN_URL = { url: 'https://example.org/hook' };

/** No provider has this id. */
const A_PROVIDER: Request = { params: { providerId: '00000000-0000-7000-8000-000000000000' } };
const AN_ISSUER = { title: 'A', loginButtonLabel: 'A', issuer: 'https://example.org', clientId: 'claimd' };

const EXPECTED: Readonly<Record<string, Expectation>> = {
  'POST /api/customer/device/:deviceName/claim': {
    request: ({ freeName }) => ({ params: { deviceName: freeName } }),
    // Free devices belong to nobody, so the sibling's answers as the own does.
    customer: '404 200 200',
    tenant: NEVER,
    system: NEVER,
  },
  'POST /api/customer/device/:deviceName/claim/wait': {
    request: ({ freeName }) => ({ params: { deviceName: freeName } }),
    customer: '404 200 200',
    tenant: NEVER,
    system: NEVER,
  },
  // The free device has no key to sign with.
  'POST /api/customer/device/:deviceName/claim/challenge': {
    request: ({ freeName }) => ({ params: { deviceName: freeName } }),
    customer: '404 400 400',
    tenant: NEVER,
    system: NEVER,
  },
  // No window waits for approval.
  'POST /api/device/:deviceId/claim/approve': {
    request: (things) => ({ ...byDevice(things), body: { openedAt: 1 } }),
    customer: NEVER,
    tenant: '404 400 400',
    system: NEVER,
  },
  'GET /api/device/:deviceId/ownership': { request: byDevice, ...DEVICE_READ },
  'GET /api/device/:deviceId/ownership/statement': { request: byDevice, ...DEVICE_READ },
  'GET /api/lostDevices': unrelated(200, 403, 403),
  'GET /.well-known/jwks.json': publicly(200),
  'DELETE /api/customer/device/:deviceName/claim': {
    request: ({ deviceName }) => ({ params: { deviceName } }),
    ...DEVICE_READ,
  },

  'POST /api/customer/device/:deviceName/transfer': {
    request: ({ deviceName }) => ({ params: { deviceName } }),
    customer: '404 403 200',
    tenant: NEVER,
    system: NEVER,
  },
  'GET /api/customer/device/:deviceName/transfer': {
    request: ({ deviceName }) => ({ params: { deviceName } }),
    // None of them is on offer.
    customer: '404 403 404',
    tenant: ALL(404),
    system: NEVER,
  },
  'DELETE /api/customer/device/:deviceName/transfer': {
    request: ({ deviceName }) => ({ params: { deviceName } }),
    ...DEVICE_READ,
  },
  'GET /api/customer/device/:deviceName/takeOver': {
    request: ({ deviceName }) => ({ params: { deviceName } }),
    // Nobody has asked for any of them.
    customer: '404 403 404',
    tenant: ALL(404),
    system: NEVER,
  },
  'DELETE /api/customer/device/:deviceName/takeOver': {
    request: ({ deviceName }) => ({ params: { deviceName } }),
    ...DEVICE_READ,
  },
  'GET /api/transfers': unrelated(200, 403, 403),
  'POST /api/transfer/accept': unrelated(404, 403, 403, { body: { code: 'no such code' } }),
  'POST /api/transfer/:transferId/accept': unrelated(404, 403, 403, A_TRANSFER),
  'POST /api/transfer/:transferId/decline': unrelated(404, 403, 403, A_TRANSFER),

  'POST /api/auth/login': publicly(401, { body: { username: 'nobody@x.test', password: 'password' } }),
  'POST /api/auth/token': publicly(401, { body: { refreshToken: 'x' } }),
  // The first call ends the session that the other two would use.
  'POST /api/auth/logout': {
    request: () => ({}),
    customer: '200 401 401',
    tenant: '200 401 401',
    system: '200 401 401',
  },
  'GET /api/auth/user': unrelated(200, 200, 200),
  'GET /api/audit/head': unrelated(403, 200, 403),
  'GET /api/audit/logs/export': unrelated(403, 200, 403),
  'GET /api/auth/sessions': unrelated(200, 200, 200),
  'GET /api/auth/signIns': unrelated(200, 200, 200),
  'GET /api/auth/signIns/others': unrelated(200, 200, 200),
  'POST /api/auth/signIns': unrelated(400, 400, 400, { body: { attempt: 'x', answer: 'x', ticket: 'x' } }),
  'DELETE /api/auth/signIns/:signInId': unrelated(404, 404, 404, {
    params: { signInId: '00000000-0000-7000-8000-000000000000' },
  }),
  'GET /api/2fa/providers': unrelated(200, 200, 200),
  'GET /api/2fa/account/settings': unrelated(200, 200, 200),
  'POST /api/2fa/account/config/generate': unrelated(200, 200, 200, { query: 'providerType=TOTP' }),
  'POST /api/2fa/account/config': unrelated(400, 400, 400, { body: { providerType: 'TOTP', authUrl: 'x' } }),
  'DELETE /api/2fa/account/config': unrelated(200, 200, 200, { query: 'providerType=TOTP' }),
  // With a whole session there is nothing to complete.
  'GET /api/auth/2fa/providers': unrelated(403, 403, 403),
  'POST /api/auth/2fa/verification/send': unrelated(403, 403, 403),
  'POST /api/auth/2fa/verification/check': unrelated(403, 403, 403),
  'POST /api/auth/2fa/login': unrelated(403, 403, 403),
  'GET /api/2fa/settings': unrelated(403, 403, 200),
  'POST /api/2fa/settings': unrelated(403, 403, 200, { body: { enforceTwoFa: false } }),
  'DELETE /api/auth/sessions': unrelated(200, 200, 200),
  'DELETE /api/auth/sessions/:sessionId': unrelated(404, 404, 404, {
    params: { sessionId: '00000000-0000-7000-8000-000000000000' },
  }),
  'DELETE /api/user/:userId/sessions': { request: byUser, ...TENANT_ONLY },
  'POST /api/auth/changePassword': unrelated(400, 400, 400, {
    body: { currentPassword: 'wrong', newPassword: 'another' },
  }),

  'GET /api/user/:userId/activationLink': {
    request: byUser, // all of them are activated
    customer: NEVER,
    tenant: '404 400 400',
    system: NEVER,
  },
  'POST /api/user/:userId/activationLink': {
    request: byUser, // all of them are activated
    customer: NEVER,
    tenant: '404 400 400',
    system: NEVER,
  },
  'GET /api/user/:userId/activationLinkInfo': {
    request: byUser,
    customer: NEVER,
    tenant: '404 400 400',
    system: NEVER,
  },
  'GET /api/noauth/userPasswordPolicy': publicly(200),
  'GET /api/noauth/activate': publicly(409, { query: 'activateToken=x' }),
  'POST /api/noauth/activate': publicly(400, { body: { activateToken: 'x', password: 'password' } }),

  'POST /api/user/sendActivationMail': unrelated(403, 404, 404, { query: 'email=nobody%40example.org' }),
  'POST /api/noauth/resetPasswordByEmail': publicly(200, { body: { email: 'nobody@example.org' } }),
  'GET /api/noauth/resetPassword': publicly(409, { query: 'resetToken=x' }),
  'POST /api/noauth/resetPassword': publicly(400, { body: { resetToken: 'x', password: 'password' } }),
  // Without a mail server; see `sockets/mail` and `processes/sign-up`.
  'POST /api/noauth/signup': publicly(404, { body: { email: 'nobody@example.org' } }),
  'POST /api/noauth/signup/complete': publicly(404, { body: { token: 'x', password: 'password' } }),
  'GET /api/admin/settings/mail': unrelated(403, 403, 404),
  'GET /api/user/deviceViews': unrelated(403, 200, 403),
  'POST /api/user/deviceViews': unrelated(403, 200, 403, { body: { name: 'mine' } }),
  'DELETE /api/user/deviceViews': unrelated(403, 404, 403, { query: 'name=none' }),
  'GET /api/user/mailNotices': unrelated(404, 403, 403),
  'POST /api/user/mailNotices': unrelated(404, 403, 403, { body: {} }),
  'GET /api/admin/options': unrelated(403, 403, 200),
  'POST /api/admin/settings': unrelated(403, 403, 400, { body: {} }),
  'POST /api/admin/settings/testMail': unrelated(403, 403, 400, { body: {} }),

  'GET /api/audit/logs': unrelated(403, 200, 403),
  'GET /api/audit/logs/customer/:customerId': { request: byCustomer, ...AUDIT },
  'GET /api/audit/logs/user/:userId': { request: byUser, ...AUDIT },
  'GET /api/audit/logs/entity/:entityType/:entityId': {
    request: ({ deviceId }) => ({ params: { entityType: 'DEVICE', entityId: deviceId } }),
    ...AUDIT,
  },
  'POST /api/apiKey': unrelated(200, 200, 200, { body: {} }),
  'GET /api/apiKeys/:userId': { request: byUser, customer: '403 403 200', tenant: NEVER, system: NEVER },
  'DELETE /api/apiKey/:apiKeyId': unrelated(404, 404, 404, {
    params: { apiKeyId: '00000000-0000-7000-8000-000000000000' },
  }),
  'GET /api/system/info': unrelated(200, 200, 200),
  'GET /api/dashboard/home': unrelated(200, 200, 200),
  'GET /api/dashboard/home/info': unrelated(200, 200, 200),
  'GET /api/mobile': unrelated(200, 200, 200),
  'GET /api/noauth/mobile': publicly(200),
  'GET /api/usage': unrelated(403, 200, 403),
  'POST /api/mqtt/auth': publicly(404, { body: {} }), // no shared secret is set here; see `mqtt-auth.test.ts`
  'POST /api/customer/public/device/:deviceId': { request: byDevice, ...TENANT_ONLY },
  'POST /api/auth/login/public': publicly(401, { body: { publicId: 'x' } }),
  'GET /api/device/types': unrelated(200, 200, 403),
  'GET /api/device/info/:deviceId': { request: byDevice, ...DEVICE_READ },
  'GET /api/tenant/deviceInfos': unrelated(403, 200, 403, { query: 'pageSize=10&page=0' }),
  'GET /api/customer/:customerId/deviceInfos': { request: byCustomer, ...DEVICE_READ },
  'GET /api/device/:deviceId/claimLabel': {
    request: byDevice, // it has no key
    customer: NEVER,
    tenant: ALL(404),
    system: NEVER,
  },
  'GET /api/deviceExport': unrelated(403, 404, 403, {
    query: `where=${encodeURIComponent(JSON.stringify({ customerId: '00000000-0000-7000-8000-000000000000' }))}`,
  }),
  'GET /api/deviceLabels': unrelated(403, 404, 403, { query: 'importId=nothing' }),
  'GET /api/deviceLabels/preview': unrelated(403, 404, 403, { query: 'importId=nothing' }),
  'POST /api/customer/claim/kit': unrelated(404, 403, 403, { body: { code: 'no such code' } }),
  'GET /api/customer/claim/kit/:kitId': unrelated(404, 403, 403, A_KIT),
  'POST /api/oauth2/client': unrelated(403, 200, 200, { body: AN_ISSUER }),
  'GET /api/oauth2/client/infos': unrelated(403, 200, 200),
  'GET /api/oauth2/client/list': unrelated(403, 200, 200, {
    query: 'clientIds=00000000-0000-7000-8000-000000000000',
  }),
  'GET /api/oauth2/client/:providerId': unrelated(403, 404, 404, A_PROVIDER),
  'DELETE /api/oauth2/client/:providerId': unrelated(403, 404, 404, A_PROVIDER),
  'POST /api/oauth2/client/:providerId/link': {
    ...unrelated(403, 403, 404),
    request: ({ userId }) => ({ ...A_PROVIDER, body: { userId, subject: 'a subject' } }),
  },
  'POST /api/oauth2/client/:providerId/test': unrelated(403, 404, 404, A_PROVIDER),
  'GET /api/oauth2/loginProcessingUrl': unrelated(403, 200, 200),
  'POST /api/noauth/oauth2Clients': publicly(200),
  'POST /api/noauth/oauth2/begin': publicly(404, {
    body: { providerId: '00000000-0000-7000-8000-000000000000' },
  }),
  'POST /api/noauth/oauth2/complete': publicly(400, { body: { attempt: 'no attempt', answer: '' } }),
  'POST /api/noauth/oauth2/backchannel-logout/:providerId': publicly(404, A_PROVIDER),
  'POST /api/noauth/oauth2/logout': publicly(404, { body: { logoutHint: 'none of ours' } }),
  'POST /api/webhook': unrelated(403, 200, 403, { body: AN_URL }),
  'GET /api/webhooks': unrelated(403, 200, 403),
  'GET /api/webhook/:webhookId': aboutWebhook(),
  'PUT /api/webhook/:webhookId': aboutWebhook(AN_URL),
  'DELETE /api/webhook/:webhookId': aboutWebhook(),
  'POST /api/webhook/:webhookId/enable': aboutWebhook(),
  'POST /api/webhook/:webhookId/disable': aboutWebhook(),
  'POST /api/webhook/:webhookId/secret/rotate': aboutWebhook({ graceSeconds: 60 }),
  'POST /api/webhook/:webhookId/test': aboutWebhook(),
  'GET /api/webhook/:webhookId/attempts': aboutWebhook(),
  'POST /api/webhook/:webhookId/attempts/:messageId/resend': unrelated(403, 404, 403, {
    params: { ...A_WEBHOOK, messageId: 'evt_1' },
  }),
  'POST /api/webhook/:webhookId/recover': aboutWebhook({ since: 0 }),
  'POST /api/webhook/:webhookId/replay': aboutWebhook({ since: 0 }),
  'POST /api/kit': unrelated(403, 400, 403, { body: { devices: ['no such device'] } }),
  'GET /api/kits': unrelated(403, 200, 403, { query: 'pageSize=10&page=0' }),
  'GET /api/kit/:kitId': unrelated(403, 404, 403, A_KIT),
  'POST /api/kit/:kitId/split': unrelated(403, 404, 403, { ...A_KIT, body: { devices: ['A'] } }),
  'DELETE /api/kit/:kitId': unrelated(403, 404, 403, A_KIT),
  'DELETE /api/kit/:kitId/record': unrelated(403, 404, 403, A_KIT),
  'POST /api/deviceImport': unrelated(403, 200, 403),
  'GET /api/deviceImports': unrelated(403, 200, 403),
  // Who may see an import is tested in `rest-fleet`.
  'GET /api/deviceImport/:importId': unrelated(403, 404, 403, AN_IMPORT),
  'GET /api/deviceImport/:importId/rows': unrelated(403, 404, 403, AN_IMPORT),
  'POST /api/deviceImport/:importId/rows': unrelated(403, 404, 403, {
    ...AN_IMPORT,
    body: { from: 0, rows: [] },
  }),
  'POST /api/deviceImport/:importId/start': unrelated(403, 404, 403, AN_IMPORT),
  'POST /api/deviceImport/:importId/cancel': unrelated(403, 404, 403, AN_IMPORT),
  'GET /api/deviceImport/:importId/result': unrelated(403, 404, 403, AN_IMPORT),
  'POST /api/deviceBatch': unrelated(403, 400, 403, { body: { change: 'DELETE' } }),
  'GET /api/deviceBatches': unrelated(403, 200, 403),
  // Who may see a batch, and change which devices by one, is tested in `rest-batches`.
  'GET /api/deviceBatch/:batchId': unrelated(403, 404, 403, A_BATCH),
  'GET /api/deviceBatch/:batchId/rows': unrelated(403, 404, 403, A_BATCH),
  'POST /api/deviceBatch/:batchId/cancel': unrelated(403, 404, 403, A_BATCH),
  'POST /api/deviceBatch/:batchId/undo': unrelated(403, 404, 403, A_BATCH),
  'GET /api/events': unrelated(403, 200, 403, { query: 'seconds=0' }),
  'GET /api/tenant/claimStatistics': unrelated(403, 200, 403),
  'GET /api/tenant/claimWindows': unrelated(403, 200, 403),
  'GET /api/tenant/claimDays': unrelated(403, 200, 403),
  'POST /api/device-with-credentials': {
    request: ({ customerId, deviceName }) => ({
      body: {
        device: { name: `${deviceName} two`, customerId: { entityType: 'CUSTOMER', id: customerId } },
        credentials: { credentialsType: 'ACCESS_TOKEN' },
      },
    }),
    ...TENANT_ONLY,
  },
  'POST /api/deviceProfile': {
    request: ({ tenantId }) => ({ body: { id: { id: firstProfile(tenantId) }, name: 'renamed' } }),
    ...TENANT_ONLY,
  },
  'GET /api/deviceProfile/names': unrelated(200, 200, 403),
  'GET /api/deviceProfile/:profileId': { request: byProfile, ...TENANT_ONLY },
  'DELETE /api/deviceProfile/:profileId': {
    request: byProfile, // the default
    customer: NEVER,
    tenant: '404 400 400',
    system: NEVER,
  },
  'POST /api/deviceProfile/:profileId/default': { request: byProfile, ...TENANT_ONLY },
  'GET /api/deviceProfiles': unrelated(403, 200, 403),
  'GET /api/deviceProfileInfos': unrelated(200, 200, 403),
  'GET /api/deviceProfileInfo/default': unrelated(200, 200, 403),
  'GET /api/deviceProfileInfo/:profileId': {
    request: byProfile,
    customer: '404 200 200',
    tenant: '404 200 200',
    system: NEVER,
  },
  'GET /api/users': unrelated(200, 200, 403),
  'GET /api/user/tokenAccessEnabled': unrelated(403, 200, 200),
  'GET /api/user/:userId/token': { request: byUser, ...TENANT_ONLY },

  'POST /api/device': {
    request: ({ deviceId, deviceName }) => ({
      body: { id: device(deviceId), name: deviceName, label: 'relabelled' }, // only the tenant renames (R4)
    }),
    ...DEVICE_READ,
  },
  'GET /api/device/:deviceId': { request: byDevice, ...DEVICE_READ },
  'DELETE /api/device/:deviceId': { request: byDevice, ...TENANT_ONLY },
  'GET /api/device/:deviceId/credentials': {
    request: byDevice, // what an owner may read is an option: see `rest-profiles`
    ...DEVICE_READ,
    customer: '404 403 403',
  },
  'POST /api/device/credentials': {
    request: ({ deviceId }) => ({
      body: { deviceId: device(deviceId), credentialsType: 'ACCESS_TOKEN', credentialsId: `new ${deviceId}` },
    }),
    ...TENANT_ONLY,
  },
  'GET /api/tenant/devices': unrelated(403, 200, 403, { query: 'pageSize=10&page=0' }),
  'GET /api/tenant/device': {
    request: ({ deviceName }) => ({ query: `deviceName=${encodeURIComponent(deviceName)}` }),
    ...TENANT_ONLY,
  },
  // Devices that the caller may not see are left out: see the test below.
  'GET /api/devices': {
    request: ({ deviceId }) => ({ query: `deviceIds=${deviceId}` }),
    customer: ALL(200),
    tenant: ALL(200),
    system: NEVER,
  },
  'GET /api/customer/:customerId/devices': { request: byCustomer, ...DEVICE_READ },
  'POST /api/customer/:customerId/device/:deviceId': {
    request: ({ customerId, deviceId }) => ({ params: { customerId, deviceId } }),
    ...TENANT_ONLY,
  },
  'DELETE /api/customer/device/:deviceId': { request: byDevice, ...TENANT_ONLY },

  [`POST ${BASE}/:deviceId/:scope`]: saving,
  [`POST ${BASE}/:entityType/:entityId/:scope`]: saving,
  [`POST ${BASE}/:entityType/:entityId/attributes/:scope`]: saving,
  [`DELETE ${BASE}/:deviceId/:scope`]: deleting,
  [`DELETE ${BASE}/:entityType/:entityId/:scope`]: deleting,
  [`GET ${BASE}/:entityType/:entityId/values/attributes`]: reading,
  [`GET ${BASE}/:entityType/:entityId/values/attributes/:scope`]: reading,
  [`GET ${BASE}/:entityType/:entityId/keys/attributes`]: reading,
  [`GET ${BASE}/:entityType/:entityId/keys/attributes/:scope`]: reading,

  'POST /api/rpc/oneway/:deviceId': calling(504),
  'POST /api/rpc/twoway/:deviceId': calling(504),
  'POST /api/plugins/rpc/oneway/:deviceId': calling(409),
  'POST /api/plugins/rpc/twoway/:deviceId': calling(409),

  'POST /api/customer': {
    request: ({ customerId }) => ({ body: { id: { id: customerId }, title: `renamed ${customerId}` } }),
    ...TENANT_ONLY,
  },
  'GET /api/customer/:customerId': { request: byCustomer, ...DEVICE_READ },
  'DELETE /api/customer/:customerId': { request: byCustomer, ...TENANT_ONLY },
  'GET /api/customers': unrelated(403, 200, 403),
  'GET /api/tenant/customers': { ...unrelated(403, 404, 403, { query: 'customerTitle=nobody' }) },

  'POST /api/user': {
    request: ({ userId, email }) => ({ body: { id: { id: userId }, email, authority: 'CUSTOMER_USER' } }),
    customer: '404 403 200',
    tenant: '404 200 200',
    system: NEVER, // customers' users are their tenants' business
  },
  'GET /api/user/:userId': { request: byUser, ...DEVICE_READ },
  'DELETE /api/user/:userId': { request: byUser, ...TENANT_ONLY },
  'POST /api/user/:userId/userCredentialsEnabled': {
    request: ({ userId }) => ({ params: { userId }, query: 'userCredentialsEnabled=false' }),
    ...TENANT_ONLY,
  },
  'GET /api/customer/:customerId/users': { request: byCustomer, ...TENANT_ONLY },
  'GET /api/tenant/:tenantId/users': { request: byTenant, customer: NEVER, tenant: NEVER, system: ALL(200) },

  'POST /api/tenant': {
    request: ({ tenantId }) => ({ body: { id: { id: tenantId }, title: 'renamed' } }),
    customer: NEVER,
    tenant: NEVER,
    system: ALL(200),
  },
  'GET /api/tenant/:tenantId/usage': { request: byTenant, customer: NEVER, tenant: NEVER, system: ALL(200) },
  'GET /api/tenant/:tenantId': {
    request: byTenant,
    customer: NEVER,
    tenant: '404 200 200',
    system: ALL(200),
  },
  'DELETE /api/tenant/:tenantId': {
    request: byTenant,
    customer: NEVER,
    tenant: NEVER,
    system: '200 200 404', // sibling and own are of one tenant: it is gone when own is asked for
  },
  'GET /api/tenants': unrelated(403, 403, 200),

  'GET /api/v1/:deviceToken/claim/credentials': publicly(401, { params: { deviceToken: 'NOBODY' } }),
  'POST /api/v1/:deviceToken/claim': publicly(401, { params: { deviceToken: 'NOBODY' } }),
  'GET /api/v1/:deviceToken/attributes': publicly(401, { params: { deviceToken: 'NOBODY' } }),
  'GET /api/v1/:deviceToken/attributes/updates': publicly(401, { params: { deviceToken: 'NOBODY' } }),
  'GET /api/v1/:deviceToken/rpc': publicly(401, { params: { deviceToken: 'NOBODY' } }),
  'POST /api/v1/:deviceToken/rpc': publicly(401, { params: { deviceToken: 'NOBODY' } }),
  'POST /api/v1/:deviceToken/rpc/:requestId': publicly(401, {
    params: { deviceToken: 'NOBODY', requestId: '1' },
  }),
  'POST /api/v1/:deviceToken/telemetry': publicly(401, { params: { deviceToken: 'NOBODY' } }),
  'POST /api/v1/:deviceToken/attributes': publicly(401, { params: { deviceToken: 'NOBODY' } }),

  'GET /v3/api-docs': publicly(200),
  'GET /v3/api-docs/3.0': publicly(200),
  'GET /swagger-ui': publicly(200),
  'GET /livez': publicly(200),
  'GET /readyz': publicly(200),
};

const ROLES = ['PUBLIC', 'CUSTOMER_USER', 'TENANT_ADMIN', 'SYS_ADMIN'] as const;
const keyOf = (route: Route) => `${route.method} ${route.path}`;

const blank = createRestWorld();
const { routes } = blank;
await blank.stop();

test('routes: each has an expectation, and each expectation a route', () => {
  assert.equal(routes.map(keyOf).sort(), Object.keys(EXPECTED).sort());
});

test('routes: none is hidden by an earlier one, but where a device is called "device"', () => {
  const hidden = routes.flatMap((later, at) =>
    routes
      .slice(0, at)
      .filter((earlier) => earlier.method === later.method && covers(earlier.path, later.path))
      .map((earlier) => `${keyOf(earlier)} hides ${keyOf(later)}`),
  );
  assert.equal(hidden, []);
});

/** Whether every path that fits `narrow` fits `wide`. */
function covers(wide: string, narrow: string): boolean {
  const [one, other] = [wide.split('/'), narrow.split('/')];
  return one.length === other.length && one.every((part, at) => part.startsWith(':') || part === other[at]);
}

for (const route of routes) {
  for (const role of ROLES) {
    test(`access: ${keyOf(route)} by ${role === 'PUBLIC' ? 'nobody' : role}`, () => walk(route, role));
  }
}

async function walk(route: Route, role: Role): Promise<void> {
  const expectation = EXPECTED[keyOf(route)];
  assert.ok(expectation, 'a route without an expectation');
  const world = createRestWorld();
  try {
    const [home, other] = [await settle(world, 'home'), await settle(world, 'other')];
    const things = [
      await thingsOf(world, other, other.alice),
      await thingsOf(world, home, home.bob),
      await thingsOf(world, home, home.alice),
    ];
    const caller = await callerOf(world, home, role);
    const expected = statuses(expectation, route, role);
    for (const [at, thing] of things.entries()) {
      const answer = await ask(caller, route, expectation.request(thing));
      const what = ['foreign', 'sibling', 'own'][at];
      assert.is(answer.status, expected[at], `${what}: ${answer.text}`);
      isWellShaped(route, answer);
      if (at === 0 && role !== 'SYS_ADMIN') isSilentAbout(answer, other.tenantId);
    }
  } finally {
    await world.stop();
  }
}

function statuses(expectation: Expectation, route: Route, role: Role): readonly number[] {
  const isPublic = route.roles.includes('PUBLIC');
  const expected = {
    PUBLIC: isPublic ? (expectation.nobody ?? '') : ALL(401),
    CUSTOMER_USER: expectation.customer,
    TENANT_ADMIN: expectation.tenant,
    SYS_ADMIN: expectation.system,
  }[role];
  if (!isPublic && role !== 'PUBLIC' && !route.roles.includes(role)) {
    assert.is(expected, NEVER, `${role} has no part in this route`);
  }
  return expected.split(' ').map(Number);
}

async function thingsOf(world: RestWorld, household: Household, owner: Resident): Promise<Things> {
  const { tenantId } = household;
  const { customerId, userId, email } = owner;
  const deviceName = `device of ${email}`;
  const freeName = `free device near ${email}`;
  const deviceId = await provision(world, tenantId, deviceName, customerId);
  await openWindow(world, await provision(world, tenantId, freeName), '');
  return { tenantId, customerId, userId, email, deviceId, deviceName, freeName };
}

async function callerOf(world: RestWorld, home: Household, role: Role): Promise<Caller> {
  switch (role) {
    case 'PUBLIC':
      return world.nobody;
    case 'CUSTOMER_USER':
      return home.alice;
    case 'TENANT_ADMIN':
      return home.admin;
    case 'SYS_ADMIN':
      return systemAdministrator(world);
    default:
      return unreachable(role);
  }
}

function ask(caller: Caller, route: Route, { params = {}, query, body }: Request): Promise<Answer> {
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  return caller.send(route.method, query === undefined ? path : `${path}?${query}`, init);
}

/** Success has the fields that the definition says; a refusal is the envelope or bare text. */
function isWellShaped(route: Route, { status, json, text }: Answer): void {
  const defined = route.responses[status];
  if (status === 200) assert.ok(defined, 'an answer that is not in the definition');
  if (status === 200 && defined?.schema !== undefined) {
    const read = defined.schema.safeParse(json);
    assert.ok(read.success, String(read.error));
    assert.equal(read.data, json, 'fields that are not in the definition');
  } else if (status === 401 || status === 403) {
    if (json === undefined) assert.ok(route.plainProblems || defined?.isEmpty, text);
    else {
      const members = Object.keys(json as object).filter((member) => member !== 'reason');
      assert.equal(members, ['status', 'message', 'errorCode', 'timestamp']);
    }
  }
}

function isSilentAbout({ text }: Answer, tenantId: string): void {
  assert.not.ok(text.includes(tenantId), `tells of another tenant: ${text}`);
}

test('access: several devices by id: only those that the caller may see', async () => {
  const world = createRestWorld();
  try {
    const [home, other] = [await settle(world, 'home'), await settle(world, 'other')];
    const own = await thingsOf(world, home, home.alice);
    const sibling = await thingsOf(world, home, home.bob);
    const foreign = await thingsOf(world, other, other.alice);
    const path = `/api/devices?deviceIds=${[own, sibling, foreign].map(({ deviceId }) => deviceId).join()}`;
    const ids = async (caller: Caller) =>
      ((await caller.get(path)).json as { id: { id: string } }[]).map(({ id }) => id.id);
    assert.equal(await ids(home.alice), [own.deviceId]);
    assert.equal(await ids(home.admin), [own.deviceId, sibling.deviceId]);
  } finally {
    await world.stop();
  }
});

test.run();
