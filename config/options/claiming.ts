/** Claiming, and how often somebody may guess wrongly. */
import { defaultApiSettings } from '../../http/settings.ts';
import { bytes, count, DAY_MS, flag, integer, KIB, key, MIB, millis, section } from './declare.ts';

const LIMITS = defaultApiSettings.limits;

export const claim = section('Claiming', {
  allowClaimingByDefault: flag({
    key: 'security.claim.allowClaimingByDefault',
    env: 'SECURITY_CLAIM_ALLOW_CLAIMING_BY_DEFAULT',
    default: true,
    why: 'When false, a device can be claimed only while its server attribute claimingAllowed is true.',
  }),
  defaultDurationMs: integer({
    key: 'security.claim.duration',
    aliases: ['device.claim.duration'],
    env: 'SECURITY_CLAIM_DURATION',
    unit: 'ms',
    default: DAY_MS,
    min: 1,
    max: 100 * 365 * DAY_MS,
    why: 'How long a claim window stays open when the device does not say.',
  }),
  maxDurationMs: integer({
    key: 'security.claim.maxDuration',
    env: 'SECURITY_CLAIM_MAX_DURATION',
    unit: 'ms',
    default: 0,
    min: 0,
    max: 100 * 365 * DAY_MS,
    why: 'Longest window a device may ask for; more is refused, never cut. 0: no limit.',
  }),
  windowsPerDevice: count({
    key: 'security.claim.windows.perDevice',
    env: 'SECURITY_CLAIM_WINDOWS_PER_DEVICE',
    default: 600,
    min: 0,
    max: 10_000_000,
    why: 'How often one device may open a window within the next setting, also through gateways; more is refused as rate-limited. A device that works needs one, one that restarts without end a few; what is beyond only fills the disk. 0: no limit.',
  }),
  windowsPerDeviceWindowMs: millis({
    key: 'security.claim.windows.window',
    env: 'SECURITY_CLAIM_WINDOWS_WINDOW',
    default: 60_000,
    min: 1000,
    why: 'The time within which the windows that a device opens are counted; the longest that it has to wait.',
  }),
  uniformRefusals: flag({
    key: 'security.claim.uniformRefusals',
    env: 'SECURITY_CLAIM_UNIFORM_REFUSALS',
    default: defaultApiSettings.uniformRefusals,
    why: 'Refuse a claim with the same words, and count it alike, whether the device is unknown, owned by another or the secret is wrong. ThingsBoard tells them apart.',
  }),
  maxAttributeBytes: bytes({
    key: 'security.claim.maxAttributeBytes',
    env: 'SECURITY_CLAIM_MAX_ATTRIBUTE_BYTES',
    default: 64 * KIB,
    min: 1 * KIB,
    max: 1 * MIB,
    why: 'How much JSON the attributes of one device may come to; they are written with every change of the device.',
  }),
  serverKey: key({
    key: 'security.claim.serverKey',
    env: 'SECURITY_CLAIM_SERVER_KEY',
    minBytes: 32,
    why: 'Key under which claim secrets are digested and sealed. Without it one is made at the first start and kept in the data folder.',
  }),
  acceptNewServerKey: flag({
    key: 'security.claim.acceptNewServerKey',
    env: 'SECURITY_CLAIM_ACCEPT_NEW_SERVER_KEY',
    default: false,
    why: 'Start with another server key than the one the store was made with: for a key that is lost. Open windows and claimingData are lost with it.',
  }),
});

export const limits = section('Wrong secrets and passwords', {
  wrongSecretsPerCustomerAndDevice: count({
    key: 'security.claim.wrongSecrets.perCustomerAndDevice',
    env: 'SECURITY_CLAIM_WRONG_SECRETS_PER_CUSTOMER_AND_DEVICE',
    default: LIMITS.wrongSecretsPerCustomerAndDevice.max,
    min: 0,
    max: 1_000_000,
    why: 'Wrong secrets of one customer for one device within the window; beyond it that customer gets 429 for that device, others can still claim it. 0: no limit.',
  }),
  wrongSecretsPerCustomer: count({
    key: 'security.claim.wrongSecrets.perCustomer',
    env: 'SECURITY_CLAIM_WRONG_SECRETS_PER_CUSTOMER',
    default: LIMITS.wrongSecretsPerCustomer.max,
    min: 0,
    max: 1_000_000,
    why: 'The same for one customer over all devices.',
  }),
  wrongSecretsPerAddress: count({
    key: 'security.claim.wrongSecrets.perAddress',
    env: 'SECURITY_CLAIM_WRONG_SECRETS_PER_ADDRESS',
    default: LIMITS.wrongSecretsPerAddress.max,
    min: 0,
    max: 1_000_000,
    why: 'The same for one IP address; raise it when many customers come through one (see server.trusted_proxies).',
  }),
  wrongSecretsWindowMs: millis({
    key: 'security.claim.wrongSecrets.window',
    env: 'SECURITY_CLAIM_WRONG_SECRETS_WINDOW',
    default: LIMITS.wrongSecretsPerCustomer.windowMs,
    min: 1000,
    why: 'The window in which wrong secrets are counted; the longest that somebody has to wait.',
  }),
  wrongTokensLimited: flag({
    key: 'transport.rate_limits.ip_limits_enabled',
    env: 'TB_TRANSPORT_IP_RATE_LIMITS_ENABLED',
    default: false,
    why: 'Whether an address that shows wrong device credentials again and again has to wait. Off, as in ThingsBoard: tokens made here can not be guessed, and behind one NAT or proxy some broken devices would keep new ones out (not those that were there before). Switch it on where people choose tokens.',
  }),
  wrongTokensPerAddress: count({
    key: 'transport.rate_limits.max_wrong_credentials_per_ip',
    env: 'TB_TRANSPORT_MAX_WRONG_CREDENTIALS_PER_IP',
    default: 10,
    min: 1,
    max: 1_000_000,
    why: 'Wrong credentials of devices from one address within the next setting, for each transport; beyond it the answer is CONNACK 0x9F (older versions: 3), 429 or 4.29. Good ones are not counted.',
  }),
  wrongTokensWindowMs: millis({
    key: 'transport.rate_limits.ip_block_timeout',
    env: 'TB_TRANSPORT_IP_BLOCK_TIMEOUT',
    default: 60_000,
    min: 1000,
    why: 'The window in which wrong credentials are counted; the longest that an address has to wait.',
  }),
  failedLogins: count({
    key: 'security.login.max_failed',
    env: 'SECURITY_LOGIN_MAX_FAILED',
    default: LIMITS.failedLogins.max,
    min: 0,
    max: 1_000_000,
    why: 'Failed logins of one user name from one address within the window; beyond it the answer is 429. 0: no limit.',
  }),
  failedLoginsWindowMs: millis({
    key: 'security.login.window',
    env: 'SECURITY_LOGIN_WINDOW',
    default: LIMITS.failedLogins.windowMs,
    min: 1000,
    why: 'The window in which failed logins are counted.',
  }),
});
