/** Claiming, and limits on wrong secrets, credentials and passwords. */
import { defaultApiSettings } from '../../../http/settings.ts';
import { bytes, count, DAY_MS, flag, integer, KIB, key, MIB, millis, section } from './declare.ts';

const LIMITS = defaultApiSettings.limits;

export const claim = section('Claiming', {
  allowClaimingByDefault: flag({
    key: 'security.claim.allowClaimingByDefault',
    env: 'SECURITY_CLAIM_ALLOW_CLAIMING_BY_DEFAULT',
    default: true,
    why: 'If false, a device can be claimed only while its server attribute claimingAllowed is true.',
  }),
  defaultDurationMs: integer({
    key: 'security.claim.duration',
    aliases: ['device.claim.duration'],
    env: 'SECURITY_CLAIM_DURATION',
    unit: 'ms',
    default: DAY_MS,
    min: 1,
    max: 100 * 365 * DAY_MS,
    why: 'How long a claim window stays open if the device does not say.',
  }),
  maxDurationMs: integer({
    key: 'security.claim.maxDuration',
    env: 'SECURITY_CLAIM_MAX_DURATION',
    unit: 'ms',
    default: 0,
    min: 0,
    max: 100 * 365 * DAY_MS,
    why: 'Longest claim window that a device may ask for. A longer one is refused, not shortened. 0: no limit.',
  }),
  windowsPerDevice: count({
    key: 'security.claim.windows.perDevice',
    env: 'SECURITY_CLAIM_WINDOWS_PER_DEVICE',
    default: 600,
    min: 0,
    max: 10_000_000,
    why: 'How often one device may open a claim window within security.claim.windows.window, gateways included. More is refused as rate-limited: it would only fill the disk. 0: no limit.',
  }),
  windowsPerDeviceWindowMs: millis({
    key: 'security.claim.windows.window',
    env: 'SECURITY_CLAIM_WINDOWS_WINDOW',
    default: 60_000,
    min: 1000,
    why: 'Time within which the claim windows of a device are counted, and the longest that it has to wait.',
  }),
  uniformRefusals: flag({
    key: 'security.claim.uniformRefusals',
    env: 'SECURITY_CLAIM_UNIFORM_REFUSALS',
    default: defaultApiSettings.uniformRefusals,
    why: 'Whether a claim is refused with the same answer, and counted the same, for an unknown device, a device of another owner and a wrong secret. ThingsBoard answers differently.',
  }),
  customersReadCredentials: flag({
    key: 'security.claim.customersReadCredentials',
    env: 'SECURITY_CLAIM_CUSTOMERS_READ_CREDENTIALS',
    default: defaultApiSettings.customersReadCredentials,
    why: "Whether customers may read the credentials of devices that they own, as in ThingsBoard. Whoever has read a device's token can still act as the device after giving it back: open its claim window with a secret of his own, and claim it from its next owner.",
  }),
  maxAttributeBytes: bytes({
    key: 'security.claim.maxAttributeBytes',
    env: 'SECURITY_CLAIM_MAX_ATTRIBUTE_BYTES',
    default: 64 * KIB,
    min: 1 * KIB,
    max: 1 * MIB,
    why: "Largest size of one device's attributes as JSON. They are written with every change of the device.",
  }),
  serverKey: key({
    key: 'security.claim.serverKey',
    env: 'SECURITY_CLAIM_SERVER_KEY',
    minBytes: 32,
    why: 'Key that digests and seals claim secrets. By default one is made at the first start and kept in the data folder.',
  }),
  acceptNewServerKey: flag({
    key: 'security.claim.acceptNewServerKey',
    env: 'SECURITY_CLAIM_ACCEPT_NEW_SERVER_KEY',
    default: false,
    why: 'Set it once to start with another server key than the store was made with, after the old one was lost. Open windows and claimingData are lost with it.',
  }),
});

export const limits = section('Wrong secrets and passwords', {
  wrongSecretsPerCustomerAndDevice: count({
    key: 'security.claim.wrongSecrets.perCustomerAndDevice',
    env: 'SECURITY_CLAIM_WRONG_SECRETS_PER_CUSTOMER_AND_DEVICE',
    default: LIMITS.wrongSecretsPerCustomerAndDevice.max,
    min: 0,
    max: 1_000_000,
    why: 'Wrong secrets of one customer for one device within the window. After that this customer gets 429 for this device, and others can still claim it. 0: no limit.',
  }),
  wrongSecretsPerCustomer: count({
    key: 'security.claim.wrongSecrets.perCustomer',
    env: 'SECURITY_CLAIM_WRONG_SECRETS_PER_CUSTOMER',
    default: LIMITS.wrongSecretsPerCustomer.max,
    min: 0,
    max: 1_000_000,
    why: 'The same limit for one customer over all devices.',
  }),
  wrongSecretsPerAddress: count({
    key: 'security.claim.wrongSecrets.perAddress',
    env: 'SECURITY_CLAIM_WRONG_SECRETS_PER_ADDRESS',
    default: LIMITS.wrongSecretsPerAddress.max,
    min: 0,
    max: 1_000_000,
    why: 'The same limit for one IP address. Raise it where many customers share one address (see server.trusted_proxies).',
  }),
  wrongSecretsWindowMs: millis({
    key: 'security.claim.wrongSecrets.window',
    env: 'SECURITY_CLAIM_WRONG_SECRETS_WINDOW',
    default: LIMITS.wrongSecretsPerCustomer.windowMs,
    min: 1000,
    why: 'Time within which wrong secrets are counted, and the longest that a customer has to wait.',
  }),
  vainClaimsPerWrongSecret: count({
    key: 'security.claim.wrongSecrets.vainClaims',
    env: 'SECURITY_CLAIM_WRONG_SECRETS_VAIN_CLAIMS',
    default: LIMITS.vainClaimsPerWrongSecret,
    min: 1,
    max: 1_000_000,
    why: 'So many claims in vain count as one wrong secret: of a device without an open window, of another owner, that must not be claimed, or that does not exist. With the defaults a customer may ask for one device once a second.',
  }),
  wrongTokensLimited: flag({
    key: 'transport.rate_limits.ip_limits_enabled',
    env: 'TB_TRANSPORT_IP_RATE_LIMITS_ENABLED',
    default: false,
    why: 'Whether an address that sends wrong device credentials again and again has to wait. Off by default, as in ThingsBoard: generated tokens cannot be guessed, and broken devices behind a NAT would keep new ones out. Switch it on where people choose tokens.',
  }),
  wrongTokensPerAddress: count({
    key: 'transport.rate_limits.max_wrong_credentials_per_ip',
    env: 'TB_TRANSPORT_MAX_WRONG_CREDENTIALS_PER_IP',
    default: 10,
    min: 1,
    max: 1_000_000,
    why: 'Wrong device credentials from one address within transport.rate_limits.ip_block_timeout, for each transport. After that the answer is CONNACK 0x9F (before MQTT 5: 3), 429 or 4.29. Right ones are not counted.',
  }),
  wrongTokensWindowMs: millis({
    key: 'transport.rate_limits.ip_block_timeout',
    env: 'TB_TRANSPORT_IP_BLOCK_TIMEOUT',
    default: 60_000,
    min: 1000,
    why: 'Time within which wrong credentials are counted, and the longest that an address has to wait.',
  }),
  failedLogins: count({
    key: 'security.login.max_failed',
    env: 'SECURITY_LOGIN_MAX_FAILED',
    default: LIMITS.failedLogins.max,
    min: 0,
    max: 1_000_000,
    why: 'Failed logins of one user name from one address within the window. After that the answer is 429. 0: no limit.',
  }),
  failedLoginsWindowMs: millis({
    key: 'security.login.window',
    env: 'SECURITY_LOGIN_WINDOW',
    default: LIMITS.failedLogins.windowMs,
    min: 1000,
    why: 'Time within which failed logins are counted.',
  }),
});
